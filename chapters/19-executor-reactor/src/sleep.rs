//! A future that is ready at a moment.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::reactor::Reactor;
use crate::timers::{Timer, Timers};

/// What's ready once some time has passed.
#[derive(Debug)]
pub struct Sleep {
    timer: Timer,
    timers: Arc<Timers>,
}

impl Sleep {
    /// A sleep of a task of this thread. It takes this long, from now on.
    ///
    /// # Panics
    ///
    /// Panics if this thread has no reactor.
    pub fn new(time: Duration) -> Sleep {
        Sleep::on(Reactor::current().timers(), time)
    }

    /// The same, for a task that these timers wake.
    pub fn on(timers: &Arc<Timers>, time: Duration) -> Sleep {
        Sleep {
            timer: timers.name(Instant::now() + time),
            timers: Arc::clone(timers),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.timer.until {
            return Poll::Ready(());
        }
        // The waker of this poll takes the place of the one before.
        self.timers.set(self.timer, context.waker());
        Poll::Pending
    }
}

impl Drop for Sleep {
    /// No one waits for the moment any more.
    fn drop(&mut self) {
        self.timers.remove(self.timer);
    }
}

#[cfg(test)]
mod tests;
