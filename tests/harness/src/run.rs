//! A program that is expected to end by itself: wrong command lines and addresses it
//! can't have.

use std::process::ExitStatus;
use std::time::Instant;

use assert_cmd::Command;
use predicates::Predicate;

use crate::machine::while_descriptors_are_short;
use crate::report::{Failure, Symptom, stream};
use crate::{Check, DEADLINE};

/// The usual reason why a program that should end doesn't.
const GOES_ON: &str = "it goes on although it can't do what it was asked to do: is \
                       what the command line says used at all?";

/// How a program ended.
pub struct Run {
    check: Check,
    status: ExitStatus,
    /// Whether it ended before the deadline, at which it is killed.
    in_time: bool,
    stdout: String,
    stderr: String,
}

impl Check {
    /// Runs the program with these arguments until it ends, at most [`DEADLINE`].
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Run {
        self.run_to_its_end(args, GOES_ON)
    }

    /// Like [`Check::run`], with the usual reason why the program doesn't end.
    #[track_caller]
    pub fn run_to_its_end(&self, args: &[&str], likely: &str) -> Run {
        self.run_command(std::process::Command::new(self.exe()), args, likely)
    }

    /// `None`: this system has no users in the sense of Unix.
    #[cfg(not(unix))]
    pub fn run_unprivileged(&self, _: &[&str]) -> Option<Run> {
        None
    }

    /// Like [`Check::run`], as a user without privileges if the tests run as root.
    ///
    /// `None` if the machine doesn't let that user run the program.
    #[cfg(unix)]
    #[track_caller]
    pub fn run_unprivileged(&self, args: &[&str]) -> Option<Run> {
        use std::os::unix::process::CommandExt;
        const NOBODY: u32 = 65534;
        // Only root may change the user: for any other user the first try fails, and
        // the program runs without privileges anyway.
        let mut command = std::process::Command::new(self.exe());
        command.uid(NOBODY).gid(NOBODY).arg("--no-such-option");
        match command.output() {
            Ok(_) => {
                let mut command = std::process::Command::new(self.exe());
                command.uid(NOBODY).gid(NOBODY);
                Some(self.run_command(command, args, GOES_ON))
            }
            Err(_) if is_root() => None,
            Err(_) => Some(self.run(args)),
        }
    }

    #[track_caller]
    pub(crate) fn run_command(
        &self,
        command: std::process::Command,
        args: &[&str],
        goes_on: &str,
    ) -> Run {
        let run = self.try_command(command, args);
        run.has_ended_by_itself(goes_on);
        run
    }

    /// Runs a command that may not end by itself.
    #[track_caller]
    pub(crate) fn try_command(
        &self,
        command: std::process::Command,
        args: &[&str],
    ) -> Run {
        let shown = [&[self.name()], args].concat().join(" ");
        self.step(format!("run {shown}"));
        let mut command = Command::from_std(command);
        command.args(args).timeout(DEADLINE);
        let begin = Instant::now();
        let output = match while_descriptors_are_short(&mut || command.output()) {
            Ok(output) => output,
            Err(error) => self.not_started(&error),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            check: self.clone(),
            status: output.status,
            in_time: begin.elapsed() < DEADLINE,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Run {
    /// Checks that the program has ended by itself, with an exit code.
    #[track_caller]
    pub(crate) fn has_ended_by_itself(&self, goes_on: &str) {
        if self.status.code().is_some() {
            return;
        }
        if self.in_time {
            self.fail(
                format!("The program was ended by a signal ({}).", self.status),
                "SIGABRT and SIGSEGV mean that the program itself gave up: a stack \
                 that overflowed, a panic in a panic, or memory that wasn't there.",
            );
        }
        self.fail(
            format!(
                "The program was still running after {DEADLINE:?}; it should have \
                 ended."
            ),
            goes_on,
        );
    }

    /// Whether the program has said this on stderr.
    #[cfg(target_os = "linux")]
    pub(crate) fn says(&self, words: &str) -> bool {
        self.stderr.contains(words)
    }

    /// Checks the exit code.
    #[track_caller]
    pub fn code(&self, wanted: i32, likely: &str) -> &Run {
        self.code_is_one_of(&[wanted], likely)
    }

    /// Checks that the exit code is one of these.
    #[track_caller]
    pub fn code_is_one_of(&self, wanted: &[i32], likely: &str) -> &Run {
        let got = self.status.code().unwrap_or_default();
        if !wanted.contains(&got) {
            let wanted: Vec<String> = wanted.iter().map(i32::to_string).collect();
            let wanted = wanted.join(" or ");
            self.fail(format!("The exit code is {got}, not {wanted}."), likely);
        }
        self
    }

    /// Checks stderr with a predicate; `wanted` says in words what it asks for.
    #[track_caller]
    pub fn stderr(
        &self,
        wanted: &str,
        predicate: impl Predicate<str>,
        likely: &str,
    ) -> &Run {
        if !predicate.eval(&self.stderr) {
            self.fail(format!("stderr doesn't {wanted}."), likely);
        }
        self
    }

    /// Checks stdout with a predicate; `wanted` says in words what it asks for.
    #[track_caller]
    pub fn stdout(
        &self,
        wanted: &str,
        predicate: impl Predicate<str>,
        likely: &str,
    ) -> &Run {
        if !predicate.eval(&self.stdout) {
            self.fail(format!("stdout doesn't {wanted}."), likely);
        }
        self
    }

    #[track_caller]
    fn fail(&self, problem: String, likely: &str) -> ! {
        let got = stream("stdout", &self.stdout) + &stream("stderr", &self.stderr);
        self.check.report(Failure {
            problem,
            got,
            likely: likely.to_owned(),
            stderr: Some(self.stderr.clone()),
            symptom: Symptom::NotStarted,
            ..Failure::default()
        })
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    // A process's own folder belongs to the user that it runs as; see proc(5).
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
