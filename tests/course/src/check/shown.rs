//! A verdict in words.

use std::fs;

use super::{Judged, Units};
use crate::dev::book::heading_id;
use crate::gaps::{Gap, QUIET, gaps, numbered};
use crate::layout::{Chapter, Course, files};
use crate::milestone::{Check, Finding, Verdict};
use crate::screen::{Style, count, wrapped};

/// The verdict for people: a line for each check, what turned green, the first
/// failure in full, and what is next.
pub fn shown(
    course: &Course,
    chapter: Chapter,
    judged: &Judged,
    style: Style,
) -> String {
    let Judged { verdict, units, .. } = judged;
    let gaps = gaps(course, chapter);
    let mut text = String::new();
    for check in &verdict.checks {
        text.push_str(&line(check, &verdict.checks, style));
    }
    if !verdict.all_passed() && verdict.first_failure().is_none() {
        text += &format!("\n{}\n", verdict.output.trim_end());
        return text;
    }
    text.push_str(&units_shown(chapter, units, style));
    if !judged.turned_green.is_empty() {
        let heading = style.good("Turned green:");
        text += &format!("\n{heading}\n{}", some(&judged.turned_green));
    }
    if judged.passed() {
        text.push_str(&passed(course, chapter, judged, &gaps, style));
        return text;
    }
    text.push_str(&units_in_full(chapter, units, style));

    let failure = failure_to_show(verdict, &gaps);
    if let Some(failure) = failure {
        text += &format!(
            "\n{}\n\n{}\n",
            style.strong(&failure.title()),
            failure.report().unwrap_or_default()
        );
    }
    let sum = |passing, all, of: &str| {
        let verb = if passing == 1 { "passes" } else { "pass" };
        format!("{passing} of {} {verb}", count(all, of))
    };
    let checks = sum(verdict.passed(), verdict.checks.len(), "check");
    text += &format!("\n{checks}");
    if units.all() > 0 {
        let units = sum(units.passing.len(), units.all(), "unit test");
        text += &format!(", and {units}");
    }
    let next = next_step(units, failure, &gaps);
    let again = format!("cargo course check {}", chapter.0);
    text + &format!(".\nNext: {next},\nthen run `{again}` again.\n")
}

/// The failure to show in full: the first one, but none that leads to a later gap
/// than the one that is next on the page.
fn failure_to_show<'a>(verdict: &'a Verdict, gaps: &[Gap]) -> Option<&'a Check> {
    let next = gaps.first().and_then(|gap| gap.number);
    let too_early = |check: &&Check| {
        let number = check.report().and_then(gap_named);
        matches!((number, next), (Some(number), Some((next, _))) if number > next)
    };
    let mut failures = verdict
        .checks
        .iter()
        .filter(|check| check.report().is_some());
    failures.find(|check| !too_early(check))
}

/// The number of the gap that a report leads to.
fn gap_named(report: &str) -> Option<u8> {
    let message = report.trim_start().strip_prefix(UNWRITTEN)?;
    Some(numbered(message).0?.0)
}

/// How the report of a check begins that has met a gap.
const UNWRITTEN: &str = "Still to be written: ";

fn next_step(units: &Units, failure: Option<&Check>, gaps: &[Gap]) -> String {
    let unwritten = |report: &str| report.trim_start().starts_with(UNWRITTEN);
    let waits_for_a_gap = failure.and_then(Check::report).is_some_and(unwritten);
    // Where nothing comes, a thread may have met a gap.
    if !units.failing.is_empty() || !units.hanging.is_empty() && !waits_for_a_gap {
        return "fix the unit test above".into();
    }
    if let Some(failure) = failure
        && !waits_for_a_gap
    {
        return format!("fix {}", number(&failure.title()));
    }
    match gaps.first() {
        Some(gap) => {
            let step = format!("write {} ({})", gap.name(), gap.place);
            match failure {
                Some(_) => step,
                None => format!("{step}:\n{}", wrapped(&gap.text, "  ", "  ", 80)),
            }
        }
        None if !units.built => "make the unit tests build".into(),
        None => "fix what fails".into(),
    }
}

