//! A client that was let in, and what the poller watches its socket for.

use std::io;

use crate::conversation::Conversation;
use crate::slots::Token;
use crate::sys::{Interest, Poller};
use crate::turn::{Outcome, Turn};

/// A client that was let in.
#[derive(Debug)]
pub struct Guest {
    pub conversation: Conversation,
    /// Whether it's only told that there's no place.
    pub is_turned_away: bool,
    interest: Interest,
}

impl Guest {
    /// A client whose socket isn't watched yet.
    pub fn new(conversation: Conversation, is_turned_away: bool) -> Guest {
        Guest {
            conversation,
            is_turned_away,
            interest: Interest::NONE,
        }
    }

    /// Has the poller watch the client's socket, and call it by this token.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the socket.
    pub fn register(&mut self, token: Token, poller: &Poller) -> io::Result<()> {
        self.interest = self.conversation.interest();
        poller.register(self.conversation.socket(), token.into(), self.interest)
    }

    /// Gives the client a turn, and tells the poller what its conversation waits for
    /// after that. `hangup` says that the connection has failed.
    ///
    /// # Errors
    ///
    /// Returns the error of a connection that is lost.
    pub fn turn(
        &mut self,
        token: Token,
        hangup: bool,
        poller: &Poller,
        turn: &mut Turn,
    ) -> io::Result<Outcome> {
        if hangup && self.interest == Interest::NONE {
            // No read or write will tell the conversation, and each wait would.
            return Ok(Outcome::Over);
        }
        let outcome = self.conversation.turn(turn)?;
        let interest = self.conversation.interest();
        if outcome != Outcome::Over && interest != self.interest {
            poller.change(self.conversation.socket(), token.into(), interest)?;
            self.interest = interest;
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests;
