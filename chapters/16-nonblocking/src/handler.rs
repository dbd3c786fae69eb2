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
    /// The answer, if it can be given now. This never waits.
    pub fn poll(&mut self, now: Instant) -> Option<Response> {
        todo!("(6 of 7) the answer, if it can be given now")
    }
}

#[cfg(test)]
mod tests;
