//! The executor: it polls the tasks that were woken, and sleeps when none was.

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::log::log;
use crate::reactor::Reactor;
use crate::slots::{Slots, Token};
use crate::woken::{TaskWaker, Woken};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

// ANCHOR: executor
/// The tasks of a thread.
pub struct Executor {
    tasks: RefCell<Slots<Task>>,
    woken: Arc<Woken>,
    reactor: Rc<Reactor>,
}

/// A future that the executor polls until it's ready.
struct Task {
    /// `None` while it's being polled.
    future: Option<TaskFuture>,
    waker: Arc<TaskWaker>,
}

type TaskFuture = Pin<Box<dyn Future<Output = ()>>>;
// ANCHOR_END: executor

// ANCHOR: spawn
/// Adds a task to those of this thread. It's polled soon, and not in here.
///
/// # Panics
///
/// Panics if this thread runs no executor.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let current = CURRENT.with_borrow(Clone::clone);
    let executor = current.expect("tasks are for threads that run an executor");
    executor.add(Box::pin(future));
}
// ANCHOR_END: spawn

// ANCHOR: run
/// Runs a task, and all tasks that come of it, until they are done.
///
/// # Errors
///
/// Returns an error if the system has no descriptors to spare, or can't wait.
pub fn run(first: impl Future<Output = ()> + 'static) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let _entered = Reactor::enter(&reactor);
    let executor = Rc::new(Executor {
        tasks: RefCell::default(),
        woken: Arc::new(Woken::new(reactor.alarm())),
        reactor,
    });
    CURRENT.set(Some(Rc::clone(&executor)));
    executor.add(Box::pin(first));
    let outcome = executor.run();
    CURRENT.set(None);
    outcome
}
// ANCHOR_END: run

impl Executor {
    /// Adds a task, as if it had just been woken.
    fn add(&self, future: TaskFuture) {
        let mut tasks = self.tasks.borrow_mut();
        let waker = TaskWaker::new(tasks.next_token(), &self.woken);
        tasks.insert(Task {
            future: Some(future),
            waker: Arc::clone(&waker),
        });
        waker.wake();
    }

    // ANCHOR: executor_run
    /// Polls what was woken, then waits for what happens next, and so on.
    fn run(&self) -> io::Result<()> {
        let mut tokens = Vec::new();
        loop {
            // A task that wakes another, or itself, is for the next round: between
            // two rounds the reactor gets a look at the sockets.
            self.woken.take(&mut tokens);
            for token in &tokens {
                self.poll(*token);
            }
            if self.tasks.borrow().is_empty() {
                return Ok(());
            }
            self.reactor.turn(self.woken.may_sleep())?;
        }
    }
    // ANCHOR_END: executor_run

    // ANCHOR: poll
    /// Polls a task once. One that's done is dropped, and one that panics as well.
    fn poll(&self, token: Token) {
        // The task may spawn others while it's polled: nothing is borrowed then.
        let Some((mut future, waker)) = self.take(token) else {
            // It was done before this wake-up came.
            return;
        };
        waker.begin_poll();
        let waker = Waker::from(waker);
        let mut context = Context::from_waker(&waker);
        let polled =
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        let mut tasks = self.tasks.borrow_mut();
        match polled {
            Ok(Poll::Pending) => {
                if let Some(task) = tasks.get_mut(token) {
                    task.future = Some(future);
                }
            }
            Ok(Poll::Ready(())) => {
                tasks.remove(token);
            }
            Err(_) => {
                tasks.remove(token);
                log("a task panicked, and is dropped");
            }
        }
    }
    // ANCHOR_END: poll

    fn take(&self, token: Token) -> Option<(TaskFuture, Arc<TaskWaker>)> {
        let mut tasks = self.tasks.borrow_mut();
        let task = tasks.get_mut(token)?;
        let future = task.future.take()?;
        Some((future, Arc::clone(&task.waker)))
    }
}
