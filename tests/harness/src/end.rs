//! How a connection ends.

use std::io::{self, ErrorKind};

use crate::DEADLINE;

/// How a connection ended, or why nothing came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The other side closed in order: EOF.
    Closed,
    /// The connection was torn down: RST.
    Reset,
    /// Nothing came within the deadline.
    Silent,
}

impl End {
    pub(crate) fn sentence(self) -> String {
        match self {
            End::Closed => "The connection was closed".to_owned(),
            End::Reset => "The connection was reset".to_owned(),
            End::Silent => {
                format!("Nothing more came within {} seconds", DEADLINE.as_secs())
            }
        }
    }

    pub(crate) fn here(self) -> &'static str {
        match self {
            End::Closed => "closed here",
            End::Reset => "reset here",
            End::Silent => "nothing more came",
        }
    }
}

pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
