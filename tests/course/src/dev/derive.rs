//! Whether a starter is the solution of the chapter before, and the new gap, and
//! nothing else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::Result;
use crate::anchors;
use crate::gaps::{self, QUIET};
use crate::layout::{Chapter, Course, Files, files};

/// Lines of starters that come from nowhere, and files that changed without need.
pub fn complaints(course: &Course, chapters: &[Chapter]) -> Result<Vec<String>> {
    // The marks of the book differ from chapter to chapter, and so do the manifests,
    // which have a test of their own.
    let plain = |folder: PathBuf| {
        let mut files = files(&folder)?;
        files.remove("Cargo.toml");
        for contents in files.values_mut() {
            *contents = anchors::take(contents).plain;
        }
        Ok::<Files, String>(files)
    };
    let mut complaints = Vec::new();
    for &chapter in chapters {
        let below = course
            .solutions()
            .into_iter()
            .rfind(|&other| other < chapter);
        let old = match below {
            Some(below) => plain(course.solution(below))?,
            None => Files::new(),
        };
        let starter = plain(course.starter(chapter))?;
        let new = plain(course.solution(chapter))?;
        let complaint = |what| format!("chapters/{}/{what}", chapter.name());
        complaints
            .extend(differences(&old, &starter, &new).into_iter().map(complaint));
    }
    Ok(complaints)
}

/// What is wrong with a starter between the solution below and its own.
fn differences(old: &Files, starter: &Files, new: &Files) -> Vec<String> {
    let solutions = old.values().chain(new.values());
    let known: BTreeSet<String> = solutions.flat_map(|text| lines(text)).collect();
    let mut differences = Vec::new();
    for (path, contents) in starter {
        let is_untouched = old.get(path) == new.get(path);
        if is_untouched && old.get(path) != Some(contents) {
            differences.push(format!(
                "{path}: the chapter does not touch this file, so it must be that of \
                 the solution before, byte for byte: copy it from there"
            ));
        }
        if is_untouched {
            continue;
        }
        let text = String::from_utf8_lossy(contents);
        let gaps = gap_lines(&text);
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            let is_nothing =
                line.is_empty() || line.starts_with("//") || QUIET.contains(line);
            if !is_nothing && !known.contains(line) && !gaps.contains(&number) {
                differences.push(format!(
                    "{path}:{number}: `{line}` is in neither solution, and not in a \
                     gap (`todo!(…)`, a comment, or what keeps the compiler quiet)"
                ));
            }
        }
    }
    let in_both = old.keys().filter(|path| new.contains_key(*path));
    for path in in_both.filter(|path| !starter.contains_key(*path)) {
        differences.push(format!("{path} is missing: both solutions have it"));
    }
    differences
}

fn lines(contents: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(contents);
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// The numbers of the lines that gaps take.
fn gap_lines(text: &str) -> BTreeSet<usize> {
    let number = |at: usize| text[..at].matches('\n').count() + 1;
    let mut lines = BTreeSet::new();
    for gap in gaps::spans(text) {
        lines.extend(number(gap.start)..=number(gap.end));
        // Where there is no room, what becomes of it is in the line above.
        let (above, line) = text[..gap.start].rsplit_once('\n').unwrap_or_default();
        if line.trim().is_empty() && above.trim_end().ends_with('=') {
            lines.insert(number(gap.start) - 1);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(old: &str, starter: &str, new: &str) -> Vec<String> {
        let [old, starter, new] = [old, starter, new]
            .map(|text| Files::from([("a.rs".to_owned(), text.as_bytes().to_vec())]));
        differences(&old, &starter, &new)
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_starter_has_old_lines_new_lines_and_gaps() {
        let old = "fn main() {\n    old();\n}\n";
        let new = "fn main() {\n    new();\n    more();\n}\n";
        let starter = r#"// Here:
fn main() {
    new();
    let x: u8 = todo!(
        "call (it \" more"
    );
    let a_long_one: u8 =
        todo!("b");
}
"#;
        let starter = &format!("{QUIET}{starter}");
        assert_eq!(of(old, starter, new), NOTHING);
        let strange = starter.replace("    );\n", "    );\n    invented();\n");
        let found = of(old, &strange, new);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("a.rs:10: `invented();`"), "{found:?}");
    }

    #[test]
    fn a_file_that_the_chapter_does_not_touch_is_the_same_and_there() {
        let old = "fn main() {\n    old();\n}\n";
        assert_eq!(of(old, old, old), NOTHING);
        let changed = of(old, "fn main() {\n    // todo\n    old();\n}\n", old);
        assert!(changed[0].contains("byte for byte"), "{changed:?}");
        let both = Files::from([("b.rs".to_owned(), Vec::new())]);
        let missing = differences(&both, &Files::new(), &both);
        assert_eq!(missing, ["b.rs is missing: both solutions have it"]);
    }
}
