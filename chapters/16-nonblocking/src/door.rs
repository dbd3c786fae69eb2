//! Where clients come in, if there is a descriptor for them.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::log::log;

/// How long no one is accepted after accepting has failed, unless a client leaves.
const PAUSE: Duration = Duration::from_secs(1);

/// Where clients come in.
pub struct Door {
    listener: TcpListener,
    /// A descriptor that is given up when no other is left, so that clients that
    /// are in can still be served a file.
    reserve: Option<TcpListener>,
    /// Until when no one is accepted: the last attempt has failed.
    closed_until: Option<Instant>,
}

/// What came of a look outside.
pub enum Arrival {
    Client(TcpStream),
    /// No one waits outside.
    Nobody,
    /// No one can come in now.
    Closed,
}

impl Door {
    /// A door that never waits for a client.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener can't be told not to wait, or if there is no
    /// descriptor for the reserve.
    pub fn new(listener: TcpListener) -> io::Result<Door> {
        listener.set_nonblocking(true)?;
        let reserve = Some(listener.try_clone()?);
        Ok(Door {
            listener,
            reserve,
            closed_until: None,
        })
    }

    /// A client has left: there may be a descriptor for another one.
    pub fn may_open(&mut self, now: Instant) {
        self.closed_until = self.closed_until.map(|_| now);
    }

    /// Lets the next client in.
    pub fn accept(&mut self, now: Instant) -> Arrival {
        if self.closed_until.is_some_and(|until| now < until) {
            return Arrival::Closed;
        }
        if self.reserve.is_none() {
            self.reserve = self.listener.try_clone().ok();
        }
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Arrival::Client(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.closed_until = None;
                    return Arrival::Nobody;
                }
                // This client left while it was waiting: the next one is there.
                Err(error) if has_left(&error) => {}
                // Something is used up, descriptors perhaps. Only clients that leave
                // give them back.
                Err(error) => {
                    if self.closed_until.is_none() {
                        log(&format!("cannot accept a connection: {error}"));
                    }
                    self.reserve = None;
                    self.closed_until = Some(now + PAUSE);
                    return Arrival::Closed;
                }
            }
        }
    }
}

/// Whether accepting failed because the client left while it waited. Windows calls
/// that `ConnectionReset`, other systems `ConnectionAborted`.
fn has_left(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests;
