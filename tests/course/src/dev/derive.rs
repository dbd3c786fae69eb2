//! Whether a starter is the solution of the chapter before, and the new gap, and
//! nothing else.

use std::collections::BTreeSet;

use crate::Result;
use crate::anchors;
use crate::layout::{Chapter, Course, Files, files};

/// Lines of starters that come from nowhere, and files that changed without need.
pub fn complaints(course: &Course, chapters: &[Chapter]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for &chapter in chapters {
        let before = course
            .solutions()
            .into_iter()
            .rev()
            .find(|&other| other < chapter);
        let family = Family {
            chapter,
            before,
            old: before.map_or(Ok(Files::new()), |before| named(course, before))?,
            starter: nameless(files(&course.starter(chapter))?, chapter),
            new: named(course, chapter)?,
        };
        complaints.extend(family.complaints());
    }
    Ok(complaints)
}

fn named(course: &Course, chapter: Chapter) -> Result<Files> {
    Ok(nameless(files(&course.solution(chapter))?, chapter))
}

/// What each starter's manifest has and no solution's: without it `cargo test -p
/// chapterNN` would begin with the unit tests, whose failures are bare panics.
const MILESTONE_ALONE: &str = "\
# `cargo test -p chapterNN` asks the milestone; unit tests, where there are some: `… --bins`.
[[bin]]
name = \"chapterNN\"
path = \"src/main.rs\"
test = false

";

/// The manifest with the package's own name taken out, so that it is the same in
/// every chapter.
fn nameless(mut files: Files, chapter: Chapter) -> Files {
    if let Some(manifest) = files.get_mut("Cargo.toml") {
        let text = String::from_utf8_lossy(manifest);
        let text = text
            .replace(&chapter.solution_package(), "chapterNN")
            .replace(&chapter.package(), "chapterNN")
            .replace(&chapter.name(), "NN-NAME")
            .replace(MILESTONE_ALONE, "");
        *manifest = text.into_bytes();
    }
    files
}

/// A starter between the two solutions that it comes from.
struct Family {
    chapter: Chapter,
    before: Option<Chapter>,
    old: Files,
    starter: Files,
    new: Files,
}

impl Family {
    fn complaints(&self) -> Vec<String> {
        let known: BTreeSet<String> = self
            .old
            .values()
            .chain(self.new.values())
            .flat_map(|text| lines(text))
            .collect();
        let mut complaints = Vec::new();
        for (path, contents) in &self.starter {
            if self.is_untouched(path) {
                complaints.extend(self.unlike(path, contents));
            } else {
                complaints.extend(self.strangers(path, contents, &known));
            }
        }
        for path in self.old.keys() {
            if self.new.contains_key(path) && !self.starter.contains_key(path) {
                complaints.push(format!(
                    "{} is missing: both solutions have it",
                    self.shown(path)
                ));
            }
        }
        complaints
    }

    fn shown(&self, path: &str) -> String {
        format!("chapters/{}/{path}", self.chapter.name())
    }

    /// Whether the chapter leaves the file as it was in the chapter before.
    fn is_untouched(&self, path: &str) -> bool {
        let (old, new) = (self.old.get(path), self.new.get(path));
        old.is_some_and(|old| {
            new.is_some_and(|new| {
                anchors::take(old).plain == anchors::take(new).plain
            })
        })
    }

    fn unlike(&self, path: &str, contents: &[u8]) -> Option<String> {
        if anchors::take(contents).plain == anchors::take(&self.old[path]).plain {
            return None;
        }
        let before = self.before.map(Chapter::name).unwrap_or_default();
        Some(format!(
            "{}: the chapter does not touch this file, so it must be that of solutions/{before}, byte for byte: \
             copy it from there",
            self.shown(path)
        ))
    }

    fn strangers(
        &self,
        path: &str,
        contents: &[u8],
        known: &BTreeSet<String>,
    ) -> Vec<String> {
        let gaps = gap_lines(contents);
        let strange = |(number, line): (usize, String)| {
            if line.is_empty()
                || known.contains(&line)
                || gaps.contains(&number)
                || is_comment(&line)
            {
                return None;
            }
            Some(format!(
                "{}:{}: `{line}` stands in neither solution, and is no part of a gap (`todo!(…)`, a comment, or an \
                 attribute for the gap's warnings)",
                self.shown(path),
                number + 1
            ))
        };
        lines(contents)
            .into_iter()
            .enumerate()
            .filter_map(strange)
            .collect()
    }
}

