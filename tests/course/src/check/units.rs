//! The unit tests of a chapter: which are green, which wait for a gap, and what the
//! others say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{judge_in, without_verdict};
use crate::Result;
use crate::milestone::{Finding, Judge, Verdict};
use crate::process::{each, run as run_program};

/// What a chapter's unit tests say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    pub built: bool,
    pub passing: Vec<String>,
    /// Those that have met a `todo!`.
    pub waiting: Vec<String>,
    /// Those that fail, and what they say, in the order of their files.
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
                    if report.contains(NOT_YET) {
                        self.waiting.push(check.name);
                    } else {
                        self.failing.push((check.name, message(&report)));
                    }
                }
            }
        }
    }

    /// Puts those first that come first on the page, and in their files, because what
    /// comes later builds on it.
    fn put_in_order(&mut self, folder: &Path, page: &str) {
        self.failing
            .sort_by_cached_key(|(name, _)| place(folder, page, name));
        self.hanging
            .sort_by_cached_key(|name| place(folder, page, name));
    }
}

/// Where a unit test stands: where the page lists its file for the last time, if it
/// does, because then all of the file's gaps are filled; the file; where in that.
fn place(folder: &Path, page: &str, name: &str) -> (usize, PathBuf, usize) {
    let (modules, test) = name.rsplit_once("::").unwrap_or(("main", name));
    let modules = modules.replace("::", "/");
    let code = modules.strip_suffix("/tests").unwrap_or(&modules);
    let listed = page.rfind(&format!("<span class=\"file\">src/{code}.rs"));
    let file = folder.join("src").join(&modules).with_extension("rs");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let at = text.find(&format!("fn {test}("));
    (listed.unwrap_or(page.len()), file, at.unwrap_or(text.len()))
}

/// What a `todo!` prints.
const NOT_YET: &str = "\nnot yet implemented";

/// How long unit tests may take: all together, and one alone that has not ended among
/// the others. They take milliseconds, and those that wait have deadlines of their
/// own, of 4 seconds.
const DEADLINES: [Duration; 2] = [Duration::from_secs(10); 2];

/// How many run at the same time. Those that take long mostly wait.
const AT_ONCE: usize = 4;

/// Runs the unit tests in this program, of which this is the chapter's page.
pub(super) fn run(folder: &Path, program: &Path, page: &str) -> Result<Units> {
    run_within(DEADLINES, folder, program, page)
}

fn run_within(
    deadlines: [Duration; 2],
    folder: &Path,
    program: &Path,
    page: &str,
) -> Result<Units> {
    let mut units = Units {
        built: true,
        ..Units::default()
    };
    let [together, alone] = deadlines.map(|deadline| Judge {
        at_once: Some(AT_ONCE),
        ..judge_in(folder, deadline)
    });
    let mut verdict = together.verdict(program, None)?;
    if verdict.is_whole() {
        units.take(verdict);
        units.put_in_order(folder, page);
        return Ok(units);
    }
    // One that hangs, or takes the program down, keeps others from being begun, and
    // libtest doesn't come to say why others have failed: each gets its own turn.
    verdict
        .checks
        .retain(|check| check.report().is_none_or(|why| !why.is_empty()));
    let open = without_verdict(program, &verdict);
    units.take(verdict);
    let verdicts = each(&open, 8, |name| -> Result<(Verdict, bool)> {
        let verdict = alone.verdict(program, Some(name))?;
        let waits = !verdict.ended && meets_a_gap(folder, program, name);
        Ok((verdict, waits))
    });
    for (name, verdict) in open.into_iter().zip(verdicts) {
        match verdict? {
            (verdict, _) if verdict.is_whole() => units.take(verdict),
            (verdict, _) if verdict.ended => {
                units
                    .failing
                    .push((name, verdict.why_broken_off().to_owned()));
            }
            (_, true) => units.waiting.push(name),
            _ => units.hanging.push(name),
        }
    }
    units.put_in_order(folder, page);
    Ok(units)
}

/// Whether a unit test that comes to no end has met a `todo!`, in a thread for which
/// it waits. Libtest keeps what a test prints until its end, unless it's told not to.
fn meets_a_gap(folder: &Path, program: &Path, name: &str) -> bool {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(["--nocapture", "--exact", name]);
    let said = run_program(&mut command, Duration::from_secs(1), false);
    said.is_ok_and(|said| said.output.contains(NOT_YET))
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
             #[test] fn g() {{ std::thread::spawn(|| todo!()); {hangs} }} \
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
            run_within(deadlines, scratch.path(), &program, "").expect("they run");
        assert_eq!(units.hanging, ["a", "b"]);
        assert_eq!(
            (&*units.passing, &*units.waiting),
            (&["c".into()][..], &["d".into(), "g".into()][..])
        );
        let why = |at: usize| &*units.failing[at].1;
        assert!(why(0).starts_with("assertion failed: 1 > 2\n"));
        assert!(why(1).contains("overflowed its stack"), "{}", why(1));
    }

    #[test]
    fn what_the_page_lists_first_comes_first() {
        let page = "<span class=\"file\">src/zoo.rs <b>new</b></span>\n\
                    <span class=\"file\">src/ant/bee.rs <b>new</b></span>\n\
                    <span class=\"file\">src/zoo.rs <b>changed</b></span>\n";
        let mut units = Units {
            hanging: [
                "main",
                "zoo::tests::a",
                "old::tests::a",
                "ant::bee::tests::b",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..Units::default()
        };
        units.put_in_order(Path::new("nowhere"), page);
        assert_eq!(
            units.hanging,
            [
                "ant::bee::tests::b",
                "zoo::tests::a",
                "main",
                "old::tests::a"
            ]
        );
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
