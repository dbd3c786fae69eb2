//! What the milestones are written with.
//!
//! A milestone watches a chapter's program from outside: it starts the program, talks
//! to it over TCP, and reads its output and exit code. It never looks at source code.
//! This library holds the parts that all milestones share:
//!
//! - [`Check`]: one thing that a milestone checks, and the report a learner reads
//!   when it fails; [`after`] lets it rest on another check;
//! - [`Program`]: the program under test, which is always ended; what signals do to
//!   it, and what Linux tells about its memory, threads, descriptors and time;
//! - [`Client`]: a raw TCP client in which every wait has a deadline;
//! - [`Answer`]: an HTTP response, read strictly;
//! - [`Run`]: the outcome of a program that is expected to end by itself;
//! - [`Site`]: a temporary folder of files to serve.
//!
//! The milestone of chapter 02 shows all of them but the HTTP parts in use.

mod answer;
mod bytes;
mod cause;
mod check;
mod client;
mod compare;
mod date;
mod deadline;
mod end;
mod exchange;
mod expect;
mod fetch;
mod ground;
mod head;
mod hints;
mod libtest;
mod machine;
mod panics;
mod places;
mod pressure;
mod program;
mod random;
mod recurring;
mod reply;
mod report;
mod reset;
#[cfg(target_os = "linux")]
mod room;
mod run;
mod signals;
mod site;
mod sockets;
mod start;
#[cfg(test)]
mod tests;
mod text;
mod trouble;
mod vitals;
mod watched;

pub use answer::Answer;
pub use bytes::{printf, show};
pub use check::Check;
pub use client::Client;
pub use date::is_date_of_today;
pub use exchange::get;
pub use expect::Likely;
pub use fetch::Fetched;
pub use ground::after;
pub use predicates;
pub use program::Program;
pub use random::Random;
pub use recurring::{
    ContentHints, FEWER, IdleHints, InputHints, LARGE, LimitHints, MORE, SlowHints,
    malformed_requests, some_threads,
};
pub use reply::{Reply, curl};
pub use run::Run;
pub use site::Site;

use std::time::Duration;

/// How long a check waits for anything before it says what it was waiting for.
pub const DEADLINE: Duration = Duration::from_secs(4);

/// Where Linux tells about processes and sockets, see proc(5). Elsewhere this folder
/// doesn't exist: a `/proc` there means something else, as for a Windows program
/// under Wine, which sees Linux's folder and has other process numbers.
const PROC: &str = if cfg!(target_os = "linux") {
    "/proc"
} else {
    "/no/such/folder"
};

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

/// Names the sections of the chapter's page that explain its numbered gaps, in the
/// order of their numbers.
///
/// This defines a `check!` like [`check!`](crate::check!), whose reports lead from a
/// gap that is still to be written, `todo!("(2 of 5) …")`, to the second of these
/// sections, whichever check comes across it.
///
/// ```
/// harness::gaps!["where-a-head-ends", "what-is-left-over"];
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! gaps {
    ($($section:literal),+ $(,)?) => {
        macro_rules! check {
            ($title:expr) => {
                $crate::check!($title).gaps(&[$($section),+])
            };
        }
    };
}
