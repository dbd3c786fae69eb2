//! What maintainers use, and what proves the course: nothing in here is needed to
//! take it.

pub mod answers;
pub mod bless;
pub mod book;
pub mod carry;
pub(crate) mod command;
pub mod derive;
pub mod errors;
mod fold;
mod header;
pub mod starters;
#[cfg(unix)]
pub mod transcripts;
pub mod tree;
