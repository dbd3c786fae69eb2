//! `cargo course check`: one milestone, without cargo's noise, and after it the unit
//! tests.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::cargo::{self, Built};
use crate::layout::{Chapter, Course, Fingerprint, cannot, files, write};
use crate::milestone::{Check, Finding, Judge, Verdict, run_in};
use crate::process::Stderr;
use crate::screen::{Style, count, note};
use crate::starters;

/// A milestone takes a second or two; its own waits all end long before this.
const DEADLINE: Duration = Duration::from_secs(60);

/// When to say that a build is under way.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far a learner's chapter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All checks pass, and all unit tests.
    Passed {
        /// How many checks there are.
        checks: usize,
    },
    /// All checks pass, and some unit tests do not.
    Units {
        /// How many unit tests fail.
        failing: usize,
    },
    /// All checks pass, and the unit tests do not build.
    UnitsNotBuilding,
    /// Some checks do not.
    Failing {
        /// How many pass.
        passed: usize,
        /// How many there are.
        checks: usize,
    },
    /// It does not build yet.
    NotBuilding,
}

impl Standing {
    fn of(judged: Option<&Judged>) -> Standing {
        let Some(Judged { verdict, units }) = judged else {
            return Standing::NotBuilding;
        };
        let checks = verdict.checks.len();
        match units {
            _ if !verdict.all_passed() => Standing::Failing {
                passed: verdict.passed(),
                checks,
            },
            Units::Failing(names) => Standing::Units {
                failing: names.len(),
            },
            Units::NotBuilding => Standing::UnitsNotBuilding,
            Units::InOrder(_) => Standing::Passed { checks },
        }
    }

    fn parse(text: &str) -> Option<Standing> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["passed", checks] => Some(Standing::Passed {
                checks: checks.parse().ok()?,
            }),
            ["units", failing] => Some(Standing::Units {
                failing: failing.parse().ok()?,
            }),
            ["units-not-building"] => Some(Standing::UnitsNotBuilding),
            ["failing", passed, checks] => Some(Standing::Failing {
                passed: passed.parse().ok()?,
                checks: checks.parse().ok()?,
            }),
            ["not-building"] => Some(Standing::NotBuilding),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Standing::Passed { checks } => format!("passed {checks}"),
            Standing::Units { failing } => format!("units {failing}"),
            Standing::UnitsNotBuilding => "units-not-building".into(),
            Standing::Failing { passed, checks } => {
                format!("failing {passed} {checks}")
            }
            Standing::NotBuilding => "not-building".into(),
        }
    }
}

/// What was found out about a chapter.
pub struct Judged {
    /// What its milestone says.
    pub verdict: Verdict,
    /// What its unit tests say. They are asked where the milestone has nothing
    /// against it.
    pub units: Units,
}

impl Judged {
    /// Whether the chapter is passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict.all_passed() && matches!(self.units, Units::InOrder(_))
    }
}

/// What a chapter's unit tests say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Units {
    /// None fails: so many pass, which may be none, or they were not asked.
    InOrder(usize),
    /// These fail.
    Failing(Vec<String>),
    /// They do not build.
    NotBuilding,
}

/// Builds a chapter, runs its milestone and, if that is green, its unit tests.
/// Nothing comes back if it does not build; the compiler has told why, if it was
/// `shown`. What comes out is remembered for [`standing`].
///
/// # Errors
/// A sentence, if cargo or the milestone cannot be run.
pub fn judge(
    course: &Course,
    chapter: Chapter,
    shown: bool,
) -> Result<Option<Judged>, String> {
    let key = key(course, chapter)?;
    let say = || {
        note(&format!(
            "building chapter {chapter} and what its checks need; the first time takes a minute or two"
        ));
    };
    let built = build(
        course,
        chapter,
        &["--test", "milestone"],
        shown,
        Some((PATIENCE, &say)),
    )?;
    let folder = course.starter(chapter);
    let judged = match built.program(&folder, "milestone") {
        Some(milestone) if built.well => {
            let verdict = run(course, &folder, milestone)?;
            let units = if verdict.all_passed() {
                units(course, chapter, shown)?
            } else {
                Units::InOrder(0)
            };
            Some(Judged { verdict, units })
        }
        _ => None,
    };
    remember(course, chapter, &key, &Standing::of(judged.as_ref()));
    Ok(judged)
}

fn build(
    course: &Course,
    chapter: Chapter,
    target: &[&str],
    shown: bool,
    when_slow: Option<(Duration, &dyn Fn())>,
) -> Result<Built, String> {
    let mut cargo = cargo::command(course);
    cargo.args([
        "test",
        "--quiet",
        "--no-run",
        "--package",
        &chapter.package(),
    ]);
    cargo.args(target);
    cargo.arg("--message-format=json-render-diagnostics");
    let stderr = if shown {
        Stderr::Shown
    } else {
        Stderr::Dropped
    };
    cargo::build(course, &mut cargo, stderr, when_slow)
}

