//! `cargo course dev bless`: makes everything that is generated anew.

use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::dev::errors;
use crate::layout::{Course, write};
use crate::starters;

/// Makes all generated files anew and says, a line each, what is different now.
pub fn bless(course: &Course) -> Result<Vec<String>> {
    Ok([bless_starters(course)?, bless_shown_output(course, "")?].concat())
}

/// Takes the fingerprints of all starters anew, and lists the lines that are
/// different.
pub fn bless_starters(course: &Course) -> Result<Vec<String>> {
    let path = starters::fingerprints_path(course);
    let old = fs::read_to_string(&path).unwrap_or_default();
    let new = starters::fingerprints(course)?;
    write(&path, new.as_bytes())?;
    let shown = course.shown(&path);
    let only = |these: &str, those: &str, sign: char| -> Vec<String> {
        let lines = these.lines();
        let lines = lines.filter(|line| !those.lines().any(|other| other == *line));
        lines
            .map(|line| format!("{shown}: {sign} {line}"))
            .collect()
    };
    Ok([only(&old, &new, '-'), only(&new, &old, '+')].concat())
}

/// Makes the compiler errors and the transcripts anew whose name (`02-echo/echo`)
/// contains `filter`, and says, a line each, what is different now.
pub fn bless_shown_output(course: &Course, filter: &str) -> Result<Vec<String>> {
    let errors = errors::bless(course, filter);
    // They are sh's and curl's, as a Unix has them.
    #[cfg(unix)]
    let transcripts = crate::dev::transcripts::bless(course, filter);
    #[cfg(not(unix))]
    let transcripts: Result<Vec<PathBuf>> = Ok(Vec::new());
    let changed = [errors?, transcripts?].concat();
    let said = |path| format!("{}: written anew", course.shown(path));
    Ok(changed.iter().map(|path: &PathBuf| said(path)).collect())
}

/// The files that were written anew, or all that went wrong.
pub(super) fn changed_files(
    blessed: impl Iterator<Item = Result<Option<PathBuf>>>,
) -> Result<Vec<PathBuf>> {
    let (mut changed, mut problems) = (Vec::new(), Vec::new());
    for outcome in blessed {
        match outcome {
            Ok(path) => changed.extend(path),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(changed),
        false => Err(problems.join("\n")),
    }
}
