//! The reactor: it waits for sockets and for moments, and wakes the tasks that wait
//! for them.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::slots::{Slots, Token};
use crate::sys::{Event, Interest, Notifier, Poller, Source};
use crate::timers::Timers;
use crate::watched::{Direction, Watched};

/// What the poller calls the alarm. No socket's token is as large as that.
const ALARM: u64 = u64::MAX;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Reactor>>> = const { RefCell::new(None) };
}

/// What waits for a thread's sockets and moments.
pub struct Reactor {
    poller: Poller,
    /// What ends a wait when a task is woken by another thread.
    alarm: Arc<Notifier>,
    /// What the last wait has reported.
    events: Cell<Vec<Event>>,
    sockets: RefCell<Slots<Watched>>,
    timers: Arc<Timers>,
}

impl Reactor {
    /// A reactor that watches nothing yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no descriptors to spare.
    pub fn new() -> io::Result<Rc<Reactor>> {
        let (poller, alarm) = (Poller::new()?, Arc::new(Notifier::new()?));
        poller.register(&*alarm, ALARM, Interest::READ)?;
        Ok(Rc::new(Reactor {
            poller,
            alarm,
            events: Cell::default(),
            sockets: RefCell::default(),
            timers: Arc::default(),
        }))
    }

    /// Makes this the reactor of the thread, until the value that it returns is
    /// dropped.
    pub fn enter(reactor: &Rc<Reactor>) -> Entered {
        let reactor = Some(Rc::clone(reactor));
        Entered(CURRENT.replace(reactor))
    }

    /// The reactor of this thread.
    ///
    /// # Panics
    ///
    /// Panics if this thread has none.
    pub fn current() -> Rc<Reactor> {
        let current = CURRENT.with_borrow(Clone::clone);
        current.expect("sockets and timers are for threads that run an executor")
    }

    /// The moments at which tasks are to be woken.
    pub fn timers(&self) -> &Arc<Timers> {
        &self.timers
    }

    /// What ends the wait of this reactor.
    pub fn alarm(&self) -> &Arc<Notifier> {
        &self.alarm
    }

    /// Watches a socket for something to read, and gives it a name.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the socket.
    pub fn register(&self, socket: Rc<dyn Source>) -> io::Result<Token> {
        let watched = Watched::new(Rc::clone(&socket));
        let token = self.sockets.borrow_mut().insert(watched);
        let registered = self.poller.register(&*socket, token.into(), Interest::READ);
        if registered.is_err() {
            self.sockets.borrow_mut().remove(token);
        }
        registered.map(|()| token)
    }

    /// Watches a socket no longer.
    pub fn remove(&self, token: Token) {
        let watched = self.sockets.borrow_mut().remove(token);
        if let Some(watched) = watched
            && !watched.is_hung_up
        {
            // An error means that it isn't watched, and that's what is wanted.
            let _ = self.poller.remove(&*watched.socket);
        }
    }

    /// Whether something has happened in this direction of a socket since that was
    /// asked last. If nothing has, the task of this context is woken when it does.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the socket.
    pub fn poll_ready(
        &self,
        token: Token,
        direction: Direction,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut sockets = self.sockets.borrow_mut();
        let watched = sockets.get_mut(token).expect("a socket that's watched");
        if let Some(failure) = watched.failure {
            return Poll::Ready(Err(failure.into()));
        }
        todo!(
            "(3 of 8) ready if it has been woken or hung up; if not, leave the \
             waker, and have the socket watched"
        )
    }

    /// Has no one woken for this direction any more.
    pub fn forget(&self, token: Token, direction: Direction) {
        if let Some(watched) = self.sockets.borrow_mut().get_mut(token) {
            watched.waiter(direction).waker = None;
        }
    }

    /// Whether a connection has failed, or both of its directions are closed. If not,
    /// the task of this context is woken when that happens.
    pub fn poll_hung_up(&self, token: Token, context: &mut Context<'_>) -> Poll<()> {
        let mut sockets = self.sockets.borrow_mut();
        let watched = sockets.get_mut(token).expect("a socket that's watched");
        if watched.is_hung_up {
            return Poll::Ready(());
        }
        watched.hangup = Some(context.waker().clone());
        Poll::Pending
    }

    /// Has no one woken when a connection fails.
    pub fn forget_hangup(&self, token: Token) {
        if let Some(watched) = self.sockets.borrow_mut().get_mut(token) {
            watched.hangup = None;
        }
    }

    /// Waits until something happens or is due, or only looks if it may not sleep.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't wait.
    pub fn wait(&self, may_sleep: bool) -> io::Result<()> {
        let until = if may_sleep {
            self.timers.next()
        } else {
            Some(Instant::now())
        };
        let timeout =
            until.map(|until| until.saturating_duration_since(Instant::now()));
        let mut events = self.events.take();
        let outcome = self.poller.wait(&mut events, timeout);
        self.events.set(events);
        outcome
    }

    /// Wakes the tasks for which something has happened, or is due.
    pub fn wake_tasks(&self) {
        let events = self.events.take();
        for event in &events {
            match event.token {
                ALARM => self.alarm.drain(),
                _ => self.deal_with(event),
            }
        }
        self.events.set(events);
        self.timers.wake_due(Instant::now());
    }

    /// Wakes those who wait for what has happened, and has the poller report no more
    /// than someone waits for.
    fn deal_with(&self, event: &Event) {
        let token = Token::from(event.token);
        todo!(
            "(4 of 8) find the socket, note what has happened, tell the poller, and \
             wake without a borrow"
        )
    }
}

/// What makes a reactor the one of its thread.
pub struct Entered(Option<Rc<Reactor>>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

#[cfg(test)]
mod tests;