fn lines(contents: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(contents)
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//")
}

/// The numbers of the lines that a gap takes: from `todo!(`, `#[expect(` or the like
/// to the bracket that closes it.
fn gap_lines(contents: &[u8]) -> BTreeSet<usize> {
    const BEGINS: [&str; 6] = [
        "todo!(",
        "#[expect(",
        "#![expect(",
        "#[allow(",
        "#![allow(",
        "#![warn(",
    ];
    let mut gap = BTreeSet::new();
    let mut open = 0;
    let lines = lines(contents);
    for (number, line) in lines.iter().enumerate() {
        let begin = BEGINS.iter().filter_map(|begin| line.find(begin)).min();
        let rest = match (open, begin) {
            (0, None) => continue,
            (0, Some(begin)) => &line[begin..],
            _ => line,
        };
        gap.insert(number);
        // Where there is no room, what becomes of it is in the line above.
        if begin == Some(0) && number > 0 && lines[number - 1].ends_with('=') {
            gap.insert(number - 1);
        }
        open = brackets(rest, open);
    }
    gap
}

/// How many brackets are open after a line, without those in strings.
fn brackets(line: &str, open: usize) -> usize {
    let mut open = open;
    let mut quoted = false;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => {
                letters.next();
            }
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => open += 1,
            ')' | ']' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &[(&str, &str)]) -> Files {
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn of(old: &str, starter: &str, new: &str) -> Vec<String> {
        let file = |contents| text(&[("src/main.rs", contents)]);
        let family = Family {
            chapter: Chapter(2),
            before: Some(Chapter(1)),
            old: file(old),
            starter: file(starter),
            new: file(new),
        };
        family.complaints()
    }

    #[test]
    fn a_starter_has_old_lines_new_lines_and_gaps() {
        let old = "fn main() {\n    old();\n}\n";
        let new = "fn main() {\n    new();\n    // ANCHOR: x\n    more();\n}\n";
        let starter = "#![expect(\n    unused,\n    reason = \"a gap (\"\n)]\n// Here:\nfn main() {\n    new();\n    \
                       let x: u8 = todo!(\n        \"call (it \\\" more\"\n    );\n    \
                       let a_long_one: u8 =\n        todo!(\"b\");\n}\n";
        assert_eq!(of(old, starter, new), Vec::<String>::new());
        let strange = starter.replace("    );\n", "    );\n    invented();\n");
        let complaints = of(old, &strange, new);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(
            complaints[0]
                .starts_with("chapters/02-echo/src/main.rs:11: `invented();`"),
            "{complaints:?}"
        );
    }

    #[test]
    fn an_untouched_file_is_the_same_but_for_anchors() {
        let old = "fn main() {\n    // ANCHOR: x\n    old();\n}\n";
        let same = "fn main() {\n    old();\n}\n";
        assert_eq!(of(old, old, same), Vec::<String>::new());
        assert_eq!(of(old, same, same), Vec::<String>::new());
        let changed = of(old, "fn main() {\n    // todo\n    old();\n}\n", same);
        assert!(changed[0].contains("byte for byte"), "{changed:?}");
    }

    #[test]
    fn a_file_of_both_solutions_is_not_left_out() {
        let both = text(&[("src/a.rs", "a"), ("src/main.rs", "m")]);
        let family = Family {
            chapter: Chapter(2),
            before: Some(Chapter(1)),
            old: both.clone(),
            starter: text(&[("src/main.rs", "m")]),
            new: both,
        };
        assert_eq!(
            family.complaints(),
            ["chapters/02-echo/src/a.rs is missing: both solutions have it"]
        );
    }

    #[test]
    fn a_manifest_may_change_its_own_name() {
        let manifest = |name: &str, test: &str| {
            text(&[(
                "Cargo.toml",
                &format!("name = \"{name}\"\npath = \"{test}\"\n"),
            )])
        };
        let old = nameless(manifest("solution01", "tests/01-bind.rs"), Chapter(1));
        let starter = nameless(manifest("chapter02", "tests/02-echo.rs"), Chapter(2));
        assert_eq!(old, starter);
    }
}
