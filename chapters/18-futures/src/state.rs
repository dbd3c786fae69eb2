//! The states of a conversation, and how long a client may take in each.

use std::time::Duration;

use crate::app::Route;
use crate::content::Content;
use crate::handler::Handler;
use crate::request::Persistence;
use crate::sys::Interest;

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);
/// How long it has while the server stops: others wait for its end.
const SHORT_LINGER: Duration = Duration::from_millis(100);
/// How long a request may take to come while the server stops: what was sent by then
/// is here already.
const LAST_LOOK: Duration = Duration::from_millis(10);

/// Where a conversation is, and what it needs to go on from there.
#[derive(Debug, Default)]
pub enum State {
    /// The head of a request is being read.
    #[default]
    ReadingHead,
    /// Content is being read and dropped, before its request is handled.
    Skipping(Content, Asked),
    /// The handler of a request waits for something.
    Handling(Handler, Persistence),
    /// Answers are being sent, before anything else happens.
    Writing(Then),
    /// The last answer is sent. What still comes is dropped until the client closes.
    Lingering,
}

/// What a request asks for.
#[derive(Debug)]
pub struct Asked {
    pub route: Route,
    pub persistence: Persistence,
}

/// What comes after the answers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    NextRequest,
    /// The client knows that this was the last answer, and has nothing more to say.
    Close,
    /// The client may still be sending.
    Linger,
}

/// What a conversation does after a state has done its part.
#[derive(Debug)]
pub enum Step {
    /// It goes on in another state.
    To(State),
    /// It waits in this one: no more can be done now.
    Stay(State),
    /// It's over.
    End,
}

impl State {
    /// How long a client may take in this state; `None` if it has nothing to do.
    pub fn time(&self, patience: Duration, stopping: bool) -> Option<Duration> {
        match self {
            State::ReadingHead | State::Skipping(..) if stopping => Some(LAST_LOOK),
            State::ReadingHead | State::Skipping(..) | State::Writing(_) => {
                Some(patience)
            }
            State::Handling(..) => None,
            State::Lingering if stopping => Some(SHORT_LINGER.min(patience)),
            State::Lingering => Some(LINGER.min(patience)),
        }
    }

    /// What the socket is watched for in this state. `has_output` says whether
    /// answers are left to send. What a handler waits for isn't at the socket.
    pub fn interest(&self, has_output: bool) -> Interest {
        let read = match self {
            State::ReadingHead | State::Skipping(..) | State::Lingering => true,
            State::Handling(..) | State::Writing(_) => false,
        };
        Interest {
            read,
            write: has_output,
        }
    }
}

#[cfg(test)]
mod tests;
