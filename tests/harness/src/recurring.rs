//! What the milestones check again and again, chapter after chapter.
//!
//! A milestone says what is likely if the same mistake means something else in its
//! chapter.

mod keeping;
mod serving;
mod startup;
mod threads;

use std::sync::OnceLock;

use crate::Random;

/// A number of threads that no program can know beforehand, and more than it takes by
/// default.
///
/// It is the same for all checks of a run: a check must not fail where the one that
/// it rests on has passed with another number.
pub fn some_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| 5 + Random::default().below(3))
}
