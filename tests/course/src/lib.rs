//! The course as a program sees it: what chapters there are, how far a learner is,
//! and whether the course keeps its own promises.
//!
//! The program `course` (`cargo course`) and the tests of this package are built from
//! it. It is generic over the chapters that it finds, and has no dependencies, so
//! that the first `cargo course` on a new machine takes seconds.

mod anchors;
pub mod cargo;
mod check;
pub mod command;
pub mod dev;
mod diff;
mod gaps;
mod git;
pub mod layout;
mod map;
mod milestone;
mod process;
pub mod screen;
pub mod starters;
mod which;
pub mod work;

pub use layout::{Chapter, Course};

/// What a function returns that may fail. It fails with a sentence, or a few, for a
/// person: what could not be done, with which file or program, and why. Nothing that
/// calls it has to add to that.
pub type Result<T, E = String> = std::result::Result<T, E>;
