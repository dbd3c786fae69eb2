//! Why a request isn't served, and why a conversation ends early.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a request isn't served: a status code, and the reason in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status code of the answer.
    pub status: u16,
    /// What is wrong with the request.
    pub why: &'static str,
}

/// Why a conversation ends early.
#[derive(Debug)]
pub enum Failure {
    /// The client is lost: no one is left to answer.
    Lost(io::Error),
    /// The request is refused: the client gets an answer, then the connection closes.
    Refused(Refusal),
}

impl Refusal {
    /// A refusal with this status code and reason.
    pub const fn new(status: u16, why: &'static str) -> Refusal {
        Refusal { status, why }
    }

    /// A refusal of bytes that aren't a request (400).
    pub const fn bad_request(why: &'static str) -> Refusal {
        Refusal::new(400, why)
    }
}

/// There is nothing (404). It's also the answer to a request for something that
/// exists and isn't served: a client needn't learn that it's there.
pub const NOT_FOUND: Refusal = Refusal::new(404, "there is nothing at this address");

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.why)
    }
}

impl Error for Refusal {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Lost(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Lost(error) => write!(f, "the client is lost: {error}"),
            Failure::Refused(refusal) => {
                write!(f, "the request is refused: {refusal}")
            }
        }
    }
}

impl Error for Failure {}
