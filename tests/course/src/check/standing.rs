//! How far a chapter is, and what is remembered of it until its files change.

use std::fs;

use super::Judged;
use crate::Result;
use crate::layout::{Chapter, Course, cannot, files, fingerprint, parts, write};

/// How far a learner's chapter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether all checks pass, and all unit tests.
    pub passed: bool,
    /// The same in a few words: `3 of 6 checks pass`.
    pub words: String,
}

impl Standing {
    pub(super) fn of(judged: Option<&Judged>) -> Standing {
        let words = match judged {
            None => "does not build yet".into(),
            Some(judged) if judged.passed() => "passed".into(),
            Some(Judged { verdict, .. }) if !verdict.all_passed() => {
                format!(
                    "{} of {} checks pass",
                    verdict.passed(),
                    verdict.checks.len()
                )
            }
            Some(Judged { units, .. }) if !units.built => {
                "unit tests do not build".into()
            }
            Some(Judged { units, .. }) => match units.open() {
                1 => "1 unit test fails".into(),
                open => format!("{open} unit tests fail"),
            },
        };
        Standing {
            passed: judged.is_some_and(Judged::passed),
            words,
        }
    }
}

/// What the last verdict on a chapter was, as a file has it: a line with its key, one
/// that says whether it was passed, its words, then a line for each check and unit
/// test that was green.
pub(super) struct Memory {
    key: String,
    pub standing: Standing,
    pub green: Vec<String>,
}

impl Memory {
    pub fn of(course: &Course, chapter: Chapter) -> Option<Memory> {
        let text = fs::read_to_string(path(course, chapter)).ok()?;
        let mut lines = text.lines();
        Some(Memory {
            key: lines.next()?.to_owned(),
            standing: Standing {
                passed: lines.next()? == "true",
                words: lines.next()?.to_owned(),
            },
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
    let Standing { passed, words } = standing;
    let text = format!("{key}\n{passed}\n{words}\n{}\n", green.join("\n"));
    // If it cannot be kept, the next look at the map takes a second longer.
    let _ = write(&path(course, chapter), text.as_bytes());
}

fn path(course: &Course, chapter: Chapter) -> std::path::PathBuf {
    course.scratch().join("verdicts").join(chapter.name())
}

/// What a verdict depends on: the chapter, its milestone, and the library of the
/// milestones.
pub(super) fn key(course: &Course, chapter: Chapter) -> Result<String> {
    let starter = files(&course.starter(chapter))?;
    let path = course.milestone(chapter);
    let milestone = fs::read(&path).map_err(|e| cannot("read", &path, &e))?;
    let harness = files(&course.root().join("tests/harness/src"))?;
    let all = parts(&starter).chain([milestone.as_slice()]);
    Ok(fingerprint(all.chain(parts(&harness))))
}
