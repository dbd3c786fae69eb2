//! How far a chapter is, and what is remembered of it until its files change.

use std::fs;

use super::Judged;
use crate::Result;
use crate::layout::{Chapter, Course, Fingerprint, cannot, files, write};

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
    pub(super) fn of(judged: Option<&Judged>) -> Standing {
        let Some(Judged { verdict, units, .. }) = judged else {
            return Standing::NotBuilding;
        };
        let checks = verdict.checks.len();
        if !verdict.all_passed() {
            let passed = verdict.passed();
            return Standing::Failing { passed, checks };
        }
        match units.open() {
            _ if !units.built => Standing::UnitsNotBuilding,
            0 => Standing::Passed { checks },
            failing => Standing::Units { failing },
        }
    }

    fn parse(text: &str) -> Option<Standing> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["passed", checks] => {
                Some(Standing::Passed { checks: checks.parse().ok()? })
            }
            ["units", failing] => {
                Some(Standing::Units { failing: failing.parse().ok()? })
            }
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

/// What the last verdict on a chapter was: a line with its key and the standing, then
/// a line for each check and unit test that was green.
pub(super) struct Memory {
    key: String,
    pub standing: Option<Standing>,
    pub green: Vec<String>,
}

impl Memory {
    pub fn of(course: &Course, chapter: Chapter) -> Option<Memory> {
        let text = fs::read_to_string(path(course, chapter)).ok()?;
        let mut lines = text.lines();
        let (key, standing) = lines.next()?.split_once(' ')?;
        Some(Memory {
            key: key.to_owned(),
            standing: Standing::parse(standing),
            green: lines.map(str::to_owned).collect(),
        })
    }

    /// Whether nothing has changed since.
    pub fn holds(&self, key: &str) -> bool {
        self.key == key
    }
}

pub(super) fn remember(
    course: &Course,
    chapter: Chapter,
    key: &str,
    standing: &Standing,
    green: &[String],
) {
    let mut text = format!("{key} {}\n", standing.text());
    for name in green {
        text.push_str(name);
        text.push('\n');
    }
    // If it cannot be kept, the next look at the map takes a second longer.
    let _ = write(&path(course, chapter), text.as_bytes());
}

fn path(course: &Course, chapter: Chapter) -> std::path::PathBuf {
    course.scratch().join("verdicts").join(chapter.name())
}

/// What a verdict depends on: the chapter, its milestone, and the library of the
/// milestones.
pub(super) fn key(course: &Course, chapter: Chapter) -> Result<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_is_remembered_as_it_was() {
        for standing in [
            Standing::Passed { checks: 6 },
            Standing::Units { failing: 2 },
            Standing::UnitsNotBuilding,
            Standing::Failing { passed: 2, checks: 6 },
            Standing::NotBuilding,
        ] {
            assert_eq!(Standing::parse(&standing.text()), Some(standing));
        }
        assert_eq!(Standing::parse("gibberish"), None);
        assert_eq!(Standing::parse(""), None);
    }
}
