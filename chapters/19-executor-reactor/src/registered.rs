//! A socket in the care of the reactor, and the futures that wait for it.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::reactor::Reactor;
use crate::slots::Token;
use crate::sys::Source;
use crate::watched::Direction;

/// A socket in the care of the reactor, which watches it until this is dropped.
pub struct Registered {
    reactor: Rc<Reactor>,
    token: Token,
}

impl Registered {
    /// Has this thread's reactor watch a socket.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch it.
    pub fn new(socket: Rc<dyn Source>) -> io::Result<Registered> {
        let reactor = Reactor::current();
        let token = reactor.register(socket)?;
        Ok(Registered { reactor, token })
    }

    /// Waits until something has happened in this direction since it was asked last:
    /// once for each time that the system reports it.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the socket.
    pub fn ready(&self, direction: Direction) -> Ready<'_> {
        Ready {
            registered: self,
            direction,
        }
    }

    /// Waits until the connection has failed, or both of its directions are closed.
    pub fn hung_up(&self) -> HungUp<'_> {
        HungUp { registered: self }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.reactor.remove(self.token);
    }
}

/// What's ready when a socket is.
pub struct Ready<'a> {
    registered: &'a Registered,
    direction: Direction,
}

impl Future for Ready<'_> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Registered { reactor, token } = self.registered;
        reactor.poll_ready(*token, self.direction, context)
    }
}

impl Drop for Ready<'_> {
    /// No one waits for this any more.
    fn drop(&mut self) {
        let Registered { reactor, token } = self.registered;
        reactor.forget(*token, self.direction);
    }
}

/// What's ready when a connection has failed.
pub struct HungUp<'a> {
    registered: &'a Registered,
}

impl Future for HungUp<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Registered { reactor, token } = self.registered;
        reactor.poll_hung_up(*token, context)
    }
}

impl Drop for HungUp<'_> {
    /// No one waits for this any more.
    fn drop(&mut self) {
        let Registered { reactor, token } = self.registered;
        reactor.forget_hangup(*token);
    }
}
