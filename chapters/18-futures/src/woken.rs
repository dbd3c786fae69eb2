//! Which connections have a handler that can go on, and who says so.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use crate::slots::Token;
use crate::sys::Notifier;

/// The list of connections that have been woken.
#[derive(Debug)]
pub struct Woken {
    list: Mutex<List>,
    /// What ends the wait of the loop.
    alarm: Notifier,
}

#[derive(Debug, Default)]
struct List {
    tokens: Vec<Token>,
    /// Whether the loop waits, or is about to.
    loop_sleeps: bool,
}

/// What wakes one connection.
#[derive(Debug)]
pub struct ConnectionWaker {
    token: Token,
    /// Whether it's been woken since its handler was polled.
    is_woken: AtomicBool,
    woken: Arc<Woken>,
}

impl Woken {
    /// A list with nothing in it.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no descriptors to spare.
    pub fn new() -> io::Result<Woken> {
        Ok(Woken {
            list: Mutex::default(),
            alarm: Notifier::new()?,
        })
    }

    /// What rings while the loop sleeps and someone is woken.
    pub fn alarm(&self) -> &Notifier {
        &self.alarm
    }

    /// Adds a connection to the list. Returns whether the loop sleeps, and so has to
    /// be told.
    fn add(&self, token: Token) -> bool {
        let mut list = self.lock();
        list.tokens.push(token);
        mem::take(&mut list.loop_sleeps)
    }

    /// Whether the loop may sleep, because no one has been woken. If it does, whoever
    /// is woken from now on rings the alarm.
    pub fn may_sleep(&self) -> bool {
        let mut list = self.lock();
        list.loop_sleeps = list.tokens.is_empty();
        list.loop_sleeps
    }

    /// Notes that the loop is awake, and will look at the list before it sleeps.
    pub fn end_sleep(&self) {
        self.lock().loop_sleeps = false;
    }

    /// Takes all connections from the list.
    pub fn take(&self) -> Vec<Token> {
        mem::take(&mut self.lock().tokens)
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        // Nothing in here panics between two changes that belong together.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionWaker {
    /// A waker for the connection of this name.
    pub fn new(token: Token, woken: &Arc<Woken>) -> Arc<ConnectionWaker> {
        Arc::new(ConnectionWaker {
            token,
            is_woken: AtomicBool::new(false),
            woken: Arc::clone(woken),
        })
    }

    /// Has the connection's next handler polled once, although no one has woken it.
    pub fn mark(&self) {
        self.is_woken.store(true, Ordering::Release);
    }

    /// Whether it has been woken since this was asked last.
    pub fn was_woken(&self) -> bool {
        self.is_woken.swap(false, Ordering::AcqRel)
    }
}

impl Wake for ConnectionWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        todo!(
            "(4 of 7) mark the connection; if it wasn't marked, put it on the list, and \
             ring if the loop sleeps"
        )
    }
}

#[cfg(test)]
mod tests;
