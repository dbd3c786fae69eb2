//! A socket that's watched, and who waits for it.

use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::task::Waker;

use crate::sys::{Event, Interest, Source};

/// A socket that's watched, and who is to be woken when something happens to it.
pub struct Watched {
    pub socket: Rc<dyn Source>,
    /// What the poller watches it for.
    pub interest: Interest,
    reader: Waiter,
    writer: Waiter,
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
    /// It has been woken, and hasn't asked since.
    pub is_ready: bool,
}

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

    /// Notes what has happened, and returns who is to be woken.
    pub fn report(&mut self, event: &Event) -> [Option<Waker>; 3] {
        if event.hangup {
            self.is_hung_up = true;
            self.interest = Interest::NONE;
            return self.take_wakers();
        }
        let mut wakers = [None, None, None];
        if event.readable {
            wakers[0] = self.wake(Direction::Read);
        }
        if event.writable {
            wakers[1] = self.wake(Direction::Write);
        }
        wakers
    }

    /// Takes the waker that waits for this direction. If there's none, the direction
    /// is of no interest until someone waits for it.
    fn wake(&mut self, direction: Direction) -> Option<Waker> {
        let waiter = self.waiter(direction);
        let waker = waiter.waker.take();
        waiter.is_ready = waker.is_some();
        if waker.is_none() {
            *self.interest(direction) = false;
        }
        waker
    }

    /// Notes that the system can't watch it, and returns all who wait for it.
    pub fn fail(&mut self, why: &io::Error) -> [Option<Waker>; 3] {
        self.failure = Some(why.kind());
        self.take_wakers()
    }

    /// Takes the wakers of all who wait for the socket, in whatever way.
    fn take_wakers(&mut self) -> [Option<Waker>; 3] {
        [
            self.reader.waker.take(),
            self.writer.waker.take(),
            self.hangup.take(),
        ]
    }
}
