//! `cargo course`: the map of the course, and the next step.

use crate::Result;
use crate::check::{Standing, standing};
use crate::gaps::gaps;
use crate::layout::{Chapter, Course, PARTS};
use crate::screen::Style;
use crate::starters::{self, State};

/// How a chapter stands on the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Missing,
    /// As it was handed out.
    NotBegun,
    /// A learner's work, and how far it is.
    Begun(Standing),
    /// It could not be judged, for this reason.
    Unknown(String),
}

/// A chapter on the map.
#[derive(Clone, Debug)]
pub struct Rung {
    pub chapter: Chapter,
    pub place: Place,
}

/// Looks at every chapter; judges those that were edited since they were last judged.
pub fn survey(course: &Course) -> Vec<Rung> {
    let there = course.chapters();
    let rung = |chapter| {
        let place = match there.contains(&chapter) {
            true => place(course, chapter).unwrap_or_else(Place::Unknown),
            false => Place::Missing,
        };
        Rung { chapter, place }
    };
    (1..=Chapter::last_planned().0)
        .map(Chapter)
        .map(rung)
        .collect()
}

fn place(course: &Course, chapter: Chapter) -> Result<Place> {
    Ok(match starters::state(course, chapter)? {
        State::Pristine => Place::NotBegun,
        State::Edited => Place::Begun(standing(course, chapter)?),
    })
}

/// The map as text.
pub fn shown(
    course: &Course,
    rungs: &[Rung],
    current: Option<Chapter>,
    style: Style,
) -> String {
    let passed = rungs.iter().filter(|rung| is_passed(rung)).count();
    let is_there = |rung: &&Rung| rung.place != Place::Missing;
    let there = rungs.iter().filter(is_there).count();
    let next = next(rungs, current);

    let mut text = format!(
        "{}   {passed} of {there} chapters passed\n",
        style.strong("From bind to async")
    );
    let mut rest = rungs.iter();
    for part in &PARTS {
        text.push_str(&format!("\n{}\n", style.strong(part.name)));
        for rung in rest.by_ref().take(part.chapters.len()) {
            text.push_str(&line(course, rung, next, style));
        }
    }
    text.push('\n');
    match next {
        Some(chapter) => {
            let newcomer = current.is_none() && passed == 0;
            text.push_str(&step(course, chapter, newcomer, style));
        }
        None if there == 0 => text.push_str("No chapter was found in chapters/.\n"),
        None => {
            let all = "You have passed every chapter that is written so far.\n";
            text.push_str(&style.good(all));
        }
    }
    for rung in rungs {
        if let Place::Unknown(why) = &rung.place {
            text.push_str(&format!(
                "\nChapter {} could not be judged: {}\n",
                rung.chapter,
                why.lines().last().unwrap_or_default()
            ));
        }
    }
    text
}

fn is_passed(rung: &Rung) -> bool {
    matches!(rung.place, Place::Begun(Standing { passed: true, .. }))
}

/// What to do next: go on where the learner last wrote; if that is passed, the first
/// unfinished chapter above it; if there is none, the first unfinished one.
fn next(rungs: &[Rung], current: Option<Chapter>) -> Option<Chapter> {
    let open = |rung: &&Rung| rung.place != Place::Missing && !is_passed(rung);
    let from = current.unwrap_or(Chapter(0));
    let above = rungs.iter().filter(open).find(|rung| rung.chapter >= from);
    above
        .or_else(|| rungs.iter().find(open))
        .map(|rung| rung.chapter)
}

fn line(course: &Course, rung: &Rung, next: Option<Chapter>, style: Style) -> String {
    let chapter = rung.chapter;
    // Pad before colouring: colour codes take no room on the screen.
    let title = format!("{:<34}", course.title(chapter));
    let (title, status) = match &rung.place {
        Place::Missing => (style.faint(&title), style.faint("not written yet")),
        Place::NotBegun => (title, "not begun".to_owned()),
        Place::Begun(standing) if standing.passed => {
            (title, style.good(&standing.words))
        }
        Place::Begun(Standing { words, .. }) => {
            (title, style.yours(&format!("yours so far: {words}")))
        }
        Place::Unknown(_) => (title, style.yours("yours so far: not judged")),
    };
    let mark = if next == Some(chapter) {
        style.strong(">")
    } else {
        " ".into()
    };
    format!("{mark} {chapter}  {title} {status}\n")
}

fn step(course: &Course, chapter: Chapter, newcomer: bool, style: Style) -> String {
    let page = course.shown(&course.page(chapter));
    let introduction = course.root().join("book/src/introduction.md");
    let source = if newcomer && introduction.is_file() {
        format!("{}, then {page}", course.shown(&introduction))
    } else {
        page
    };
    let edit = match gaps(course, chapter).as_slice() {
        [] => format!("{}/src", course.shown(&course.starter(chapter))),
        [only] if only.number.is_none() => only.place.clone(),
        all @ [first, ..] => match first.number {
            Some(_) => format!("{}, {}", first.place, first.name()),
            None => format!("{}, the first of {} gaps", first.place, all.len()),
        },
    };
    let heading = format!(
        "{}: chapter {chapter}, {}",
        if newcomer { "Begin here" } else { "Next" },
        course.title(chapter)
    );
    format!(
        "{}\n  read  mdbook serve book --open\n        (its source: {source})\n  edit  {edit}\n  run   cargo course check {}\n",
        style.strong(&heading),
        chapter.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rungs(places: &[Place]) -> Vec<Rung> {
        (1..)
            .zip(places)
            .map(|(n, place)| Rung {
                chapter: Chapter(n),
                place: place.clone(),
            })
            .collect()
    }

    fn begun(passed: bool, words: &str) -> Place {
        Place::Begun(Standing {
            passed,
            words: words.to_owned(),
        })
    }

    #[test]
    fn the_next_step_follows_the_learner() {
        let passed = begun(true, "passed");
        let failing = begun(false, "1 of 3 checks pass");
        let begun = |places: &[Place], current| next(&rungs(places), current);

        assert_eq!(
            begun(&[Place::NotBegun, Place::NotBegun], None),
            Some(Chapter(1))
        );
        assert_eq!(
            begun(&[passed.clone(), Place::NotBegun], Some(Chapter(1))),
            Some(Chapter(2))
        );
        let skipped = [Place::NotBegun, failing.clone(), Place::NotBegun];
        assert_eq!(begun(&skipped, Some(Chapter(2))), Some(Chapter(2)));
        let last = [Place::NotBegun, passed.clone(), Place::Missing];
        assert_eq!(begun(&last, Some(Chapter(2))), Some(Chapter(1)));
        assert_eq!(begun(&[passed, Place::Missing], Some(Chapter(1))), None);
    }

    #[test]
    fn the_map_is_plain_and_fits_in_80_columns() {
        let course = Course::at("nowhere", "nowhere");
        let mut places = vec![
            begun(true, "passed"),
            begun(false, "10 of 12 checks pass"),
            Place::NotBegun,
            begun(false, "unit tests do not build"),
        ];
        places.resize(23, Place::Missing);
        let map = shown(&course, &rungs(&places), Some(Chapter(2)), Style::plain());
        assert!(map.lines().all(|line| line.len() <= 80), "{map}");
        assert!(map.contains("> 02  echo "), "{map}");
        assert!(map.contains("Next: chapter 02, echo\n"), "{map}");
        assert!(
            map.contains("Part III. Threads\n  06  thread per request "),
            "{map}"
        );
        assert!(!map.contains('\x1b'), "{map}");
    }
}