/// Builds and runs a chapter's unit tests, if it has some.
fn units(course: &Course, chapter: Chapter, shown: bool) -> Result<Units, String> {
    let folder = course.starter(chapter);
    let has_some = files(&folder)?
        .iter()
        .any(|(_, contents)| String::from_utf8_lossy(contents).contains("#[test]"));
    if !has_some {
        return Ok(Units::InOrder(0));
    }
    let built = build(course, chapter, &["--bins"], shown, None)?;
    if !built.well {
        return Ok(Units::NotBuilding);
    }
    let mut failing = Vec::new();
    let mut passing = 0;
    for program in built.programs_of(&folder) {
        let verdict = run(course, &folder, program)?;
        passing += verdict.passed();
        let failed = |check: &Check| matches!(check.finding, Finding::Failed(_));
        let names = verdict.checks.into_iter().filter(failed);
        failing.extend(names.map(|check| check.name));
    }
    Ok(match failing.as_slice() {
        [] => Units::InOrder(passing),
        _ => Units::Failing(failing),
    })
}

fn run(course: &Course, folder: &Path, milestone: &Path) -> Result<Verdict, String> {
    let judge = |check| {
        Judge {
            milestone,
            folder,
            program: None,
            check,
            run: run_in(course.scratch(), DEADLINE, false),
        }
        .verdict()
    };
    let verdict = judge(None)?;
    if !verdict.ended {
        return Err(format!(
            "{}\nThe tests came to no end in {} seconds and were stopped.{}",
            verdict.output.trim_end(),
            DEADLINE.as_secs(),
            silent(&without_verdict(course, milestone, &verdict))
        ));
    }
    // Libtest's last line: a test that takes the whole program down keeps it from
    // being written.
    if !verdict.output.contains("\ntest result: ") {
        // Several were under way; one of them is to blame.
        let mut tests = without_verdict(course, milestone, &verdict);
        let to_blame: Vec<String> = (tests.iter())
            .filter(|test| {
                let alone = judge(Some(test.as_str()));
                alone.is_ok_and(|alone| !alone.output.contains("\ntest result: "))
            })
            .cloned()
            .collect();
        if !to_blame.is_empty() {
            tests = to_blame;
        }
        return Err(format!(
            "{}\nThe tests ended without a verdict, as if by process::exit().{}",
            verdict.output.trim_end(),
            silent(&tests)
        ));
    }
    Ok(verdict)
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
/// judged anew.
///
/// # Errors
/// A sentence, if cargo or the milestone cannot be run.
pub fn standing(course: &Course, chapter: Chapter) -> Result<Standing, String> {
    let key = key(course, chapter)?;
    if let Some(standing) = remembered(course, chapter, &key) {
        return Ok(standing);
    }
    judge(course, chapter, false).map(|judged| Standing::of(judged.as_ref()))
}

/// What a verdict depends on: the chapter, its milestone, and the library of the
/// milestones.
fn key(course: &Course, chapter: Chapter) -> Result<String, String> {
    let mut print = Fingerprint::of(&files(&course.starter(chapter))?);
    let milestone = course.milestone(chapter);
    print.add(&fs::read(&milestone).map_err(|e| cannot("read", &milestone, &e))?);
    print.add(
        Fingerprint::of(&files(&course.root().join("tests/harness/src"))?)
            .to_string()
            .as_bytes(),
    );
    Ok(print.to_string())
}

fn remembered(course: &Course, chapter: Chapter, key: &str) -> Option<Standing> {
    let text =
        fs::read_to_string(course.scratch().join("verdicts").join(chapter.name()))
            .ok()?;
    let (old_key, standing) = text.split_once(' ')?;
    if old_key == key {
        Standing::parse(standing)
    } else {
        None
    }
}

fn remember(course: &Course, chapter: Chapter, key: &str, standing: &Standing) {
    let path = course.scratch().join("verdicts").join(chapter.name());
    // If it cannot be kept, the next look at the map takes a second longer.
    let _ = write(&path, format!("{key} {}\n", standing.text()).as_bytes());
}

/// Reads the chapter that a person asked for.
///
/// # Errors
/// A sentence that says which there are.
pub fn chapter_called(course: &Course, text: &str) -> Result<Chapter, String> {
    if let Some(chapter) = Chapter::from_name(text) {
        return chapter_called(course, &chapter.to_string());
    }
    let digits = text.strip_prefix("chapter").unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "`{text}` is not the number of a chapter: write it in digits, for example 1"
        ));
    }
    let there = course.chapters();
    let found = digits.parse().ok().map(Chapter);
    match found {
        Some(chapter) if there.contains(&chapter) => Ok(chapter),
        Some(chapter) if chapter.0 > 0 && chapter <= Chapter::last_planned() => {
            Err(format!(
                "chapter {chapter}, {}, is not written yet: {}",
                course.title(chapter),
                span(&there)
            ))
        }
        _ => Err(format!("there is no chapter {digits}: {}", span(&there))),
    }
}

