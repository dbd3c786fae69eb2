//! Who is to be woken at what moment.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// The wakers that wait for a moment. Handlers leave them here, and the loop wakes
/// those whose moment has come.
#[derive(Debug, Default)]
pub struct Timers {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many timers there have been.
    count: u64,
    wakers: BTreeMap<Timer, Waker>,
}

/// A timer's name: its moment, and a number that no other timer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When it's due.
    pub until: Instant,
    number: u64,
}

impl Timers {
    /// A name for a timer that's due at this moment. No waker waits for it yet.
    pub fn name(&self, until: Instant) -> Timer {
        let mut inner = self.lock();
        inner.count += 1;
        Timer {
            until,
            number: inner.count,
        }
    }

    /// Has this waker woken once the timer is due, and no longer the one that was set
    /// before. If it's due already, that's soon.
    pub fn set(&self, timer: Timer, waker: &Waker) {
        self.lock().wakers.insert(timer, waker.clone());
    }

    /// Forgets the timer's waker.
    pub fn remove(&self, timer: Timer) {
        self.lock().wakers.remove(&timer);
    }

    /// When the next timer is due.
    pub fn next(&self) -> Option<Instant> {
        let inner = self.lock();
        let (timer, _) = inner.wakers.first_key_value()?;
        Some(timer.until)
    }

    // ANCHOR: wake_due
    /// Wakes all whose moment has come.
    pub fn wake_due(&self, now: Instant) {
        loop {
            let mut inner = self.lock();
            let waker = match inner.wakers.first_entry() {
                Some(first) if first.key().until <= now => first.remove(),
                _ => return,
            };
            // Whatever a waker does, it mustn't find the lock taken.
            drop(inner);
            waker.wake();
        }
    }
    // ANCHOR_END: wake_due

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics between two changes that belong together.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
