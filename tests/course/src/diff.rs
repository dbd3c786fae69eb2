//! `cargo course diff N [M]`: a learner's chapter beside our solution, or one
//! solution beside another.

use crate::Result;
use crate::gaps::QUIET;
use crate::layout::{Chapter, Course, Files, files, write};
use crate::work::Scratch;
use crate::{anchors, git};

/// Shows the difference between chapter and solution, or between the solutions of two
/// chapters, with git's help. Returns whether there is one.
pub fn show(
    course: &Course,
    chapter: Chapter,
    other: Option<Chapter>,
) -> Result<bool> {
    let solution = |chapter: Chapter| {
        let folder = course.solution(chapter);
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(format!("chapter {chapter} has no solution to compare with"))
    };
    let (old, new) = match other {
        None => (course.starter(chapter), solution(chapter)?),
        Some(other) => (solution(chapter)?, solution(other)?),
    };
    let scratch = Scratch::new("diff")?;
    let mut git = git::git(scratch.path());
    git.args(["diff", "--no-index", "--no-ext-diff", "--no-prefix"]);
    git.args(["--find-renames", "--"]);
    for folder in [old, new] {
        let shown = course.shown(&folder);
        for (path, contents) in plain(files(&folder)?) {
            write(&scratch.path().join(&shown).join(path), &contents)?;
        }
        git.arg(shown);
    }
    // Its own output, so that it may colour it and page.
    let status = git.status();
    let status =
        status.map_err(|e| format!("cannot run git, which compares: {e}"))?;
    match status.code() {
        Some(0) => Ok(false),
        // A signal ends it where nobody reads on: `cargo course diff 5 | head`.
        Some(1) | None => Ok(true),
        _ => Err(format!("git could not compare: {status}")),
    }
}

/// Files without what differs in every chapter and is no part of any lesson:
/// manifests, the marks of the book, what keeps a starter quiet, and the line ends of
/// Windows.
fn plain(mut files: Files) -> Files {
    files.remove("Cargo.toml");
    for contents in files.values_mut() {
        if let Ok(text) = str::from_utf8(contents) {
            let text = text.replace("\r\n", "\n").replace(QUIET, "");
            *contents = anchors::take(text.as_bytes()).plain;
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_everywhere_is_left_out() {
        let text = "// ANCHOR: a\r\nfn a() {}\r\n// ANCHOR_END: a\n\nfn b() {}\n";
        let text = format!("//! About.\n\n{QUIET}{text}").into_bytes();
        let file = |path: &str| (path.to_owned(), text.clone());
        let files = plain(Files::from([file("src/a.rs"), file("Cargo.toml")]));
        let expected = "//! About.\n\nfn a() {}\n\nfn b() {}\n";
        assert_eq!(
            files,
            Files::from([("src/a.rs".to_owned(), expected.into())])
        );
    }
}
