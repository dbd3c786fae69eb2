//! `cargo course check`: one milestone, without cargo's noise, and the unit tests of
//! the gaps that are filled.

mod shown;
mod standing;
mod units;

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::cargo::{self, Built, Told};
use crate::layout::{Chapter, Course, files};
use crate::milestone::{Finding, Judge, Verdict, run_in};
use crate::starters::{State, state};

pub use shown::shown;
pub use standing::Standing;
pub use units::Units;

use standing::{Memory, key, remember};

/// A milestone takes a second or two; its own waits all end long before this.
const DEADLINE: Duration = Duration::from_secs(60);

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
        let holds = |finding: &Finding| *finding == Finding::Passed;
        let checks = self.verdict.checks.iter();
        let checks = checks.filter(|check| holds(&check.finding));
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
                && state(course, chapter)? == State::Edited
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
    remember(course, chapter, &key, &standing, &green);
    Ok(judged)
}

fn build_and_run(
    course: &Course,
    chapter: Chapter,
    shown: bool,
) -> Result<Option<Judged>> {
    let sentence = format!(
        "building chapter {chapter} and what its checks need; the first time takes a minute or two"
    );
    let told = if shown {
        Told::All(&sentence)
    } else {
        Told::Nothing
    };
    let folder = course.starter(chapter);
    let with_units = has_unit_tests(&folder)?;
    let mut targets = vec!["--test", "milestone"];
    if with_units {
        targets.push("--bins");
    }
    let mut built = build(course, chapter, &targets, told)?;
    let units_built = built.well;
    if !built.well && with_units {
        // The program may be in order where its unit tests are not.
        built = build(course, chapter, &targets[..2], Told::Nothing)?;
    }
    let Some(milestone) = built.program(&folder, "milestone").filter(|_| built.well)
    else {
        return Ok(None);
    };
    // A verdict should come while the change is still in mind: both at once.
    let (verdict, units) = thread::scope(|scope| {
        let units = scope.spawn(|| match units_built {
            true => units::run(course, &folder, built.unit_tests(&folder)),
            false => Ok(Units::default()),
        });
        let verdict = run(course, &folder, milestone);
        (verdict, units.join())
    });
    let (verdict, units) = (
        verdict?,
        units.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
    );
    Ok(Some(Judged {
        verdict,
        units,
        turned_green: Vec::new(),
    }))
}

fn build(
    course: &Course,
    chapter: Chapter,
    targets: &[&str],
    told: Told<'_>,
) -> Result<Built> {
    let mut cargo = cargo::command(course);
    cargo.args(["test", "--no-run", "--package", &chapter.package()]);
    cargo::build(course, cargo.args(targets), told)
}

fn has_unit_tests(folder: &Path) -> Result<bool> {
    let has =
        |contents: &Vec<u8>| String::from_utf8_lossy(contents).contains("#[test]");
    Ok(files(folder)?.values().any(has))
}

fn run(course: &Course, folder: &Path, milestone: &Path) -> Result<Verdict> {
    let verdict = Judge::new(course, folder, DEADLINE).verdict(milestone, None)?;
    if !verdict.ended {
        return Err(format!(
            "{}\nThe checks came to no end in {} seconds and were stopped.{}",
            verdict.output.trim_end(),
            DEADLINE.as_secs(),
            silent(&without_verdict(course, milestone, &verdict))
        ));
    }
    end_of(course, folder, milestone, &verdict)?;
    Ok(verdict)
}

/// Whether tests have run to the last line of libtest: one that takes the whole
/// program down keeps it from being written.
fn end_of(
    course: &Course,
    folder: &Path,
    program: &Path,
    verdict: &Verdict,
) -> Result<()> {
    let to_the_end = |verdict: &Verdict| verdict.output.contains("\ntest result: ");
    if to_the_end(verdict) {
        return Ok(());
    }
    // Several were under way; one of them is to blame.
    let mut tests = without_verdict(course, program, verdict);
    let is_to_blame = |test: &&String| {
        let alone = Judge::new(course, folder, DEADLINE).verdict(program, Some(test));
        alone.is_ok_and(|alone| !to_the_end(&alone))
    };
    let to_blame: Vec<String> = tests.iter().filter(is_to_blame).cloned().collect();
    if !to_blame.is_empty() {
        tests = to_blame;
    }
    Err(format!(
        "{}\nThe tests ended without a verdict, as if by process::exit().{}",
        verdict.output.trim_end(),
        silent(&tests)
    ))
}

/// The tests that have not come to their end.
fn without_verdict(
    course: &Course,
    milestone: &Path,
    verdict: &Verdict,
) -> Vec<String> {
    let list = run_in(course.scratch(), DEADLINE, false)
        .run(Command::new(milestone).arg("--list"));
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
    if let Some(memory) = Memory::of(course, chapter)
        && memory.holds(&key)
    {
        return Ok(memory.standing);
    }
    judge(course, chapter, false).map(|judged| Standing::of(judged.as_ref()))
}
