//! A milestone's run, read back from what libtest prints.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::layout::Course;
use crate::process::{Ended, Run, Stderr};

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
    pub took: Duration,
}

impl Verdict {
    /// How many checks hold.
    pub fn passed(&self) -> usize {
        self.checks
            .iter()
            .filter(|check| check.finding == Finding::Passed)
            .count()
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

    fn read(ended: Ended) -> Verdict {
        Verdict {
            checks: checks(&ended.output),
            ended: ended.status.is_some(),
            output: ended.output,
            took: ended.took,
        }
    }
}

/// How to run a milestone, or unit tests.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    course: &'a Course,
    /// The folder to run it in: that of its package.
    folder: &'a Path,
    deadline: Duration,
    /// The program to judge instead of the package's own.
    pub program: Option<&'a Path>,
    /// Whether what it started is stopped with it, see [`Run`].
    pub with_children: bool,
}

impl<'a> Judge<'a> {
    pub fn new(
        course: &'a Course,
        folder: &'a Path,
        deadline: Duration,
    ) -> Judge<'a> {
        Judge {
            course,
            folder,
            deadline,
            program: None,
            with_children: false,
        }
    }

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
        let run = run_in(self.course.scratch(), self.deadline, self.with_children);
        let verdict = run.run(&mut command).map(Verdict::read);
        verdict.map_err(|e| format!("cannot run {}: {e}", milestone.display()))
    }
}

/// The usual way to run a milestone: everything kept.
pub fn run_in(
    scratch: PathBuf,
    deadline: Duration,
    with_children: bool,
) -> Run<'static> {
    Run {
        scratch,
        deadline,
        stderr: Stderr::Kept,
        with_children,
    }
}

fn checks(output: &str) -> Vec<Check> {
    let mut checks: Vec<Check> = output
        .lines()
        .filter_map(|line| {
            let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
            let finding = match result {
                "ok" => passed(&report(output, name)),
                "FAILED" => finding(&report(output, name)),
                _ => return None,
            };
            Some(Check {
                name: name.to_owned(),
                finding,
            })
        })
        .collect();
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    checks
}

fn passed(said: &str) -> Finding {
    let why = said
        .lines()
        .find_map(|line| line.strip_prefix("passed over: "));
    match why {
        Some(why) => Finding::PassedOver(why.to_owned()),
        None => Finding::Passed,
    }
}

fn finding(report: &str) -> Finding {
    let waiting = report
        .lines()
        .find(|line| line.trim_start().starts_with("not checked:"));
    match waiting {
        Some(line) => Finding::Waiting(line.trim().to_owned()),
        None => Finding::Failed(report.to_owned()),
    }
}

/// What a test printed: libtest shows it between headings, after all the results.
fn report(output: &str, name: &str) -> String {
    let heading = format!("---- {name} stdout ----");
    output
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !is_heading(line))
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .trim_start_matches('\n')
        .to_owned()
}

fn is_heading(line: &str) -> bool {
    let of_a_test = line.starts_with("---- ") && line.ends_with(" stdout ----");
    of_a_test || matches!(line, "failures:" | "successes:")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
running 4 tests
test check_04_a_low_port ... ok
test check_02_comes_back_exactly ... FAILED
test check_01_says_where_it_listens ... ok
test check_03_half_close ... FAILED

successes:

---- check_04_a_low_port stdout ----
passed over: everybody may bind low ports here


successes:
    check_01_says_where_it_listens
    check_04_a_low_port

failures:

---- check_02_comes_back_exactly stdout ----

Sent 5 bytes,
  got 3.

---- check_03_half_close stdout ----
not checked: mend check_02_comes_back_exactly first


failures:
    check_02_comes_back_exactly
    check_03_half_close

test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    #[test]
    fn a_run_is_read_in_the_order_of_teaching() {
        let found = checks(OUTPUT);
        let titles: Vec<String> = found.iter().map(Check::title).collect();
        assert_eq!(
            titles,
            [
                "01 says where it listens",
                "02 comes back exactly",
                "03 half close",
                "04 a low port"
            ]
        );
        assert_eq!(found[0].finding, Finding::Passed);
        assert_eq!(
            found[1].finding,
            Finding::Failed("Sent 5 bytes,\n  got 3.".into())
        );
        assert_eq!(
            found[2].finding,
            Finding::Waiting(
                "not checked: mend check_02_comes_back_exactly first".into()
            )
        );
        assert_eq!(
            found[3].finding,
            Finding::PassedOver("everybody may bind low ports here".into())
        );
    }

    #[test]
    fn what_is_passed_over_is_not_counted_and_does_no_harm() {
        let check = |finding| Check {
            name: "check_01_x".into(),
            finding,
        };
        let over = check(Finding::PassedOver("why".into()));
        let mut verdict = Verdict {
            checks: vec![over.clone(), check(Finding::Passed)],
            ended: true,
            output: String::new(),
            took: Duration::ZERO,
        };
        assert_eq!(verdict.passed(), 1);
        assert!(verdict.all_passed());
        verdict.checks = vec![over];
        assert!(!verdict.all_passed());
        verdict.checks = checks("running 0 tests\n");
        assert!(!verdict.all_passed());
    }
}
