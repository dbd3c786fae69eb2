//! Waiting for a client, and for how long.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// How long a client has to take the last answer and close.
pub const LINGER: Duration = Duration::from_secs(1);

// ANCHOR: left
/// The time until a deadline. It's never zero: a timeout of zero would mean none.
///
/// # Errors
///
/// Returns the error `TimedOut` once the deadline has passed.
pub fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// Unix calls it `WouldBlock` when a socket's timeout passes, Windows `TimedOut`.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
// ANCHOR_END: left
