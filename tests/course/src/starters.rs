//! What a starter looks like before anybody has touched it, and what it lacks.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::Result;
use crate::layout::{Chapter, Course, cannot, files, fingerprint, parts};

const HEADING: &str = "\
# A fingerprint of each starter as it is handed out. A chapter that differs is a learner's work.
# Made by `cargo course dev bless`.
";

/// The file with the fingerprints.
pub fn fingerprints_path(course: &Course) -> PathBuf {
    course.root().join("tests/course/starters.txt")
}

/// The fingerprints that were noted down.
pub fn noted(course: &Course) -> Result<BTreeMap<Chapter, String>> {
    let path = fingerprints_path(course);
    let text = match fs::read_to_string(&path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            return Err(cannot("read", &path, &e));
        }
        text => text.unwrap_or_default(),
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let noted = lines.map(|line| {
        let noted = line.split_once(' ');
        let noted = noted.and_then(|(name, print)| {
            Some((Chapter::from_name(name)?, print.to_owned()))
        });
        noted.ok_or_else(|| {
            format!(
                "{}: `{line}` is not a chapter and its fingerprint; \
                 run `cargo course dev bless`",
                course.shown(&path)
            )
        })
    });
    noted.collect()
}

fn fingerprint_now(course: &Course, chapter: Chapter) -> Result<String> {
    Ok(fingerprint(parts(&files(&course.starter(chapter))?)))
}

/// The fingerprints of the starters as they are now, in the form of the file.
pub fn fingerprints(course: &Course) -> Result<String> {
    let mut text = HEADING.to_owned();
    for chapter in course.chapters() {
        let print = fingerprint_now(course, chapter)?;
        text += &format!("{} {print}\n", chapter.name());
    }
    Ok(text)
}

/// Whether somebody has written in a chapter since it was handed out. That's an error
/// if nothing tells how it was handed out.
pub fn is_edited(course: &Course, chapter: Chapter) -> Result<bool> {
    let now = fingerprint_now(course, chapter)?;
    match noted(course)?.get(&chapter) {
        Some(noted) => Ok(*noted != now),
        None => Err(format!(
            "{} has no line for {}; run `cargo course dev bless starters`",
            course.shown(&fingerprints_path(course)),
            chapter.name()
        )),
    }
}

/// The file of a chapter that was edited last, and when.
fn edited_last(course: &Course, chapter: Chapter) -> Option<(String, SystemTime)> {
    let folder = course.starter(chapter);
    let paths = files(&folder).ok()?.into_keys();
    let when = |path: &str| fs::metadata(folder.join(path)).ok()?.modified().ok();
    let edited = paths.filter_map(|path| Some((when(&path)?, path)));
    let (when, path) = edited.max()?;
    Some((format!("chapters/{}/{path}", chapter.name()), when))
}

/// The chapter that a learner is at: the one edited last, of those that differ from
/// their starter.
pub fn current(course: &Course) -> Result<Option<(Chapter, String, SystemTime)>> {
    let mut edited = Vec::new();
    for chapter in course.chapters() {
        if is_edited(course, chapter)?
            && let Some((path, when)) = edited_last(course, chapter)
        {
            edited.push((chapter, path, when));
        }
    }
    Ok(edited.into_iter().max_by_key(|(_, _, when)| *when))
}
