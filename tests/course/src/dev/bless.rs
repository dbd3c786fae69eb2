//! `cargo course dev bless`: makes everything that is generated anew.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::dev::errors;
use crate::layout::{Course, write};
use crate::starters;

/// Makes all generated files anew and says, a line each, what is different now.
pub fn bless(course: &Course) -> Result<Vec<String>> {
    let mut changes = Vec::new();
    changes.extend(bless_starters(course)?);
    changes.extend(bless_shown_output(course, "")?);
    Ok(changes)
}

/// Takes the fingerprints of all starters anew.
pub fn bless_starters(course: &Course) -> Result<Vec<String>> {
    let path = starters::fingerprints_path(course);
    let text = starters::fingerprints(course)?;
    replace(course, &path, &text)
}

/// Makes the compiler errors and the transcripts anew whose name (`02-echo/echo`)
/// contains `filter`, and says, a line each, what is different now.
pub fn bless_shown_output(course: &Course, filter: &str) -> Result<Vec<String>> {
    let errors = errors::bless(course, filter);
    #[cfg(unix)]
    let transcripts = crate::dev::transcripts::bless(course, filter);
    // They are sh's and curl's, as a Unix has them.
    #[cfg(not(unix))]
    let transcripts: Result<Vec<std::path::PathBuf>> = Ok(Vec::new());
    let (mut changed, more) = (errors?, transcripts?);
    changed.extend(more);
    let said =
        |path: &std::path::PathBuf| format!("{}: written anew", course.shown(path));
    Ok(changed.iter().map(said).collect())
}

/// Writes a generated file, if it is different, and lists the lines that are.
pub fn replace(course: &Course, path: &Path, text: &str) -> Result<Vec<String>> {
    let old = fs::read_to_string(path).unwrap_or_default();
    if old == text {
        return Ok(Vec::new());
    }
    write(path, text.as_bytes())?;
    let shown = course.shown(path);
    let gone = old
        .lines()
        .filter(|line| !text.lines().any(|new| new == *line));
    let came = text
        .lines()
        .filter(|line| !old.lines().any(|old| old == *line));
    Ok(gone
        .map(|line| format!("{shown}: - {line}"))
        .chain(came.map(|line| format!("{shown}: + {line}")))
        .collect())
}
