//! A moment by which something has to have happened, and which can be moved.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::reactor::Reactor;
use crate::timers::{Timer, Timers};

/// A deadline that's moved more often than it passes. It has one timer at most, which
/// stays where it is while the deadline moves away from it: when it's due, there's
/// another look, and perhaps another timer. So one task uses it, and no other: the
/// timer wakes the one that set it.
#[derive(Debug)]
pub struct Deadline {
    until: Instant,
    timer: Option<Timer>,
    timers: Arc<Timers>,
}

impl Deadline {
    /// A deadline that has passed, for a task of this thread.
    pub fn new() -> Deadline {
        Deadline {
            until: Instant::now(),
            timer: None,
            timers: Arc::clone(Reactor::current().timers()),
        }
    }

    /// Moves the deadline to this time from now on.
    pub fn set(&mut self, time: Duration) {
        self.until = Instant::now() + time;
    }

    /// Moves the deadline, unless it's nearer already.
    pub fn shorten(&mut self, time: Duration) {
        self.until = self.until.min(Instant::now() + time);
    }

    /// Waits for a future, and no longer than until the deadline: `None` if that
    /// passes first.
    pub async fn limit<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending => self.poll_passed(context).map(|()| None),
        })
        .await
    }

    /// Whether the deadline has passed. If it hasn't, the task is woken by then.
    fn poll_passed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        todo!(
            "(6 of 8) ready if it has passed; if not, see to it that a timer wakes \
             the task in time"
        )
    }

    /// Has the task woken no longer, until the deadline is awaited again.
    pub fn forget(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.timers.remove(timer);
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests;
