//! Handlers that wait. Each is a value that says what it waits for, and is asked
//! again and again whether that has come.

use std::time::Instant;

use crate::meeting::Seat;
use crate::response::{Response, text};

/// A request that isn't answered yet, and what its answer waits for.
#[derive(Debug)]
pub enum Handler {
    /// A moment.
    Wait { until: Instant, asked: u32 },
    /// A meeting of this size; or the moment at which it gives up.
    Meet {
        seat: Seat,
        size: usize,
        until: Instant,
    },
}

impl Handler {
    /// When to ask at the latest.
    pub fn deadline(&self) -> Instant {
        match self {
            Handler::Wait { until, .. } | Handler::Meet { until, .. } => *until,
        }
    }

    /// The answer, if it can be given now. This never waits.
    pub fn poll(&mut self, now: Instant) -> Option<Response> {
        match self {
            Handler::Wait { until, asked } => {
                (now >= *until).then(|| text(200, format!("waited {asked} ms\n")))
            }
            Handler::Meet { seat, size, until } => {
                if seat.has_begun() {
                    Some(text(200, format!("{size} met\n")))
                } else {
                    (now >= *until)
                        .then(|| text(503, format!("fewer than {size} came\n")))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
