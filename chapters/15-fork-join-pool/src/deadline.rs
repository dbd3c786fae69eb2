//! Waiting for a client, and for how long.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a client has to take the last answer and close.
pub const LINGER: Duration = Duration::from_secs(1);

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

/// Reads what comes, and drops it, until the client closes or the time is up.
pub fn linger(mut stream: &TcpStream, deadline: Instant) {
    let mut discarded = [0; 4096];
    while let Ok(left) = left(deadline) {
        // An error here or below means that the client is gone.
        if stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match stream.read(&mut discarded) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}