fn span(there: &[Chapter]) -> String {
    match there {
        [] => "no chapter was found in chapters/".into(),
        [only] => format!("there is chapter {only} only"),
        [first, .., last] => format!("there are chapters {first} to {last}"),
    }
}

/// The chapter to check when a person names none, and the line that says why this
/// one.
///
/// # Errors
/// A sentence, if there is no chapter, or a file cannot be read.
pub fn chapter_at_hand(course: &Course) -> Result<(Chapter, String), String> {
    if let Some((chapter, path, when)) = starters::current(course)? {
        let reason = format!("edited last: {path}, {}", ago(when));
        return Ok((chapter, reason));
    }
    let first = course
        .chapters()
        .first()
        .copied()
        .ok_or("no chapter was found in chapters/")?;
    Ok((first, "no chapter has been edited yet, so the first".into()))
}

fn ago(when: SystemTime) -> String {
    let seconds = when.elapsed().unwrap_or_default().as_secs();
    let (number, unit) = match seconds {
        0..60 => return "just now".into(),
        60..3600 => (seconds / 60, "minute"),
        3600..86400 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!(
        "{} ago",
        count(usize::try_from(number).unwrap_or(usize::MAX), unit)
    )
}

/// The verdict for people: a line for each check, then the first failure in full.
#[must_use]
pub fn shown(
    course: &Course,
    chapter: Chapter,
    judged: &Judged,
    style: Style,
) -> String {
    let Judged { verdict, units } = judged;
    let mut text = String::new();
    for check in &verdict.checks {
        text.push_str(&line(check, &verdict.checks, style));
    }
    let all = verdict.checks.len();
    if let Some(failure) = verdict.first_failure() {
        let title = failure.title();
        text.push_str(&format!(
            "\n{}\n\n{}\n",
            style.strong(&title),
            failure.report().unwrap_or_default()
        ));
        text.push_str(&format!(
            "\n{} of {} {}. Mend {}, then run `cargo course check {}` again.\n",
            verdict.passed(),
            count(all, "check"),
            if verdict.passed() == 1 {
                "passes"
            } else {
                "pass"
            },
            number(&title),
            chapter.0
        ));
    } else if verdict.all_passed() && !judged.passed() {
        text.push_str(&units_shown(chapter, units, style));
    } else if verdict.all_passed() {
        let units = match units {
            Units::InOrder(asked @ 1..) => {
                format!(" and {}", count(*asked, "unit test"))
            }
            _ => String::new(),
        };
        text.push_str(&format!(
            "\n{}\n",
            style.good(&format!(
                "Chapter {chapter}, {}, is passed: {}{units}.",
                course.title(chapter),
                match verdict.passed() {
                    passed if passed == all => count(all, "check"),
                    passed => format!(
                        "{passed} of {}, {} passed over",
                        count(all, "check"),
                        all - passed
                    ),
                }
            ))
        ));
        text.push_str(&after(course, chapter));
    } else {
        text.push_str(&format!("\n{}\n", verdict.output.trim_end()));
    }
    text
}

/// Why a chapter with a green milestone is not passed.
fn units_shown(chapter: Chapter, units: &Units, style: Style) -> String {
    let name = chapter.package();
    let mut text = "\nAll checks pass. The chapter is not passed yet:\n".to_owned();
    let mut say = |what: String, command: String| {
        text.push_str(&format!("{}: {command}\n", style.bad(&what)));
    };
    match units {
        Units::InOrder(_) => {}
        Units::Failing(failing) => {
            for test in failing {
                let short = test.rsplit("::").next().unwrap_or(test);
                say(
                    format!("unit test {test} fails"),
                    format!("cargo test -p {name} --bins {short}"),
                );
            }
        }
        Units::NotBuilding => say(
            "the unit tests do not build".into(),
            format!("cargo test -p {name} --bins"),
        ),
    }
    text
}

fn line(check: &Check, all: &[Check], style: Style) -> String {
    let title = check.title();
    match &check.finding {
        Finding::Passed => format!("  {}  {title}\n", style.good("passes")),
        Finding::PassedOver(why) => {
            format!("  {}  {title}  ({why})\n", style.faint("passed over"))
        }
        Finding::Failed(_) => format!("  {}   {title}\n", style.bad("fails")),
        Finding::Waiting(why) => {
            let ground = all.iter().find(|other| why.contains(&other.name));
            let first = ground
                .map(|ground| format!("  (mend {} first)", number(&ground.title())));
            format!(
                "  {}   {title}{}\n",
                style.faint("waits"),
                first.unwrap_or_default()
            )
        }
    }
}

fn number(title: &str) -> &str {
    title.split(' ').next().unwrap_or(title)
}

/// What is left to do when all checks pass.
fn after(course: &Course, chapter: Chapter) -> String {
    let mut text = String::new();
    if let Some(place) = attribute(course, chapter) {
        text.push_str(&format!(
            "No gap is left: delete the attribute at {place}, which hides warnings.\n"
        ));
    }
    let page = course.page(chapter);
    let shown = course.shown(&page);
    let rest = fs::read_to_string(page).ok().and_then(|page| rest(&page));
    if let Some(section) = rest {
        text.push_str(&format!("Read on at {shown}#{section}\n"));
    }
    if course.solution(chapter).is_dir() {
        text.push_str(&format!("Compare: cargo course diff {}\n", chapter.0));
    }
    text.push_str(&next(course, chapter));
    text
}

/// The section of a page from which on it speaks of a program that passes: `Use it`,
/// or what comes after `Your turn` where the page doesn't go on explaining there, up
/// to a section named `Check`.
fn rest(page: &str) -> Option<String> {
    let headings: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let at = |heading: &str| headings.iter().position(|other| *other == heading);
    let section = if at("Use it").is_some() {
        at("Use it")
    } else if at("Check").is_some() {
        at("What can still go wrong")
    } else {
        at("Your turn")
            .map(|turn| turn + 1)
            .or_else(|| at("What can still go wrong"))
    };
    headings.get(section?).map(|heading| anchor(heading))
}

/// A heading's id, as mdBook makes it: what stands in braces, or else its words.
fn anchor(heading: &str) -> String {
    if let Some((_, id)) = heading.split_once("{#") {
        return id.trim_end_matches('}').to_owned();
    }
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let words: String = heading.chars().filter(kept).collect();
    words.to_lowercase().replace(' ', "-")
}

/// Where the attribute still stands that keeps a starter with gaps quiet, as
/// `path:line`.
fn attribute(course: &Course, chapter: Chapter) -> Option<String> {
    for (path, contents) in files(&course.starter(chapter)).ok()? {
        let text = String::from_utf8_lossy(&contents);
        let Some((before, _)) = text.split_once("\"there are gaps;") else {
            continue;
        };
        let begin = before.rfind("#![").unwrap_or(before.len());
        let line = before[..begin].lines().count() + 1;
        return Some(format!("chapters/{}/{path}:{line}", chapter.name()));
    }
    None
}

fn next(course: &Course, chapter: Chapter) -> String {
    let next = course.chapters().into_iter().find(|&other| other > chapter);
    match next {
        Some(next) => format!(
            "Next is chapter {next}, {}: read {}.\n",
            course.title(next),
            course.shown(&course.page(next))
        ),
        None => "It is the last one there is so far.\n".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_the_program_is_used() {
        let page = "# 01 A\n\n## Use it\n\n## What can still go wrong\n";
        assert_eq!(rest(page).as_deref(), Some("use-it"));
        let page = page.replace("## Use it", "## Use it or not");
        assert_eq!(rest(&page).as_deref(), Some("what-can-still-go-wrong"));
        assert_eq!(rest("# 01 A\n"), None);
    }

    #[test]
    fn a_page_that_never_uses_it_goes_on_after_the_work() {
        let page = "## Your turn\n\n## N at once, never more\n\n## What can still go wrong\n";
        assert_eq!(rest(page).as_deref(), Some("n-at-once-never-more"));
        let page = page.replace("never more", "never more {#more}");
        assert_eq!(rest(&page).as_deref(), Some("more"));
        let page = format!("{page}## Check\n");
        assert_eq!(rest(&page).as_deref(), Some("what-can-still-go-wrong"));
    }

    #[test]
    fn a_standing_is_remembered_as_it_was() {
        for standing in [
            Standing::Passed { checks: 6 },
            Standing::Units { failing: 2 },
            Standing::UnitsNotBuilding,
            Standing::Failing {
                passed: 2,
                checks: 6,
            },
            Standing::NotBuilding,
        ] {
            assert_eq!(Standing::parse(&standing.text()), Some(standing));
        }
        assert_eq!(Standing::parse("gibberish"), None);
        assert_eq!(Standing::parse(""), None);
    }
}
