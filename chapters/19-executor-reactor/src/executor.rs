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

/// The tasks of a thread.
struct Executor {
    tasks: RefCell<Slots<Task>>,
    woken: Arc<Woken>,
    reactor: Rc<Reactor>,
}

/// A future that the executor polls whenever it's woken, until it's ready.
struct Task {
    /// `None` while it's polled.
    future: Option<TaskFuture>,
    waker: Arc<TaskWaker>,
}

/// A task's future, in a place from which it doesn't move.
type TaskFuture = Pin<Box<dyn Future<Output = ()>>>;

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

/// Runs a task, and all tasks that come of it, until they are done.
///
/// # Errors
///
/// Returns an error if the system has no descriptors to spare, or can't wait.
///
/// # Panics
///
/// Panics if it's called by a task, which would have to wait for itself.
pub fn run(first: impl Future<Output = ()> + 'static) -> io::Result<()> {
    let runs_already = CURRENT.with_borrow(Option::is_some);
    assert!(!runs_already, "a task is awaited, and not run");
    let reactor = Reactor::new()?;
    let _entered = Reactor::enter(&reactor);
    let executor = Rc::new(Executor::new(reactor));
    CURRENT.set(Some(Rc::clone(&executor)));
    executor.add(Box::pin(first));
    let outcome = executor.run();
    CURRENT.set(None);
    outcome
}

impl Executor {
    /// An executor without tasks. While there's nothing to poll, it waits for what
    /// this reactor watches.
    fn new(reactor: Rc<Reactor>) -> Executor {
        Executor {
            tasks: RefCell::default(),
            woken: Arc::new(Woken::new(reactor.alarm())),
            reactor,
        }
    }

    /// Adds a task, and has it polled as if it had been woken.
    fn add(&self, future: TaskFuture) {
        let mut tasks = self.tasks.borrow_mut();
        let waker = TaskWaker::new(tasks.next_token(), &self.woken);
        tasks.insert(Task {
            future: Some(future),
            waker: Arc::clone(&waker),
        });
        waker.wake();
    }

    /// Polls what was woken, then waits for what happens next, and so on, until no
    /// task is left.
    fn run(&self) -> io::Result<()> {
        todo!("(2 of 8) poll what was woken, then wait, until no task is left")
    }

    /// Polls a task once, if it's still here.
    fn poll(&self, token: Token) {
        todo!(
            "(1 of 8) take the task's future, poll it once, and put it back if it's \
             pending"
        )
    }

    /// Takes a task's future out of its place, and so borrows nothing while that's
    /// polled: it may spawn others. `None` if the task is done.
    fn take(&self, token: Token) -> Option<(TaskFuture, Arc<TaskWaker>)> {
        let mut tasks = self.tasks.borrow_mut();
        let task = tasks.get_mut(token)?;
        let future = task.future.take()?;
        Some((future, Arc::clone(&task.waker)))
    }

    /// Puts the future of a task back that isn't ready.
    fn put_back(&self, token: Token, future: TaskFuture) {
        if let Some(task) = self.tasks.borrow_mut().get_mut(token) {
            task.future = Some(future);
        }
    }

    /// Ends a task: its place is free, and its future is dropped. Whatever that drops
    /// may spawn and wake tasks, so nothing is borrowed, and may even panic.
    fn end(&self, token: Token, future: TaskFuture) {
        self.tasks.borrow_mut().remove(token);
        if catch_unwind(AssertUnwindSafe(|| drop(future))).is_err() {
            log("a task panicked while it was dropped");
        }
    }
}

#[cfg(test)]
mod tests;
