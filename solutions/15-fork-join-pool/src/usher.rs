//! Clients that are turned away because the server is busy.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::date::Clock;
use crate::deadline::{LINGER, linger};
use crate::refusal::Refusal;
use crate::request::Persistence;
use crate::response::{Body, Response};

/// How many clients that were turned away keep their connections until they have read
/// why. More of them lose theirs at once, and perhaps the answer with it.
const MAX_TURNED_AWAY: usize = 64;

/// Turns clients away, and closes each connection once its client has had time to
/// read the answer. A thread of its own sees to that, so that no descriptor waits for
/// the next client that is turned away.
#[derive(Debug)]
pub struct Usher {
    /// `None` only while the usher is being dropped.
    turned_away: Option<SyncSender<(Arc<TcpStream>, Instant)>>,
    thread: Option<JoinHandle<()>>,
}

impl Usher {
    /// An usher and its thread.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no thread to spare.
    pub fn new() -> io::Result<Usher> {
        let (sender, turned_away) =
            mpsc::sync_channel::<(Arc<TcpStream>, Instant)>(MAX_TURNED_AWAY);
        let thread = thread::Builder::new().spawn(move || {
            // Each deadline is later than the one before, so waiting for one client
            // takes no time from the next.
            for (stream, deadline) in turned_away {
                linger(&stream, deadline);
            }
        })?;
        Ok(Usher {
            turned_away: Some(sender),
            thread: Some(thread),
        })
    }

    /// Tells a client that the server is busy. This never waits.
    pub fn turn_away(&self, stream: Arc<TcpStream>) {
        // An error means that the client has left already.
        if tell(&stream).is_err() {
            return;
        }
        if let Some(turned_away) = &self.turned_away {
            // If the channel is full, the stream is closed here.
            let _ = turned_away.try_send((stream, Instant::now() + LINGER));
        }
    }
}

impl Drop for Usher {
    fn drop(&mut self) {
        drop(self.turned_away.take());
        if let Some(thread) = self.thread.take() {
            // It ends when the last client has had its time. It doesn't panic.
            let _ = thread.join();
        }
    }
}

/// Sends the answer, and says that no more will come. Bytes that the socket doesn't
/// take at once are dropped: the thread that accepts must not wait for a client.
fn tell(mut stream: &TcpStream) -> io::Result<()> {
    let refusal = Refusal::new(503, "the server is busy");
    let response = Response::from(refusal).with_field("Retry-After", "1");
    let mut bytes = Vec::new();
    response.append_head(Persistence::Close, Clock::default().date(), &mut bytes);
    if let Body::Bytes(content) = response.into_body() {
        bytes.extend(content);
    }
    stream.set_nonblocking(true)?;
    let _sent = stream.write(&bytes)?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_nonblocking(false)
}

#[cfg(test)]
mod tests;
