//! How far a chapter is, and what is remembered of it until its files change.

use std::fs;
use std::path::PathBuf;

use super::Judged;
use crate::Result;
use crate::layout::{Chapter, Course, files, fingerprint, parts, read, write};
use crate::screen::count;

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
        let Some(judged) = judged else {
            let words = "does not build yet".into();
            return Standing {
                passed: false,
                words,
            };
        };
        let Judged { verdict, units, .. } = judged;
        let words = if judged.passed() {
            "passed".into()
        } else if !verdict.all_passed() {
            format!(
                "{} of {} checks pass",
                verdict.passed(),
                verdict.checks.len()
            )
        } else if !units.built {
            "unit tests do not build".into()
        } else {
            let verb = if units.open() == 1 { "fails" } else { "fail" };
            format!("{} {verb}", count(units.open(), "unit test"))
        };
        Standing {
            passed: judged.passed(),
            words,
        }
    }
}

/// What the last verdict on a chapter was.
pub(super) struct Memory {
    pub key: String,
    pub standing: Standing,
    /// Each check and unit test that was green.
    pub green: Vec<String>,
}

impl Memory {
    pub fn of(course: &Course, chapter: Chapter) -> Option<Memory> {
        let text = fs::read_to_string(path(course, chapter)).ok()?;
        let mut lines = text.lines().map(str::to_owned);
        let (key, passed, words) = (lines.next()?, lines.next()?, lines.next()?);
        let standing = Standing {
            passed: passed == "true",
            words,
        };
        Some(Memory {
            key,
            standing,
            green: lines.collect(),
        })
    }

    /// Keeps it in a file.
    pub fn keep(&self, course: &Course, chapter: Chapter) {
        let Standing { passed, words } = &self.standing;
        let green = self.green.join("\n");
        let text = format!("{}\n{passed}\n{words}\n{green}\n", self.key);
        // If it cannot be kept, the next look at the map takes a second longer.
        let _ = write(&path(course, chapter), text.as_bytes());
    }
}

fn path(course: &Course, chapter: Chapter) -> PathBuf {
    course.scratch().join("verdicts").join(chapter.name())
}

/// What a verdict depends on: the chapter, its milestone, and the library of the
/// milestones.
pub(super) fn key(course: &Course, chapter: Chapter) -> Result<String> {
    let starter = files(&course.starter(chapter))?;
    let milestone = read(&course.milestone(chapter))?;
    let harness = files(&course.root().join("tests/harness/src"))?;
    let all = parts(&starter).chain([milestone.as_bytes()]);
    Ok(fingerprint(all.chain(parts(&harness))))
}
