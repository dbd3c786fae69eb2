//! What the milestones are written with.
//!
//! A milestone watches a chapter's program from outside: it starts the program, talks
//! to it over TCP, and reads its output and exit code. It never looks at source code.
//! This library holds the parts that all milestones share:
//!
//! - [`Check`]: one thing that a milestone checks, and the report a learner reads
//!   when it fails;
//! - [`Program`]: the program under test, which is always ended;
//! - [`Client`]: a raw TCP client in which every wait has a deadline;
//! - [`Answer`]: an HTTP response, read strictly;
//! - [`Run`]: the outcome of a program that is expected to end by itself;
//! - [`Site`]: a temporary folder of files to serve.
//!
//! `tests/chapter02.rs` shows all of them but the HTTP parts in use.

mod answer;
mod bytes;
mod check;
mod client;
mod conversation;
mod date;
mod pool;
mod program;
mod random;
#[cfg(target_os = "linux")]
mod room;
mod run;
mod site;
mod startup;
mod trouble;

pub use answer::Answer;
pub use bytes::{printf, show};
pub use check::{Check, after};
pub use client::{Client, Likely};
pub use conversation::get;
pub use date::is_date_of_today;
pub use pool::some_threads;
pub use predicates;
pub use program::{Fetched, Program};
pub use random::Random;
pub use run::Run;
pub use site::Site;

use std::time::Duration;

/// How long a check waits for anything before it says what it was waiting for.
pub const DEADLINE: Duration = Duration::from_secs(4);

/// Begins a check of the program that belongs to the calling milestone.
///
/// The argument says in a few words what must hold; it becomes the title of the
/// report.
#[macro_export]
macro_rules! check {
    ($title:expr) => {
        $crate::Check::new(
            ::std::path::Path::new(env!(concat!(
                "CARGO_BIN_EXE_",
                env!("CARGO_PKG_NAME")
            ))),
            env!("CARGO_PKG_NAME"),
            $title,
        )
    };
}
