//! `cargo course check`: one milestone, without cargo's noise, and the unit tests of
//! the gaps that are filled.

mod shown;
mod standing;
mod units;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::cargo;
use crate::layout::{Chapter, Course, files};
use crate::milestone::{Check, Finding, Judge, Verdict};
use crate::process::{each, run};
use crate::screen::Style;
use crate::starters::is_edited;

pub use shown::shown;
pub use standing::Standing;
pub use units::Units;

use standing::{Memory, key};

/// A milestone takes a second or two; its own waits all end long before this.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a check may take that has failed, and is made once more for its report.
const AGAIN: Duration = Duration::from_secs(20);

/// What was found out about a chapter.
pub struct Judged {
    pub verdict: Verdict,
    pub units: Units,
    /// The checks and unit tests that are green now and were not when the chapter was
    /// judged before, if it was.
    pub turned_green: Vec<String>,
}

impl Judged {
    /// Whether the chapter is passed.
    pub fn passed(&self) -> bool {
        self.verdict.all_passed() && self.units.built && self.units.open() == 0
    }

    /// All that is green, by its name for people.
    fn green(&self) -> Vec<String> {
        let checks = self.verdict.checks.iter();
        let checks = checks.filter(|check| check.finding == Finding::Passed);
        let checks = checks.map(|check| check.title());
        checks.chain(self.units.passing.iter().cloned()).collect()
    }
}

/// Builds a chapter, runs its milestone and its unit tests. Nothing comes back if it
/// does not build; the compiler has told why, if it was `shown`. What comes out is
/// remembered for [`standing`].
pub fn judge(
    course: &Course,
    chapter: Chapter,
    shown: bool,
) -> Result<Option<Judged>> {
    let key = key(course, chapter)?;
    let mut judged = build_and_run(course, chapter, shown)?;
    let before = Memory::of(course, chapter).map(|memory| memory.green);
    let green = match &mut judged {
        Some(judged) => {
            let green = judged.green();
            // A starter as it was handed out is nobody's progress.
            if let Some(before) = before
                && is_edited(course, chapter)?
            {
                judged.turned_green = green.clone();
                judged.turned_green.retain(|name| !before.contains(name));
            }
            green
        }
        // What does not build for a moment is no step back.
        None => before.unwrap_or_default(),
    };
    let standing = Standing::of(judged.as_ref());
    Memory {
        key,
        standing,
        green,
    }
    .keep(course, chapter);
    Ok(judged)
}

fn build_and_run(
    course: &Course,
    chapter: Chapter,
    shown: bool,
) -> Result<Option<Judged>> {
    let mut sentence = format!("building chapter {chapter} and what its checks need");
    if Memory::of(course, chapter).is_none() {
        sentence += "; the first time takes a minute or two";
    }
    let folder = course.starter(chapter);
    let build = |targets: &[&str], told| {
        let command =
            [&["test", "--no-run", "--test", "milestone"], targets].concat();
        cargo::build(course, &command, &[chapter.package()], told)
    };
    let has_unit_tests = files(&folder)?
        .values()
        .any(|contents| String::from_utf8_lossy(contents).contains("#[test]"));
    let targets: &[&str] = if has_unit_tests { &["--bins"] } else { &[] };
    let mut built = build(targets, shown.then_some(&sentence))?;
    let units_built = built.well;
    if !built.well && has_unit_tests {
        // The program may be in order where its unit tests are not.
        built = build(&[], None)?;
    }
    if !built.well {
        return Ok(None);
    }
    let milestone = built.program(&course.milestone(chapter), true);
    let milestone = milestone.ok_or("cargo does not say where the milestone is")?;
    // A verdict should come while the change is still in mind: both at once.
    let unit_tests = built.program(&folder.join("src/main.rs"), true);
    let (verdict, units) = thread::scope(|scope| {
        let units = scope.spawn(|| match unit_tests {
            Some(unit_tests) => {
                let page = fs::read_to_string(course.page(chapter));
                units::run(&folder, unit_tests, &page.unwrap_or_default())
            }
            None => Ok(Units {
                built: units_built,
                ..Units::default()
            }),
        });
        let verdict = run_milestone(&folder, milestone);
        let units = units.join();
        (
            verdict,
            units.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    });
    let units = units?;
    // Where the checks come to no end, a unit test may know why.
    let verdict = verdict.map_err(|why| {
        why + "\n" + &shown::units_in_full(chapter, &units, Style::plain())
    })?;
    Ok(Some(Judged {
        verdict,
        units,
        turned_green: Vec::new(),
    }))
}

/// A judge who lets Ctrl-C through.
fn judge_in(folder: &Path, deadline: Duration) -> Judge<'_> {
    Judge {
        folder,
        deadline,
        program: None,
        with_children: false,
    }
}

