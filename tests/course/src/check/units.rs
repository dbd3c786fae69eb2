//! The unit tests of a chapter: which are green, which wait for a gap, and what the
//! others say.

use std::path::Path;
use std::time::Duration;

use super::{judge_in, without_verdict};
use crate::Result;
use crate::milestone::{Finding, Verdict};
use crate::process::each;

/// What a chapter's unit tests say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    pub built: bool,
    pub passing: Vec<String>,
    /// Those that have met a `todo!`.
    pub waiting: Vec<String>,
    /// Those that fail, and what they say.
    pub failing: Vec<(String, String)>,
    /// Those that come to no end.
    pub hanging: Vec<String>,
}

impl Units {
    /// How many are not green.
    pub fn open(&self) -> usize {
        self.waiting.len() + self.failing.len() + self.hanging.len()
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        self.passing.len() + self.open()
    }

    fn take(&mut self, verdict: Verdict) {
        for check in verdict.checks {
            match check.finding {
                Finding::Passed | Finding::PassedOver(_) => {
                    self.passing.push(check.name)
                }
                Finding::Failed(report) | Finding::Waiting(report) => {
                    if report.contains("\nnot yet implemented") {
                        self.waiting.push(check.name);
                    } else {
                        self.failing.push((check.name, message(&report)));
                    }
                }
            }
        }
    }
}

/// How long unit tests may take: all together, and one alone that has not ended among
/// the others. They take milliseconds, and those that wait have deadlines of their
/// own.
const DEADLINES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(3)];

/// Runs the unit tests in this program.
pub(super) fn run(folder: &Path, program: &Path) -> Result<Units> {
    run_within(DEADLINES, folder, program)
}

fn run_within(
    deadlines: [Duration; 2],
    folder: &Path,
    program: &Path,
) -> Result<Units> {
    let mut units = Units {
        built: true,
        ..Units::default()
    };
    let [together, alone] = deadlines.map(|deadline| judge_in(folder, deadline));
    let mut verdict = together.verdict(program, None)?;
    if verdict.is_whole() {
        units.take(verdict);
        return Ok(units);
    }
    // One that hangs, or takes the program down, keeps others from being begun, and
    // libtest doesn't come to say why others have failed: each gets its own turn.
    verdict
        .checks
        .retain(|check| check.report().is_none_or(|why| !why.is_empty()));
    let open = without_verdict(program, &verdict);
    units.take(verdict);
    let verdicts = each(&open, 8, |name| alone.verdict(program, Some(name)));
    for (name, verdict) in open.into_iter().zip(verdicts) {
        match verdict? {
            verdict if verdict.is_whole() => units.take(verdict),
            verdict if verdict.ended => {
                units
                    .failing
                    .push((name, verdict.why_broken_off().to_owned()));
            }
            _ => units.hanging.push(name),
        }
    }
    Ok(units)
}

/// What a unit test says when it fails: its last panic, and the first one if that's
/// another. That may be the reason, in another thread, or one that the test wants.
fn message(report: &str) -> String {
    let panics: Vec<String> = report
        .split("\nthread '")
        .filter_map(|part| part.split_once(" panicked at ")?.1.split_once('\n'))
        .map(|(place, words)| {
            let end = |line: &&str| {
                line.starts_with("note: ") || line.starts_with("stack backtrace:")
            };
            let words: Vec<&str> = words.lines().take_while(|l| !end(l)).collect();
            let (words, place) = (words.join("\n"), place.trim_end_matches(':'));
            format!("{}\n(at {place})", words.trim_end())
        })
        .collect();
    match panics.as_slice() {
        [] => report.to_owned(),
        [only] => only.clone(),
        [first, .., last] => format!("{last}\nA panic before it: {first}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::work::Scratch;

    #[test]
    fn one_that_hangs_is_named_and_keeps_no_other_from_its_verdict() {
        let scratch = Scratch::new("units").expect("a folder");
        let [source, program] =
            ["units.rs", "units"].map(|name| scratch.path().join(name));
        let hangs = "loop { std::thread::park() }";
        let tests = format!(
            "#[test] fn a() {{ {hangs} }} #[test] fn b() {{ {hangs} }} \
             #[test] fn c() {{}} #[test] fn d() {{ todo!() }} \
             #[test] fn e() {{ assert!(1 > 2) }} \
             #[allow(unconditional_recursion)] \
             fn deeper(n: u64) -> u64 {{ deeper(n + 1) + 1 }} \
             #[test] fn f() {{ assert!(deeper(0) > 0) }}"
        );
        fs::write(&source, tests).expect("a file");
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition", "2024", "--test", "-o"])
            .args([&program, &source]);
        assert!(rustc.status().expect("rustc runs").success());
        let deadlines = [Duration::from_millis(500), Duration::from_secs(2)];
        let units =
            run_within(deadlines, scratch.path(), &program).expect("they run");
        assert_eq!(units.hanging, ["a", "b"]);
        assert_eq!(
            (&*units.passing, &*units.waiting),
            (&["c".into()][..], &["d".into()][..])
        );
        let why = |at: usize| &*units.failing[at].1;
        assert!(why(0).starts_with("assertion failed: 1 > 2\n"));
        assert!(why(1).contains("overflowed its stack"), "{}", why(1));
    }

    #[test]
    fn a_unit_test_speaks_by_its_last_panic_and_its_first() {
        let report = "\nthread '<unnamed>' (8) panicked at src/pool/tests.rs:9:5:\n\
                      assertion failed: a\n  left: 1\n\
                      thread 'x' (7) panicked at src/b.rs:1:2:\nfails, or waits\n\
                      note: run with `RUST_BACKTRACE=1`\n";
        assert_eq!(
            message(report),
            "fails, or waits\n(at src/b.rs:1:2)\nA panic before it: \
             assertion failed: a\n  left: 1\n(at src/pool/tests.rs:9:5)"
        );
        assert_eq!(message("Error: \"no\""), "Error: \"no\"");
    }
}
