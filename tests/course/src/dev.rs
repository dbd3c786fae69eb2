//! What maintainers use, and what proves the course: nothing in here is needed to
//! take it.

pub mod answers;
pub mod bless;
pub mod book;
pub mod carry;
pub mod command;
pub mod derive;
pub mod errors;
pub mod fold;
pub mod header;
pub mod starters;
#[cfg(unix)]
pub mod transcripts;
pub mod tree;
