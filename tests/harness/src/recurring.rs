//! What the milestones check again and again, chapter after chapter.
//!
//! A milestone says what is likely if the same mistake means something else in its
//! chapter.

mod content;
mod failing;
mod files;
mod keeping;
mod malformed;
mod patience;
mod pictures;
mod root;
mod serving;
mod sleeping;
mod startup;
#[cfg(unix)]
mod stopping;
mod threads;
mod turns;

pub use content::{ContentHints, LimitHints};
pub use files::LARGE;
pub use sleeping::{IdleHints, InputHints, SlowHints};

use std::sync::OnceLock;

pub use malformed::malformed_requests;

use crate::Random;

/// Why fewer jobs run at once than a pool of workers and one queue has threads.
pub const FEWER: &str = "fewer jobs run at once than the pool has threads. The \
                         likeliest reason is that the lock is held while a job runs: \
                         in `while let Ok(job) = queue.lock().unwrap().recv()` the \
                         guard lives until the end of the body, and so it does in \
                         `for`, `match` and `if let`, or under a name that lives as \
                         long. Take the job in a `let` statement or in a function of \
                         its own. If it isn't the lock: are there N threads, is a \
                         worker woken for each job, and does a worker take one job \
                         at a time?";
/// Why more jobs run at once than a pool of workers has threads.
pub const MORE: &str = "more jobs run at once than the pool has threads. A worker \
                        runs its job itself and takes the next one after that; \
                        execute() runs none; and N threads are N, not one more.";

/// A number of threads that no program can know beforehand, and more than it takes by
/// default.
///
/// It is the same for all checks of a run: a check must not fail where the one that
/// it rests on has passed with another number.
pub fn some_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| 5 + Random::default().below(3))
}
