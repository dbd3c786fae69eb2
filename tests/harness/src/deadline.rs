//! How long a check waits for the program, and a little longer if it is the machine
//! that is slow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::watched::Watched;
use crate::{Check, DEADLINE};

/// The end of a wait for something that the program should do.
///
/// If the program isn't at rest when the time is up, it may be waiting for a core: on
/// a busy machine that's no reason to blame it, so it gets as much time again. One
/// that waits for something else rests, and its time is up at once.
pub(crate) struct Deadline {
    until: Instant,
    /// The program, until it has been given more time.
    program: Option<Arc<Watched>>,
}

impl Deadline {
    pub(crate) fn new(check: &Check) -> Deadline {
        Deadline {
            until: Instant::now() + DEADLINE,
            program: check.program(),
        }
    }

    /// The time that is left, if some is.
    pub(crate) fn left(&mut self) -> Option<Duration> {
        let mut left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() && self.program.take().is_some_and(|it| it.is_busy()) {
            self.until = Instant::now() + DEADLINE;
            left = DEADLINE;
        }
        (!left.is_zero()).then_some(left)
    }
}
