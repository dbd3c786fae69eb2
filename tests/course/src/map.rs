//! `cargo course`: the map of the course, and the next step.

use std::collections::BTreeMap;

use crate::Result;
use crate::check::{Standing, standing};
use crate::gaps::gaps;
use crate::layout::{Chapter, Course};
use crate::screen::Style;
use crate::starters;

/// The chapters that are there, and how far those are that a learner has begun.
type Standings = BTreeMap<Chapter, Option<Standing>>;

/// The map as text. Chapters that were edited since they were last judged are judged.
pub fn shown(course: &Course, style: Style) -> Result<String> {
    let mut standings = Standings::new();
    let mut problems = String::new();
    for chapter in course.chapters() {
        let standing = begun(course, chapter).unwrap_or_else(|why| {
            let why = why.lines().last().unwrap_or_default();
            problems += &format!("\nChapter {chapter} could not be judged: {why}\n");
            let words = "not judged".to_owned();
            Some(Standing {
                passed: false,
                words,
            })
        });
        standings.insert(chapter, standing);
    }
    let passed = standings
        .values()
        .filter(|standing| is_passed(standing))
        .count();
    let current = starters::current(course)?.map(|(chapter, ..)| chapter);
    let next = next(&standings, current);

    let mut text = format!(
        "{}   {passed} of {} chapters passed\n",
        style.strong("From bind to async"),
        standings.len()
    );
    let mut part_before = String::new();
    for (part, chapter, title) in course.plan() {
        if part != part_before {
            text += &format!("\n{}\n", style.strong(&part));
            part_before = part;
        }
        let mark = match next == Some(chapter) {
            true => style.strong(">"),
            false => " ".into(),
        };
        let line = line(&title, standings.get(&chapter), style);
        text += &format!("{mark} {chapter}  {line}\n");
    }
    text.push('\n');
    match next {
        Some(chapter) => {
            let newcomer = current.is_none() && passed == 0;
            text.push_str(&step(course, chapter, newcomer, style));
        }
        None if standings.is_empty() => {
            text.push_str("No chapter was found in chapters/.\n");
        }
        None => {
            let all = "You have passed every chapter that is written so far.\n";
            text.push_str(&style.good(all));
        }
    }
    Ok(text + &problems)
}

/// How far a learner is with a chapter; nothing if it is as it was handed out.
fn begun(course: &Course, chapter: Chapter) -> Result<Option<Standing>> {
    let is_edited = starters::is_edited(course, chapter)?;
    is_edited.then(|| standing(course, chapter)).transpose()
}

fn is_passed(standing: &Option<Standing>) -> bool {
    standing.as_ref().is_some_and(|standing| standing.passed)
}

/// What to do next: go on where the learner last wrote; if that is passed, the first
/// unfinished chapter above it; if there is none, the first unfinished one.
fn next(standings: &Standings, current: Option<Chapter>) -> Option<Chapter> {
    let mut open = standings
        .iter()
        .filter(|(_, standing)| !is_passed(standing));
    let first = open.clone().next();
    let above = open.find(|(chapter, _)| Some(**chapter) >= current);
    above.or(first).map(|(&chapter, _)| chapter)
}

/// A chapter's title and how it stands; `None` if it is not there.
fn line(title: &str, standing: Option<&Option<Standing>>, style: Style) -> String {
    // Pad before colouring: colour codes take no room on the screen.
    let title = format!("{title:<34}");
    match standing {
        None => format!("{} {}", style.faint(&title), style.faint("not written yet")),
        Some(None) => format!("{title} not begun"),
        Some(Some(Standing { passed, words })) => match passed {
            true => format!("{title} {}", style.good(words)),
            false => {
                format!("{title} {}", style.yours(&format!("yours so far: {words}")))
            }
        },
    }
}

fn step(course: &Course, chapter: Chapter, newcomer: bool, style: Style) -> String {
    let page = course.shown(&course.page(chapter));
    let introduction = "book/src/introduction.md";
    let source = match newcomer && course.root().join(introduction).is_file() {
        true => format!("{introduction}, then {page}"),
        false => page,
    };
    let edit = match gaps(course, chapter).first() {
        Some(gap) => format!("{}, {}", gap.place, gap.name()),
        None => format!("{}/src", course.shown(&course.starter(chapter))),
    };
    let what = if newcomer { "Begin here" } else { "Next" };
    let heading = format!("{what}: chapter {chapter}, {}", course.title(chapter));
    format!(
        "{}\n  read  mdbook serve book --open\n        (its source: {source})\n  \
         edit  {edit}\n  run   cargo course check {}\n",
        style.strong(&heading),
        chapter.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_follows_the_learner() {
        let begun = |passed| {
            Some(Standing {
                passed,
                words: String::new(),
            })
        };
        let (open, passed, failing) = (None, begun(true), begun(false));
        for (standings, current, expected) in [
            ([&open, &open, &open], 0, 1),
            ([&passed, &open, &open], 1, 2),
            ([&open, &failing, &open], 2, 2),
            ([&open, &open, &passed], 3, 1),
            ([&passed, &passed, &passed], 1, 0),
        ] {
            let standings = standings.into_iter().cloned();
            let standings = Chapter::planned().zip(standings).collect();
            let chapter = |number| (number > 0).then_some(Chapter(number));
            let found = next(&standings, chapter(current));
            assert_eq!(found, chapter(expected), "{standings:?} {current}");
        }
    }

    #[test]
    fn every_title_fits_in_a_line_of_80_columns() {
        let words = "unit tests do not build".to_owned();
        let longest = Some(Standing {
            passed: false,
            words,
        });
        let plan = Course::of_this_package().plan();
        assert_eq!(plan.len(), Chapter::planned().count());
        for (.., title) in plan {
            let line = line(&title, Some(&longest), Style::plain());
            assert!(line.len() <= "> 01  ".len().abs_diff(80), "{line}");
        }
    }
}
