//! A program that is expected to end by itself: wrong command lines and addresses it
//! can't have.

use assert_cmd::Command;
use predicates::Predicate;

use crate::report::{Failure, Symptom, stream};
use crate::{Check, DEADLINE};

/// The usual reason why a program that should end doesn't.
const GOES_ON: &str = "it goes on although it can't do what it was asked to do: is \
                       what the command line says used at all?";

/// How a program ended.
pub struct Run {
    check: Check,
    code: Option<i32>,
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
        let shown = [&[self.name()], args].concat().join(" ");
        self.step(format!("run {shown}"));
        let output = Command::from_std(command)
            .args(args)
            .timeout(DEADLINE)
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) => self.not_started(&error),
        };
        let run = Run {
            check: self.clone(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        if run.code.is_none() {
            run.fail(
                format!(
                    "The program was still running after {DEADLINE:?}; it should \
                         have ended."
                ),
                goes_on,
            );
        }
        run
    }
}

impl Run {
    /// Checks the exit code.
    #[track_caller]
    pub fn code(&self, wanted: i32, likely: &str) -> &Run {
        self.code_is_one_of(&[wanted], likely)
    }

    /// Checks that the exit code is one of these.
    #[track_caller]
    pub fn code_is_one_of(&self, wanted: &[i32], likely: &str) -> &Run {
        let got = self.code.unwrap_or_default();
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
            stderr: self.stderr.clone(),
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
