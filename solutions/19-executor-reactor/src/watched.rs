//! A socket that's watched, and who waits for it.

use std::io::ErrorKind;
use std::rc::Rc;
use std::task::Waker;

use crate::sys::{Interest, Source};

// ANCHOR: watched
/// A socket that's watched, and who is to be woken when something happens to it.
pub struct Watched {
    pub socket: Rc<dyn Source>,
    /// What the poller watches it for.
    pub interest: Interest,
    pub reader: Waiter,
    pub writer: Waiter,
    /// Who is to be woken when the connection fails, and for nothing else.
    pub hangup: Option<Waker>,
    /// The connection has failed, or both of its directions are closed. It isn't
    /// watched any longer.
    pub is_hung_up: bool,
    /// Why the system can't watch it.
    pub failure: Option<ErrorKind>,
}

/// What waits for one direction of a socket.
#[derive(Default)]
pub struct Waiter {
    pub waker: Option<Waker>,
    /// It has been woken, and hasn't looked yet.
    pub is_ready: bool,
}
// ANCHOR_END: watched

/// A direction of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Read,
    Write,
}

impl Watched {
    /// A socket that's watched for something to read, and that no one waits for.
    pub fn new(socket: Rc<dyn Source>) -> Watched {
        Watched {
            socket,
            interest: Interest::READ,
            reader: Waiter::default(),
            writer: Waiter::default(),
            hangup: None,
            is_hung_up: false,
            failure: None,
        }
    }

    /// What waits for this direction.
    pub fn waiter(&mut self, direction: Direction) -> &mut Waiter {
        match direction {
            Direction::Read => &mut self.reader,
            Direction::Write => &mut self.writer,
        }
    }

    /// Whether the poller watches for this direction.
    pub fn interest(&mut self, direction: Direction) -> &mut bool {
        match direction {
            Direction::Read => &mut self.interest.read,
            Direction::Write => &mut self.interest.write,
        }
    }

    /// Notes that something has happened, and returns who is to be woken. If no one
    /// is, no one is interested.
    pub fn report(&mut self, direction: Direction) -> Option<Waker> {
        let waiter = self.waiter(direction);
        let waker = waiter.waker.take();
        waiter.is_ready = waker.is_some();
        if waker.is_none() {
            *self.interest(direction) = false;
        }
        waker
    }

    /// All who wait for the socket, in whatever way.
    pub fn take_wakers(&mut self) -> [Option<Waker>; 3] {
        [
            self.reader.waker.take(),
            self.writer.waker.take(),
            self.hangup.take(),
        ]
    }
}
