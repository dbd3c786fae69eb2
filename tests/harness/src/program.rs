//! The program under test, running: clients that connect to it, and how it ends.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::process::{ChildStdin, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::machine::{Fault, while_descriptors_are_short};
use crate::places::Place;
use crate::report::{Failure, Symptom};
use crate::watched::Watched;
use crate::{Check, Client, DEADLINE};

/// Why a program that should serve client after client serves no more.
pub(crate) const LOOP_ENDED: &str = "nothing listens there any more: the loop over \
                                     connections has ended, through a return, a \
                                     break, or a ? that carried one client's error \
                                     out of it; or the listener was dropped.";
/// Why connecting takes longer than the deadline.
const QUEUE_FULL: &str = "clients wait in the listener's queue, and it's full: the \
                          program has stopped calling accept(), because it waits for \
                          something else.";
/// Why an end that was asked for has another exit code than 0.
const NO_ERROR: &str = "an end that was asked for isn't an error. When everything is \
                        answered, main returns ExitCode::SUCCESS; what ends the \
                        program before that, because the grace is over, gives \
                        process::exit() a 0 as well.";

/// A running program. It is killed when this value is dropped.
pub struct Program {
    check: Check,
    watched: Arc<Watched>,
    addr: SocketAddr,
    /// The writing end of its stdin, if it has one.
    stdin: Option<ChildStdin>,
}

impl Program {
    pub(crate) fn new(
        check: Check,
        watched: Arc<Watched>,
        addr: SocketAddr,
        stdin: Option<ChildStdin>,
    ) -> Program {
        Program {
            check,
            watched,
            addr,
            stdin,
        }
    }

    /// The address on which the program says that it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.watched.id()
    }

    pub(crate) fn check(&self) -> &Check {
        &self.check
    }

    /// Connects a raw client.
    #[track_caller]
    pub fn connect(&self) -> Client {
        self.check.step("connect");
        let place = Place::take();
        let mut connect = || TcpStream::connect_timeout(&self.addr, DEADLINE);
        match while_descriptors_are_short(&mut connect) {
            Ok(stream) => Client::new(self.check.clone(), stream, place),
            Err(error) => self.not_connected(&error),
        }
    }

    #[track_caller]
    fn not_connected(&self, error: &std::io::Error) -> ! {
        if let Some(fault) = Fault::of(error) {
            self.check.report(fault.into_failure());
        }
        self.check.report(Failure {
            problem: format!("No connection to {}: {error}.", self.addr),
            likely: match error.kind() {
                ErrorKind::TimedOut => QUEUE_FULL.to_owned(),
                _ => LOOP_ENDED.to_owned(),
            },
            symptom: Symptom::Lost,
            ..Failure::default()
        })
    }

    /// Closes the program's stdin: it reads EOF there.
    pub fn close_stdin(&mut self) {
        self.check.step("close its stdin");
        self.check.let_it_end();
        self.stdin = None;
    }

    /// Waits until the program has ended, which must be with this exit code.
    #[track_caller]
    pub fn must_end(&mut self, code: i32, likely: &str) {
        let status = self.ended(likely);
        if status.code() != Some(code) {
            self.check.fail(
                format!(
                    "The program ended with {status}, not with exit code {code}."
                ),
                match status.code() {
                    Some(_) => NO_ERROR,
                    None => {
                        "nothing handled the signal, and so it ended the program by \
                         itself."
                    }
                },
            );
        }
    }

    /// Waits until the program has ended, which must not look like success: with an
    /// exit code other than 0, or by a signal.
    #[track_caller]
    pub fn must_end_without_success(&mut self, likely: &str, success: &str) {
        if self.ended(likely).success() {
            self.check
                .fail("The program ended with exit code 0.", success);
        }
    }

    /// Checks that the program says something on stderr, or has said it.
    #[track_caller]
    pub fn must_have_said_why(&self, likely: &str) {
        const ENOUGH: Duration = Duration::from_secs(1);
        self.check.step("look for words on stderr");
        let begin = Instant::now();
        loop {
            // What a program that has ended printed last is there after that.
            let has_ended = self.watched.exited().is_some();
            if !self.watched.stderr().trim().is_empty() {
                return;
            }
            // It may have something to say, and wait for a core.
            let waits = begin.elapsed() < ENOUGH
                || begin.elapsed() < DEADLINE && self.watched.is_busy();
            if has_ended || !waits {
                self.check
                    .fail("The program said nothing on stderr.", likely);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Checks that the program, which has ended, has said nothing on stderr.
    #[track_caller]
    pub fn must_have_said_nothing(&self, likely: &str) {
        self.check.step("look for words on stderr");
        if !self.watched.stderr().trim().is_empty() {
            self.check
                .fail("The program said something on stderr.", likely);
        }
    }

    #[track_caller]
    fn ended(&self, likely: &str) -> ExitStatus {
        self.check.step("wait until it has ended");
        let mut deadline = Deadline::new(&self.check);
        loop {
            if let Some(status) = self.watched.exited() {
                return status;
            }
            if deadline.left().is_none() {
                self.check.fail(
                    format!(
                        "The program was asked to end, and still ran {DEADLINE:?} \
                         later."
                    ),
                    likely,
                );
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Tries to connect until the connection is refused.
    #[track_caller]
    pub fn must_refuse(&self, likely: &str) {
        self.check.step("connect until that is refused");
        let mut deadline = Deadline::new(&self.check);
        loop {
            let Some(left) = deadline.left() else {
                self.check.fail(
                    format!("New connections weren't refused within {DEADLINE:?}."),
                    likely,
                );
            };
            // A listener whose queue is full doesn't refuse: connecting takes too
            // long then.
            match TcpStream::connect_timeout(&self.addr, left) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                _ => thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Whether the program has said something on stderr, or has ended.
    #[cfg(unix)]
    pub(crate) fn says_or_ends(&self) -> bool {
        self.watched.exited().is_some() || !self.watched.stderr().trim().is_empty()
    }

    /// Checks that the program still runs, and isn't about to end.
    #[track_caller]
    pub fn must_still_run(&self) {
        self.must_still_run_after(
            "one client's error ended the loop that serves all the others.",
        );
    }

    /// Checks that the program still runs, and isn't about to end; says what the
    /// likely reason is if it doesn't.
    #[track_caller]
    pub fn must_still_run_after(&self, likely: &str) {
        self.check.step("look whether the program still runs");
        if self.watched.settles_soon().is_some() {
            self.check.fail("The program is gone.", likely);
        }
    }

    /// Checks that the program has printed no panic. Call it after an event that
    /// shows that whatever might have panicked is over.
    #[track_caller]
    pub fn must_not_have_panicked(&self, likely: &str) {
        self.check.step("look for panics on stderr");
        if self.watched.stderr().contains(" panicked at ") {
            self.check.fail("The program panicked.", likely);
        }
    }
}
