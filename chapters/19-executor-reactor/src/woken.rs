//! Which tasks can go on, and who says so.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use crate::slots::Token;
use crate::sys::Notifier;

/// The list of tasks that have been woken: the run queue.
#[derive(Debug)]
pub struct Woken {
    list: Mutex<List>,
    /// What ends the wait of the executor's thread.
    alarm: Arc<Notifier>,
}

#[derive(Debug, Default)]
struct List {
    tokens: Vec<Token>,
    /// Whether the executor waits, or is about to.
    executor_sleeps: bool,
}

/// What wakes one task.
#[derive(Debug)]
pub struct TaskWaker {
    token: Token,
    /// Whether it's on the list.
    is_woken: AtomicBool,
    woken: Arc<Woken>,
}

impl Woken {
    /// A list with nothing in it. The alarm ends the executor's wait.
    pub fn new(alarm: &Arc<Notifier>) -> Woken {
        Woken {
            list: Mutex::default(),
            alarm: Arc::clone(alarm),
        }
    }

    /// Adds a task to the list. Returns whether the executor sleeps, and so has to be
    /// told.
    fn add(&self, token: Token) -> bool {
        let mut list = self.lock();
        list.tokens.push(token);
        mem::take(&mut list.executor_sleeps)
    }

    /// Whether the executor may sleep, because no task has been woken. If it does,
    /// a task that's woken from now on rings the alarm.
    pub fn may_sleep(&self) -> bool {
        let mut list = self.lock();
        list.executor_sleeps = list.tokens.is_empty();
        list.executor_sleeps
    }

    /// Notes that the executor is awake, and will look at the list before it sleeps.
    pub fn end_sleep(&self) {
        self.lock().executor_sleeps = false;
    }

    /// Takes all tasks from the list. `tokens`, which are dealt with, make room for
    /// the next ones.
    pub fn take(&self, tokens: &mut Vec<Token>) {
        tokens.clear();
        mem::swap(&mut self.lock().tokens, tokens);
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        // Nothing in here panics between two changes that belong together.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaskWaker {
    /// A waker for the task of this name, which isn't on the list.
    pub fn new(token: Token, woken: &Arc<Woken>) -> Arc<TaskWaker> {
        Arc::new(TaskWaker {
            token,
            is_woken: AtomicBool::new(false),
            woken: Arc::clone(woken),
        })
    }

    /// Notes that the task is about to be polled: whatever wakes it from now on puts
    /// it on the list again.
    pub fn begin_poll(&self) {
        self.is_woken.store(false, Ordering::Release);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_woken.swap(true, Ordering::AcqRel) {
            // It's on the list already.
            return;
        }
        if self.woken.add(self.token) {
            self.woken.alarm.notify();
        }
    }
}

#[cfg(test)]
mod tests;
