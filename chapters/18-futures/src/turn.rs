//! A turn of the event loop.

use std::sync::Arc;
use std::time::Instant;

use crate::app::App;
use crate::buffers::Buffers;

/// What a turn of the loop has in it for each conversation.
pub struct Turn<'a> {
    pub app: &'a Arc<App>,
    /// The moment at which the turn began.
    pub now: Instant,
    /// That moment, as HTTP writes it.
    pub date: &'a str,
    /// Buffers that are lent to one conversation after the other.
    pub spare: Vec<Buffers>,
}

/// What came of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something was done, and more may follow at once.
    Moved,
    /// There was nothing to do.
    Waits,
    /// The conversation is over.
    Over,
}
