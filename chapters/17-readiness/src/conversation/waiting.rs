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

    /// When it has to get a turn at the latest, if there's such a moment.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Handling(handler, _) => Some(handler.deadline()),
            _ => self.connection.deadline(),
        }
    }

    /// Whether it has to get a turn, although nothing has happened to its socket: its
    /// time is up, or its handler may be able to go on.
    pub fn is_due(&self, now: Instant) -> bool {
        matches!(self.state, State::Handling(..)) || self.connection.is_late(now)
    }
}
