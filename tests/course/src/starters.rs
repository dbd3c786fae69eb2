//! What a starter looks like before anybody has touched it, and what it lacks.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::Result;
use crate::layout::{Chapter, Course, cannot, files, fingerprint, parts};

const HEADING: &str = "\
# A fingerprint of each starter as it is handed out. A chapter that differs is a learner's work.
# Made by `cargo course dev bless`.
";

/// The state of a learner's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it was handed out.
    Pristine,
    /// Somebody wrote in it.
    Edited,
}

/// The file with the fingerprints.
pub fn fingerprints_path(course: &Course) -> PathBuf {
    course.root().join("tests/course/starters.txt")
}

/// The fingerprints that were noted down.
pub fn noted(course: &Course) -> Result<BTreeMap<Chapter, String>> {
    let path = fingerprints_path(course);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(cannot("read", &path, &e)),
    };
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (name, print) = line.split_once(' ').unwrap_or((line, ""));
            let chapter = Chapter::from_name(name).ok_or_else(|| {
                format!(
                    "{}: `{line}` is not a chapter and its fingerprint; run `cargo course dev bless`",
                    course.shown(&path)
                )
            })?;
            Ok((chapter, print.trim().to_owned()))
        })
        .collect()
}

/// The fingerprints of the starters as they are now, in the form of the file.
pub fn fingerprints(course: &Course) -> Result<String> {
    let mut text = HEADING.to_owned();
    for chapter in course.chapters() {
        let print = fingerprint(parts(&files(&course.starter(chapter))?));
        text.push_str(&format!("{} {print}\n", chapter.name()));
    }
    Ok(text)
}

/// Whether somebody has written in a chapter.
pub fn state(course: &Course, chapter: Chapter) -> Result<State> {
    let now = fingerprint(parts(&files(&course.starter(chapter))?));
    if noted(course)?.get(&chapter) == Some(&now) {
        Ok(State::Pristine)
    } else {
        Ok(State::Edited)
    }
}

/// The file of a chapter that was edited last, and when.
pub fn edited_last(
    course: &Course,
    chapter: Chapter,
) -> Option<(String, SystemTime)> {
    let folder = course.starter(chapter);
    files(&folder)
        .ok()?
        .into_keys()
        .filter_map(|path| {
            let when = fs::metadata(folder.join(&path))
                .and_then(|data| data.modified())
                .ok()?;
            Some((format!("chapters/{}/{path}", chapter.name()), when))
        })
        .max_by_key(|(_, when)| *when)
}

/// The chapter that a learner is at: the one edited last, of those that differ from
/// their starter.
pub fn current(course: &Course) -> Result<Option<(Chapter, String, SystemTime)>> {
    let mut edited = Vec::new();
    for chapter in course.chapters() {
        if state(course, chapter)? == State::Edited
            && let Some((path, when)) = edited_last(course, chapter)
        {
            edited.push((chapter, path, when));
        }
    }
    Ok(edited.into_iter().max_by_key(|(_, _, when)| *when))
}
