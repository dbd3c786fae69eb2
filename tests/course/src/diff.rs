//! `cargo course diff N [M]`: a learner's chapter beside our solution, or one solution
//! beside another.

use crate::Result;
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

/// Files without what differs in every chapter and is no part of any lesson: manifests,
/// the marks of the book, the attributes of a starter that keep its gaps quiet, and the
/// line ends of Windows.
fn plain(files: Files) -> Files {
    let plain = |(path, contents): (String, Vec<u8>)| {
        if path == "Cargo.toml" {
            return None;
        }
        let contents = match String::from_utf8(anchors::take(&contents).plain) {
            Ok(text) => without_attributes(&text).into_bytes(),
            Err(_) => contents,
        };
        Some((path, contents))
    };
    files.into_iter().filter_map(plain).collect()
}

/// A text without inner attributes for the compiler's warnings, such as
/// `#![allow(unused, reason = "…")]`, and without the blank line after them.
fn without_attributes(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    let mut after = false;
    for line in text.lines() {
        let begins = ["#![allow(", "#![expect(", "#![warn("];
        inside |= begins.iter().any(|begin| line.starts_with(begin));
        if inside {
            inside = !line.trim_end().ends_with(")]");
            after = true;
        } else if !after || !line.trim().is_empty() {
            after = false;
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_everywhere_is_left_out() {
        let text = "//! About.\n\n#![allow(\n    unused,\n    reason = \"a (b)\"\n)]\n\
                    #![warn(unused_must_use)]\n\n// ANCHOR: a\r\nfn a() {}\r\n// ANCHOR_END: a\n\nfn b() {}\n";
        let file = |path: &str| (path.to_owned(), text.as_bytes().to_vec());
        let files = plain(Files::from([file("src/a.rs"), file("Cargo.toml")]));
        assert_eq!(files.len(), 1);
        let text = std::str::from_utf8(&files["src/a.rs"]);
        assert_eq!(text, Ok("//! About.\n\nfn a() {}\n\nfn b() {}\n"));
    }
}
