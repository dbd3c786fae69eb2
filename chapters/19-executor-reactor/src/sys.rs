//! What the standard library can't do: hear that someone wants the program to end,
//! let more clients queue for a listener, and wait for many sockets at once.
//!
//! This file and its folder are given. They are the only ones with `unsafe` code,
//! because they call functions of the operating system that Rust knows nothing about.
//!
//! There is one way to wait for many sockets, and each system has its own call for
//! it: epoll on Linux, kqueue on macOS and FreeBSD, poll on other kinds of Unix, and
//! WSAPoll on Windows. Each of these files has a `Poller` with the same methods:
//!
//! - `register`, `change` and `remove` say which sockets to watch, and what for.
//! - `wait` waits until one of them is ready, and tells what each one that is ready
//!   can do.
//!
//! All of them are level-triggered: what hasn't been read is reported again by the
//! next `wait`, and so is room that hasn't been written to.

mod backlog;
#[cfg(target_os = "linux")]
pub mod epoll;
#[cfg(any(target_os = "macos", target_os = "freebsd"))]
pub mod kqueue;
mod notifier;
// Wherever there's something better, only its tests use this one.
#[cfg_attr(
    any(target_os = "linux", target_os = "macos", target_os = "freebsd"),
    allow(dead_code)
)]
pub mod poll;
mod signals;

use std::ffi::c_int;
use std::time::Duration;

pub use backlog::widen_backlog;
pub use notifier::Notifier;
pub use signals::Signals;

// To see what poll costs on a system that has something better, put `poll` here.
#[cfg(target_os = "linux")]
pub use epoll::Poller;
#[cfg(any(target_os = "macos", target_os = "freebsd"))]
pub use kqueue::Poller;
#[cfg(not(any(
    target_os = "linux",
    target_os = "macos",
    target_os = "freebsd"
)))]
pub use poll::Poller;

/// What can be watched: whatever lends its descriptor, or on Windows its socket.
#[cfg(unix)]
pub use std::os::fd::AsFd as Source;
#[cfg(windows)]
pub use std::os::windows::io::AsSocket as Source;

/// What a socket is watched for. That it has failed is reported in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest {
    /// Whether there is something to read. The end of the stream counts, and for a
    /// listener a client that waits.
    pub read: bool,
    /// Whether there is room to write.
    pub write: bool,
}

impl Interest {
    /// Nothing but the failure of the connection.
    pub const NONE: Interest = Interest {
        read: false,
        write: false,
    };
    /// Something to read.
    pub const READ: Interest = Interest {
        read: true,
        write: false,
    };
}

/// What has become of a socket. Some systems report reading and writing in two events
/// of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The number that the socket was registered with.
    pub token: u64,
    /// A read wouldn't wait.
    pub readable: bool,
    /// A write wouldn't wait.
    pub writable: bool,
    /// The connection has failed, or both of its directions are closed. Reported
    /// whatever the interest, and again by every `wait` until the socket is removed.
    pub hangup: bool,
}

/// A timeout as the system's calls take it, in milliseconds; -1 is none.
///
/// It's rounded up. Rounded down, a wait would end just before the deadline, and the
/// next ones, with a timeout of zero, would keep the processor busy until it comes.
#[cfg_attr(any(target_os = "macos", target_os = "freebsd"), allow(dead_code))]
fn milliseconds(timeout: Option<Duration>) -> c_int {
    let Some(timeout) = timeout else {
        return -1;
    };
    let rounded_up = timeout.as_nanos().div_ceil(1_000_000);
    // A wait that ends after 24 days ends too early, but there it's one of few.
    c_int::try_from(rounded_up).unwrap_or(c_int::MAX)
}
