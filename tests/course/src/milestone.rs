//! A milestone's run, read back from what libtest prints.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::process::run;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Passed,
    /// It could not be made, or not to its end; this is why.
    PassedOver(String),
    /// It does not; this is its report.
    Failed(String),
    /// Its ground is missing: an earlier check has to be mended first. This is its
    /// line.
    Waiting(String),
}

/// One check and what it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub finding: Finding,
}

impl Check {
    /// The name for people: `check_02_comes_back_exactly` is "02 comes back exactly".
    pub fn title(&self) -> String {
        let name = self.name.rsplit("::").next().unwrap_or(&self.name);
        name.strip_prefix("check_")
            .unwrap_or(name)
            .replace('_', " ")
    }

    /// The report of a check that failed.
    pub fn report(&self) -> Option<&str> {
        match &self.finding {
            Finding::Failed(report) => Some(report),
            Finding::Passed | Finding::PassedOver(_) | Finding::Waiting(_) => None,
        }
    }
}

/// A milestone's run.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The checks by their names, which is the order they are taught in.
    pub checks: Vec<Check>,
    /// Whether the run came to its end by itself.
    pub ended: bool,
    pub output: String,
}

impl Verdict {
    /// Whether it has come to the last line of libtest.
    pub fn is_whole(&self) -> bool {
        self.ended && self.output.contains("\ntest result: ")
    }

    /// What a program does that ends before that line.
    pub fn why_broken_off(&self) -> &'static str {
        if self.output.contains("has overflowed its stack") {
            "It has overflowed its stack: a function calls itself without an end. Does \
             what it gets become smaller each time?"
        } else {
            "It ended without a verdict, as if by process::exit()."
        }
    }

    /// How many checks hold.
    pub fn passed(&self) -> usize {
        let holds = |check: &&Check| check.finding == Finding::Passed;
        self.checks.iter().filter(holds).count()
    }

    /// Whether all that could be made hold, and at least one does.
    pub fn all_passed(&self) -> bool {
        let bad = |check: &Check| {
            matches!(check.finding, Finding::Failed(_) | Finding::Waiting(_))
        };
        self.ended && self.passed() > 0 && !self.checks.iter().any(bad)
    }

    /// The first check that failed and was not merely waiting for another.
    pub fn first_failure(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.report().is_some())
    }
}

/// How to run a milestone, or unit tests.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The folder to run it in: that of its package.
    pub folder: &'a Path,
    pub deadline: Duration,
    /// The program to judge instead of the package's own.
    pub program: Option<&'a Path>,
    /// Whether what it started is stopped with it: Ctrl-C does not reach that then.
    pub with_children: bool,
}

impl Judge<'_> {
    /// Runs all checks of a milestone, or one.
    pub fn verdict(&self, milestone: &Path, check: Option<&str>) -> Result<Verdict> {
        let mut command = Command::new(milestone);
        command.current_dir(self.folder);
        command.env("CARGO_MANIFEST_DIR", self.folder);
        // What would change how libtest prints.
        command.env_remove("RUST_TEST_NOCAPTURE");
        command.env_remove("RUST_TEST_SHUFFLE");
        command.env("RUST_BACKTRACE", "0");
        // A check that passes may have to say that it could not be made.
        command.args(["--color", "never", "--show-output"]);
        match self.program {
            Some(program) => command.env("COURSE_PROGRAM", program),
            None => command.env_remove("COURSE_PROGRAM"),
        };
        if let Some(check) = check {
            command.args(["--exact", check]);
        }
        let ended = run(&mut command, self.deadline, self.with_children)
            .map_err(|e| format!("cannot run {}: {e}", milestone.display()))?;
        Ok(Verdict {
            checks: checks(&ended.output),
            ended: ended.status.is_some(),
            output: ended.output,
        })
    }
}

fn checks(output: &str) -> Vec<Check> {
    let check = |line: &str| {
        let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let said = said(output, name);
        let line_with = |begin: &str| {
            said.lines()
                .map(str::trim)
                .find(|line| line.starts_with(begin))
        };
        let finding = match result {
            "ok" => match line_with("passed over: ") {
                Some(line) => {
                    Finding::PassedOver(line["passed over: ".len()..].into())
                }
                None => Finding::Passed,
            },
            "FAILED" => match line_with("not checked:") {
                Some(line) => Finding::Waiting(line.into()),
                None => Finding::Failed(said),
            },
            _ => return None,
        };
        let name = name.to_owned();
        Some(Check { name, finding })
    };
    let mut checks: Vec<Check> = output.lines().filter_map(check).collect();
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    checks
}

/// What a test printed: libtest shows it between headings, after all the results.
fn said(output: &str, name: &str) -> String {
    let heading = format!("---- {name} stdout ----");
    let is_heading = |line: &&str| {
        line.starts_with("---- ") && line.ends_with(" stdout ----")
            || matches!(*line, "failures:" | "successes:")
    };
    let lines = output.lines().skip_while(|line| *line != heading).skip(1);
    let said: Vec<&str> = lines.take_while(|line| !is_heading(line)).collect();
    said.join("\n")
        .trim_end()
        .trim_start_matches('\n')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What libtest printed, once.
    const OUTPUT: &str = include_str!("../tests/made-up/libtest.txt");

    #[test]
    fn a_run_is_read_in_the_order_of_teaching() {
        let waiting = "not checked: mend check_02_comes_back_exactly first";
        let expected = [
            ("01 says where it listens", Finding::Passed),
            (
                "02 comes back exactly",
                Finding::Failed("Sent 5 bytes,\n  got 3.".into()),
            ),
            ("03 half close", Finding::Waiting(waiting.into())),
            (
                "04 a low port",
                Finding::PassedOver("everybody may bind low ports here".into()),
            ),
        ];
        let found = checks(OUTPUT);
        assert_eq!(found.len(), expected.len());
        for (check, (title, finding)) in found.into_iter().zip(expected) {
            assert_eq!((check.title().as_str(), check.finding), (title, finding));
        }
    }

    #[test]
    fn what_is_passed_over_is_not_counted_and_does_no_harm() {
        let passes = |output: &str| {
            let checks = checks(output);
            let output = String::new();
            let verdict = Verdict {
                checks,
                ended: true,
                output,
            };
            (verdict.passed(), verdict.all_passed())
        };
        let over = "test a ... ok\n---- a stdout ----\npassed over: why\n";
        assert_eq!(passes(&format!("test b ... ok\n{over}")), (1, true));
        assert_eq!(passes(over), (0, false));
        assert_eq!(passes("running 0 tests\n"), (0, false));
    }
}
