//! Signals to the program: to ask it to end, and to disturb whatever it waits for.

use std::process::Command;

use crate::Program;
use crate::machine::while_descriptors_are_short;
use crate::vitals::{all_threads_are, until_all_threads_are};

impl Program {
    /// Sends a signal that asks the program to end: `INT`, as Ctrl-C does, or `TERM`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        self.check().step(format!("send it SIG{name}"));
        self.check().let_it_end();
        signal(self.id(), name);
    }

    /// Stops the program for a moment and lets it go on (SIGSTOP, SIGCONT), as a
    /// shell does with Ctrl-Z and `fg`. Tells whether it was seen to stop: all its
    /// threads rested, and then all were stopped. Only Linux tells that; on Windows,
    /// which has no such signals, nothing happens.
    ///
    /// What waits then returns early, see signal(7). A write that has sent a part of
    /// its bytes and waits for room returns how many it has sent; on Linux a read or
    /// a write on a socket with a timeout fails with EINTR, which is
    /// [`std::io::ErrorKind::Interrupted`].
    pub fn stop_and_continue(&self) -> bool {
        self.check()
            .step("stop the program for a moment, and let it go on");
        let id = self.id();
        let rested = until_all_threads_are(id, 'S');
        signal(id, "STOP");
        let stopped = until_all_threads_are(id, 'T');
        let seen = rested && stopped && all_threads_are(id, 'T') == Some(true);
        signal(id, "CONT");
        seen
    }

    /// Stops the program, and waits until it's stopped.
    pub(crate) fn stop(&self) {
        signal(self.id(), "STOP");
        until_all_threads_are(self.id(), 'T');
    }

    /// Lets a program that was stopped go on.
    pub(crate) fn go_on(&self) {
        signal(self.id(), "CONT");
    }
}

/// Sends a signal. If that's impossible, the program is merely not disturbed.
fn signal(id: u32, name: &str) {
    if cfg!(windows) {
        return;
    }
    // Not every machine has a program `kill`, but every shell has a command of that
    // name.
    let mut kill = Command::new("sh");
    kill.args(["-c", &format!("kill -{name} {id}")]);
    let _ = while_descriptors_are_short(&mut || kill.status());
}
