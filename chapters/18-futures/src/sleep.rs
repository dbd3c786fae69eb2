//! A future that is ready at a moment.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::timers::{Timer, Timers};

/// What's ready once some time has passed.
#[derive(Debug)]
pub struct Sleep {
    timer: Timer,
    timers: Arc<Timers>,
}

impl Sleep {
    /// A sleep that takes this long, from now on.
    pub fn new(timers: &Arc<Timers>, time: Duration) -> Sleep {
        Sleep {
            timer: timers.name(Instant::now() + time),
            timers: Arc::clone(timers),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        todo!(
            "(1 of 7) ready once the moment has come; until then, the waker is left with \
             the timers"
        )
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
