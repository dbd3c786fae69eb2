//! A verdict in words.

use std::fs;

use super::{Judged, Units};
use crate::gaps::{Gap, gaps, numbered};
use crate::layout::{Chapter, Course, files};
use crate::milestone::{Check, Finding, Verdict};
use crate::screen::{Style, count, wrapped};

/// The verdict for people: a line for each check, what turned green, the first failure
/// in full, and what is next.
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
        text.push_str(&format!("\n{}\n", verdict.output.trim_end()));
        return text;
    }
    text.push_str(&units_shown(chapter, units, style));
    if !judged.turned_green.is_empty() {
        let heading = style.good("Turned green:");
        text.push_str(&format!("\n{heading}\n{}", some(&judged.turned_green)));
    }
    if judged.passed() {
        text.push_str(&passed(course, chapter, judged, &gaps, style));
        return text;
    }
    text.push_str(&units_in_full(chapter, units, style));

    let failure = failure_to_show(verdict, &gaps);
    if let Some(failure) = failure {
        text.push_str(&format!(
            "\n{}\n\n{}\n",
            style.strong(&failure.title()),
            failure.report().unwrap_or_default()
        ));
    }
    let sum = |passing, all, of: &str| {
        let verb = if passing == 1 { "passes" } else { "pass" };
        format!("{passing} of {} {verb}", count(all, of))
    };
    text.push_str(&format!(
        "\n{}",
        sum(verdict.passed(), verdict.checks.len(), "check")
    ));
    if units.all() > 0 {
        let units = sum(units.passing.len(), units.all(), "unit test");
        text.push_str(&format!(", and {units}"));
    }
    let next = next_step(units, failure, &gaps);
    text.push_str(&format!(
        ".\nNext: {next},\nthen run `cargo course check {}` again.\n",
        chapter.0
    ));
    text
}

/// The failure to show in full: the first one, but none that leads to a later gap than
/// the one that is next on the page.
fn failure_to_show<'a>(verdict: &'a Verdict, gaps: &[Gap]) -> Option<&'a Check> {
    let next = gaps.first().and_then(|gap| gap.number);
    let too_early = |check: &&Check| {
        let number = check.report().and_then(gap_named);
        matches!((number, next), (Some(number), Some((next, _))) if number > next)
    };
    let failures = verdict.checks.iter();
    failures
        .filter(|check| check.report().is_some())
        .find(|check| !too_early(check))
}

/// The number of the gap that a report leads to.
fn gap_named(report: &str) -> Option<u8> {
    let message = report.trim_start().strip_prefix(UNWRITTEN)?;
    Some(numbered(message).0?.0)
}

/// How the report of a check begins that has met a gap.
const UNWRITTEN: &str = "Still to be written: ";

fn next_step(units: &Units, failure: Option<&Check>, gaps: &[Gap]) -> String {
    if !units.failing.is_empty() || !units.hanging.is_empty() {
        return "fix the unit test above".into();
    }
    let unwritten = |report: &str| report.trim_start().starts_with(UNWRITTEN);
    if let Some(failure) = failure
        && !failure.report().is_some_and(unwritten)
    {
        return format!("fix {}", number(&failure.title()));
    }
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let report = flat(failure.and_then(Check::report).unwrap_or_default());
    // Where gaps have no numbers, the report says which it is.
    let named = gaps
        .iter()
        .find(|gap| gap.number.is_none() && report.contains(&flat(&gap.text)));
    match named.or(gaps.first()) {
        Some(gap) => {
            let step = format!("write {} ({})", gap.name(), gap.place);
            match failure {
                Some(_) => step,
                None => format!("{step}:\n{}", wrapped(&gap.text, "  ")),
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
    let mut parts = Vec::new();
    for (number, what) in [
        (units.passing.len(), "pass"),
        (units.failing.len(), "fail"),
        (units.hanging.len(), "never end"),
        (units.waiting.len(), "wait for a gap"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    match parts.as_slice() {
        [] => String::new(),
        parts => format!("\n  unit tests: {}\n", parts.join(", ")),
    }
}

/// What the unit tests say that fail: the first in full.
fn units_in_full(chapter: Chapter, units: &Units, style: Style) -> String {
    let mut text = String::new();
    let mut say = |name: &str, what: &str, words: &str| {
        let short = name.rsplit("::").next().unwrap_or(name);
        let title = style.strong(&format!("unit test {name} {what}"));
        text.push_str(&format!(
            "\n{title}\n\n{words}  by hand   cargo test -p {} --bins {short}\n",
            chapter.package()
        ));
    };
    if let Some((name, message)) = units.failing.first() {
        let lines = message.lines().map(|line| format!("  {line}\n"));
        say(name, "fails", &format!("{}\n", lines.collect::<String>()));
    } else if let Some(name) = units.hanging.first() {
        say(
            name,
            "comes to no end",
            "  It was stopped. Something in it waits for what never comes.\n\n",
        );
    }
    let others: Vec<String> = (units.failing.iter().map(|(name, _)| name))
        .chain(&units.hanging)
        .skip(1)
        .cloned()
        .collect();
    if !others.is_empty() {
        text.push_str(&format!("\nOthers that fail or hang:\n{}", some(&others)));
    }
    text
}

/// A few of these names, one a line, and how many more there are.
fn some(names: &[String]) -> String {
    const FEW: usize = 8;
    let few = names.iter().take(FEW).map(|name| format!("  {name}\n"));
    let mut text: String = few.collect();
    if names.len() > FEW {
        text.push_str(&format!("  and {} more\n", names.len() - FEW));
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
    let all = judged.verdict.checks.len();
    let checks = match judged.verdict.passed() {
        passed if passed == all => count(all, "check"),
        passed => format!(
            "{passed} of {}, {} passed over",
            count(all, "check"),
            all - passed
        ),
    };
    let units = match judged.units.passing.len() {
        0 => String::new(),
        number => format!(" and {}", count(number, "unit test")),
    };
    let title = course.title(chapter);
    let line = format!("Chapter {chapter}, {title}, is passed: {checks}{units}.");
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
            let first = ground
                .map(|ground| format!("  (fix {} first)", number(&ground.title())));
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
fn after(course: &Course, chapter: Chapter, gaps: &[Gap]) -> String {
    let mut text = String::new();
    for gap in gaps {
        text.push_str(&format!(
            "A todo! is left that no check has come to, at {}:\n\
             fill it, or delete it if nothing calls it.\n",
            gap.place
        ));
    }
    if gaps.is_empty()
        && let Some(place) = attribute(course, chapter)
    {
        text.push_str(&format!(
            "No gap is left: delete what hides warnings, at {place}.\n"
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
        let begins = text.match_indices("#![allow(");
        let begin = begins.map(|(begin, _)| begin).find(|&begin| {
            let end = text[begin..].find(")]");
            end.is_some_and(|end| text[begin..begin + end].contains("gap"))
        });
        let Some(begin) = begin else {
            continue;
        };
        let line = text[..begin].lines().count() + 1;
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
}
