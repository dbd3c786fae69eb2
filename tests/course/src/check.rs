//! `cargo course check`: one milestone, without cargo's noise.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::cargo;
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
    /// All checks pass.
    Passed {
        /// How many there are.
        checks: usize,
    },
    /// Some do not.
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
    fn of(verdict: Option<&Verdict>) -> Standing {
        match verdict {
            None => Standing::NotBuilding,
            Some(verdict) if verdict.all_passed() => Standing::Passed {
                checks: verdict.checks.len(),
            },
            Some(verdict) => Standing::Failing {
                passed: verdict.passed(),
                checks: verdict.checks.len(),
            },
        }
    }

    fn parse(text: &str) -> Option<Standing> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["passed", checks] => Some(Standing::Passed {
                checks: checks.parse().ok()?,
            }),
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
            Standing::Failing { passed, checks } => format!("failing {passed} {checks}"),
            Standing::NotBuilding => "not-building".into(),
        }
    }
}

/// Builds a chapter and runs its milestone. No verdict means that it does not build; the compiler
/// has told why, if it was `shown`. What comes out is remembered for [`standing`].
///
/// # Errors
/// A sentence, if cargo or the milestone cannot be run.
pub fn judge(course: &Course, chapter: Chapter, shown: bool) -> Result<Option<Verdict>, String> {
    let key = key(course, chapter)?;
    let say = || {
        note(&format!(
            "building chapter {chapter} and what its checks need; the first time takes a minute or two"
        ));
    };
    let mut cargo = cargo::command(course);
    cargo.args([
        "test",
        "--quiet",
        "--no-run",
        "--test",
        "milestone",
        "--package",
        &chapter.name(),
    ]);
    cargo.arg("--message-format=json-render-diagnostics");
    let stderr = if shown {
        Stderr::Shown
    } else {
        Stderr::Dropped
    };
    let built = cargo::build(course, &mut cargo, stderr, Some((PATIENCE, &say)))?;
    let folder = course.starter(chapter);
    let verdict = match built.program(&folder, "milestone") {
        Some(milestone) if built.well => Some(run(course, &folder, milestone)?),
        _ => None,
    };
    remember(course, chapter, &key, &Standing::of(verdict.as_ref()));
    Ok(verdict)
}

fn run(course: &Course, folder: &Path, milestone: &Path) -> Result<Verdict, String> {
    let judge = Judge {
        milestone,
        folder,
        program: None,
        check: None,
        run: run_in(course.scratch(), DEADLINE, false),
    };
    let verdict = judge.verdict()?;
    if !verdict.ended {
        return Err(format!(
            "{}\nThe milestone came to no end in {} seconds and was stopped.",
            verdict.output.trim_end(),
            DEADLINE.as_secs()
        ));
    }
    if verdict.checks.is_empty() {
        return Err(format!(
            "{}\nThe milestone ended without a verdict.",
            verdict.output.trim_end()
        ));
    }
    Ok(verdict)
}

/// How far an edited chapter is: as remembered, if nothing has changed since, else judged anew.
///
/// # Errors
/// A sentence, if cargo or the milestone cannot be run.
pub fn standing(course: &Course, chapter: Chapter) -> Result<Standing, String> {
    let key = key(course, chapter)?;
    if let Some(standing) = remembered(course, chapter, &key) {
        return Ok(standing);
    }
    judge(course, chapter, false).map(|verdict| Standing::of(verdict.as_ref()))
}

/// What a verdict depends on: the chapter, its milestone, and the library of the milestones.
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
    let text = fs::read_to_string(course.scratch().join("verdicts").join(chapter.name())).ok()?;
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
        Some(chapter) if chapter.0 > 0 && chapter <= Chapter::last_planned() => Err(format!(
            "chapter {chapter}, {}, is not written yet: {}",
            course.title(chapter),
            span(&there)
        )),
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

/// The chapter to check when a person names none, and the line that says why this one.
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
pub fn shown(course: &Course, chapter: Chapter, verdict: &Verdict, style: Style) -> String {
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
    } else if verdict.all_passed() {
        text.push_str(&format!(
            "\n{}\n",
            style.good(&format!(
                "Chapter {chapter}, {}, is passed: {}.",
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
            let first = ground.map(|ground| format!("  (mend {} first)", number(&ground.title())));
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
        text.push_str(&format!(
            "Compare: diff -r {} {}\n",
            course.shown(&course.starter(chapter)),
            course.shown(&course.solution(chapter))
        ));
    }
    text.push_str(&next(course, chapter));
    text
}

/// The section of a page from which on it speaks of a program that passes.
fn rest(page: &str) -> Option<&'static str> {
    [
        ("## Use it", "use-it"),
        ("## What can still go wrong", "what-can-still-go-wrong"),
    ]
    .into_iter()
    .find(|(heading, _)| page.lines().any(|line| line == *heading))
    .map(|(_, anchor)| anchor)
}

/// Where the attribute still stands that keeps a starter with gaps quiet, as `path:line`.
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
        assert_eq!(rest(page), Some("use-it"));
        let page = page.replace("## Use it", "## Use it or not");
        assert_eq!(rest(&page), Some("what-can-still-go-wrong"));
        assert_eq!(rest("# 01 A\n"), None);
    }

    #[test]
    fn a_standing_is_remembered_as_it_was() {
        for standing in [
            Standing::Passed { checks: 6 },
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
