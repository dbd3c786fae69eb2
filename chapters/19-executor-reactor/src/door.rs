//! Where clients come in, if there is a descriptor for them.

use std::io;
use std::net;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::log::log;
use crate::net::TcpListener;
use crate::places::Places;
use crate::select::select;
use crate::sleep::Sleep;
use crate::sys::widen_backlog;

/// How many clients are accepted before others get their turn.
const MAX_ACCEPTED: u32 = 64;
/// How long no one is accepted after accepting has failed, unless a client leaves.
const PAUSE: Duration = Duration::from_secs(1);
/// How many clients may wait outside. The system may allow fewer.
const BACKLOG: u16 = 4096;

/// Where clients come in.
pub struct Door {
    listener: TcpListener,
    /// A descriptor that is given up when no other is left, so that clients that
    /// are in can still be served a file.
    reserve: Option<net::TcpListener>,
    places: Arc<Places>,
    /// How many have been let in since others had their turn.
    accepted: u32,
    /// Whether the last attempt has failed.
    has_failed: bool,
}

impl Door {
    /// A door for clients who are to have one of these places.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener can't be told not to wait, or can't be
    /// watched, or if there is no descriptor for the reserve.
    pub fn new(listener: net::TcpListener, places: &Arc<Places>) -> io::Result<Door> {
        widen_backlog(&listener, BACKLOG)?;
        let reserve = Some(listener.try_clone()?);
        Ok(Door {
            listener: TcpListener::new(listener)?,
            reserve,
            places: Arc::clone(places),
            accepted: 0,
            has_failed: false,
        })
    }

    /// Waits for the next client, and lets it in.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the listener.
    pub async fn accept(&mut self) -> io::Result<net::TcpStream> {
        loop {
            if self.accepted < MAX_ACCEPTED
                && let Some(stream) = self.look_outside().await
            {
                self.accepted += 1;
                return Ok(stream);
            }
            self.accepted = 0;
            self.listener.acceptable().await?;
        }
    }

    /// Lets a client in that waits outside already; `None` if no one does. If there's
    /// no descriptor for it, it has to wait until there may be one.
    pub async fn look_outside(&mut self) -> Option<net::TcpStream> {
        loop {
            if self.reserve.is_none() {
                self.reserve = self.listener.try_clone().ok();
            }
            match self.listener.try_accept() {
                Ok(stream) => {
                    self.has_failed = false;
                    return stream;
                }
                // Something is used up, descriptors perhaps. Only clients that leave
                // give them back.
                Err(error) => {
                    if !self.has_failed {
                        log(&format!("cannot accept a connection: {error}"));
                    }
                    self.has_failed = true;
                    self.reserve = None;
                    let pause = pin!(Sleep::new(PAUSE));
                    select(pause, pin!(self.places.one_is_left())).await;
                }
            }
        }
    }
}
