//! What a conversation waits for.

use std::net::TcpStream;
use std::time::Instant;

use crate::conversation::Conversation;
use crate::state::State;
use crate::sys::Interest;

impl Conversation {
    /// What a poller can watch.
    pub fn socket(&self) -> &TcpStream {
        self.connection.socket()
    }

    /// What the poller is to watch it for.
    pub fn interest(&self) -> Interest {
        self.state.interest(self.connection.has_output())
    }

    /// When the client's time is up. A handler takes its own time, and has the
    /// conversation woken.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Handling(..) => None,
            _ => self.connection.deadline(),
        }
    }

    /// Whether the client's time is up, so that the conversation has to get a turn
    /// although nothing has happened to its socket.
    pub fn is_late(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }
}