fn run_milestone(folder: &Path, milestone: &Path) -> Result<Verdict> {
    let verdict = judge_in(folder, DEADLINE).verdict(milestone, None)?;
    if !verdict.ended {
        return Ok(as_far_as_it_came(folder, milestone, verdict));
    }
    end_of(folder, milestone, &verdict)?;
    Ok(verdict)
}

/// The verdict of checks that were stopped at their deadline. Libtest prints reports
/// when all checks have ended: those that have failed are made once more, for theirs.
fn as_far_as_it_came(folder: &Path, milestone: &Path, stopped: Verdict) -> Verdict {
    let seconds = DEADLINE.as_secs();
    let never = without_verdict(milestone, &stopped);
    let lost = |name: &str, why: String| Check {
        name: name.to_owned(),
        finding: Finding::Failed(why),
    };
    let again = each(&stopped.checks, 4, |check| {
        if check.report().is_none() {
            return check.clone();
        }
        let alone = judge_in(folder, AGAIN).verdict(milestone, Some(&check.name));
        let mut alone = alone.map_or_else(|_| Vec::new(), |alone| alone.checks);
        match alone.pop() {
            Some(alone) if alone.finding != Finding::Passed => alone,
            _ => lost(
                &check.name,
                format!(
                    "It failed when all checks were made, which took more than \
                     {seconds} seconds,\nand not when it was made once more."
                ),
            ),
        }
    });
    let never = never.iter().map(|name| {
        let why = format!(
            "It was under way, or hadn't begun, when {seconds} seconds had passed: the \
             checks\nwere stopped. Is the machine very busy?"
        );
        lost(name, why)
    });
    let mut checks: Vec<Check> = again.into_iter().chain(never).collect();
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    Verdict { checks, ..stopped }
}

/// An error if the checks haven't come to their end: one of them has taken the whole
/// program down.
fn end_of(folder: &Path, program: &Path, verdict: &Verdict) -> Result<()> {
    if verdict.is_whole() {
        return Ok(());
    }
    // Several were under way; one of them is to blame.
    let mut tests = without_verdict(program, verdict);
    let is_to_blame = |test: &&String| {
        let alone = judge_in(folder, DEADLINE).verdict(program, Some(test));
        alone.is_ok_and(|alone| !alone.is_whole())
    };
    let to_blame: Vec<String> = tests.iter().filter(is_to_blame).cloned().collect();
    if !to_blame.is_empty() {
        tests = to_blame;
    }
    Err(format!(
        "{}\n{}{}",
        verdict.output.trim_end(),
        verdict.why_broken_off(),
        silent(&tests)
    ))
}

/// The tests that have not come to their end.
fn without_verdict(program: &Path, verdict: &Verdict) -> Vec<String> {
    let list = run(Command::new(program).arg("--list"), DEADLINE, false);
    let list = list.map_or(String::new(), |list| list.output);
    let all = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let told = |name: &&str| verdict.checks.iter().any(|check| check.name == *name);
    all.filter(|name| !told(name)).map(str::to_owned).collect()
}

fn silent(tests: &[String]) -> String {
    match tests {
        [] => String::new(),
        tests => format!("\nThese did not come to their end: {}", tests.join(", ")),
    }
}

/// How far an edited chapter is: as remembered, if nothing has changed since, else
/// judged again.
pub fn standing(course: &Course, chapter: Chapter) -> Result<Standing> {
    let key = key(course, chapter)?;
    match Memory::of(course, chapter) {
        Some(memory) if memory.key == key => Ok(memory.standing),
        _ => Ok(Standing::of(judge(course, chapter, false)?.as_ref())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Scratch;

    #[test]
    fn checks_that_are_stopped_still_show_their_reports() {
        let scratch = Scratch::new("stopped").expect("a folder");
        let [source, program] =
            ["stopped.rs", "stopped"].map(|name| scratch.path().join(name));
        let tests = "#[test] fn check_01_fails() { assert!(1 > 2) } \
                     #[test] fn check_02_passes() {} \
                     #[test] fn check_03_hangs() { loop { std::thread::park() } }";
        fs::write(&source, tests).expect("a file");
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition", "2024", "--test", "-o"])
            .args([&program, &source]);
        assert!(rustc.status().expect("rustc runs").success());
        let judge = judge_in(scratch.path(), Duration::from_secs(1));
        let stopped = judge.verdict(&program, None).expect("it runs");
        assert!(!stopped.ended);
        let verdict = as_far_as_it_came(scratch.path(), &program, stopped);
        let [fails, passes, hangs] = verdict.checks.as_slice() else {
            panic!("{:?}", verdict.checks);
        };
        let says = |check: &Check, words: &str| {
            check.report().is_some_and(|report| report.contains(words))
        };
        assert!(says(fails, "assertion failed: 1 > 2"), "{fails:?}");
        assert_eq!(passes.finding, Finding::Passed);
        assert!(says(hangs, "the checks\nwere stopped"), "{hangs:?}");
    }
}