/// A line on the unit tests, where there are some.
fn units_shown(chapter: Chapter, units: &Units, style: Style) -> String {
    if !units.built {
        return format!(
            "\n  {}: cargo test -p {} --bins\n",
            style.bad("the unit tests do not build"),
            chapter.package()
        );
    }
    let parts = [
        (units.passing.len(), "pass"),
        (units.failing.len(), "fail"),
        (units.hanging.len(), "never end"),
        (units.waiting.len(), "wait for a gap"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    match parts.as_slice() {
        [] => String::new(),
        parts => format!("\n  unit tests: {}\n", parts.join(", ")),
    }
}

/// What the unit tests say that fail: the first in full.
pub(super) fn units_in_full(chapter: Chapter, units: &Units, style: Style) -> String {
    let failing = units.failing.iter().map(|(name, message)| {
        // What has a margin of its own, such as `left: …`, stays as it is.
        let lines: String = message
            .lines()
            .map(|line| match line.starts_with(' ') {
                true => format!("  {line}\n"),
                false => wrapped(line, "  ", "  ", 80) + "\n",
            })
            .collect();
        (name, "fails", lines)
    });
    let hanging = units.hanging.iter().map(|name| {
        let why = "  It was stopped after 10 seconds. Something in it waits for what \
                   never comes,\n  or the machine is very busy.\n";
        (name, "comes to no end", why.to_owned())
    });
    let mut bad = failing.chain(hanging);
    let Some((name, what, words)) = bad.next() else {
        return String::new();
    };
    let title = style.strong(&format!("unit test {name} {what}"));
    let short = name.rsplit("::").next().unwrap_or(name);
    let by_hand = format!("cargo test -p {} --bins {short}", chapter.package());
    let mut text = format!("\n{title}\n\n{words}\n  by hand   {by_hand}\n");
    let others: Vec<String> = bad.map(|(name, ..)| name.clone()).collect();
    if !others.is_empty() {
        text += &format!("\nOthers that fail or hang:\n{}", some(&others));
    }
    text
}

/// A few of these names, one a line, and how many more there are.
fn some(names: &[String]) -> String {
    const FEW: usize = 8;
    let few = names.iter().take(FEW).map(|name| format!("  {name}\n"));
    let mut text: String = few.collect();
    if names.len() > FEW {
        text += &format!("  and {} more\n", names.len() - FEW);
    }
    text
}

/// That a chapter is passed, and what is left to do.
fn passed(
    course: &Course,
    chapter: Chapter,
    judged: &Judged,
    gaps: &[Gap],
    style: Style,
) -> String {
    let (all, passed) = (judged.verdict.checks.len(), judged.verdict.passed());
    let mut what = match all - passed {
        0 => count(all, "check"),
        over => format!("{passed} of {}, {over} passed over", count(all, "check")),
    };
    if !judged.units.passing.is_empty() {
        let units = count(judged.units.passing.len(), "unit test");
        what += &format!(" and {units}");
    }
    let title = course.title(chapter);
    let line = format!("Chapter {chapter}, {title}, is passed: {what}.");
    format!("\n{}\n{}", style.good(&line), after(course, chapter, gaps))
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
            let first = ground.map_or(String::new(), |ground| {
                format!("  (fix {} first)", number(&ground.title()))
            });
            format!("  {}   {title}{first}\n", style.faint("waits"))
        }
    }
}

fn number(title: &str) -> &str {
    title.split(' ').next().unwrap_or(title)
}

/// What is left to do when all checks pass.
fn after(course: &Course, chapter: Chapter, gaps: &[Gap]) -> String {
    let mut text = String::new();
    for gap in gaps {
        text += &format!(
            "A todo! is left that no check has come to, at {}:\n\
             fill it, or delete it if nothing calls it.\n",
            gap.place
        );
    }
    if gaps.is_empty()
        && let Some(place) = attribute(course, chapter)
    {
        let line =
            format!("No gap is left: delete what hides warnings, at {place}.\n");
        text.push_str(&line);
    }
    let page = course.page(chapter);
    if let Some(section) = rest(&fs::read_to_string(&page).unwrap_or_default()) {
        let page = course.shown(&page);
        text += &format!("Read on at {page}#{section}\n");
    }
    if course.solution(chapter).is_dir() {
        text += &format!("Compare: cargo course diff {}\n", chapter.0);
    }
    let next = course.chapters().into_iter().find(|&other| other > chapter);
    text + &match next {
        Some(next) => format!(
            "Next is chapter {next}, {}: read {}.\n",
            course.title(next),
            course.shown(&course.page(next))
        ),
        None => "It is the last one there is so far.\n".into(),
    }
}

/// The section of a page from which on it speaks of a program that passes: `Use it`,
/// or what comes after `Your turn` where the page doesn't go on explaining there, up
/// to a section named `Check`, or what comes after the milestone's checks.
fn rest(page: &str) -> Option<String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
    let headings: Vec<&str> = headings.collect();
    let at = |heading: &str| headings.iter().position(|other| *other == heading);
    let what_is_left = at("What can still go wrong");
    let section = match (at("Use it"), at("Check"), at("Your turn")) {
        (Some(use_it), ..) => use_it,
        (None, None, Some(turn)) => turn + 1,
        (None, None, None) => match at("What the milestone checks") {
            Some(checks) => checks + 1,
            None => what_is_left?,
        },
        _ => what_is_left?,
    };
    headings.get(section).map(|heading| heading_id(heading))
}

/// Where the attribute still stands that keeps a starter with gaps quiet, as
/// `path:line`.
fn attribute(course: &Course, chapter: Chapter) -> Option<String> {
    let (line, _) = QUIET.split_once('\n')?;
    let files = files(&course.starter(chapter)).ok()?;
    files.iter().find_map(|(path, contents)| {
        let text = String::from_utf8_lossy(contents);
        let before = text.lines().position(|other| other.trim_end() == line)?;
        let chapter = chapter.name();
        Some(format!("chapters/{chapter}/{path}:{}", before + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_the_program_is_used_or_else_after_the_work() {
        let wrong = "## What can still go wrong\n";
        for (page, section) in [
            (format!("# 01 A\n\n## Use it\n\n{wrong}"), Some("use-it")),
            (
                format!("## Use it or not\n{wrong}"),
                Some("what-can-still-go-wrong"),
            ),
            (
                format!("## Your turn\n## N, never more\n{wrong}"),
                Some("n-never-more"),
            ),
            (
                format!("## Your turn\n## N {{#more}}\n{wrong}"),
                Some("more"),
            ),
            (
                format!("## Your turn\n## N\n{wrong}## Check\n"),
                Some("what-can-still-go-wrong"),
            ),
            (
                format!("## What the milestone checks\n## What it brings\n{wrong}"),
                Some("what-it-brings"),
            ),
            ("# 01 A\n".to_owned(), None),
        ] {
            assert_eq!(rest(&page).as_deref(), section, "{page}");
        }
    }
}
