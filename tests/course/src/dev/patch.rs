//! Unified diffs, as `git diff` writes them, applied to files in memory.
//!
//! `git apply` would do, yet the tests must run where git is not installed. As with
//! git, lines may have moved, and each line of context must be there.

use crate::dev::header::begins_diff;
use crate::layout::Files;

/// A patch: the changes of each file.
#[derive(Debug)]
pub struct Patch {
    files: Vec<FilePatch>,
}

#[derive(Debug)]
struct FilePatch {
    /// `None` for a file that the patch creates.
    old: Option<String>,
    /// `None` for a file that the patch removes.
    new: Option<String>,
    hunks: Vec<Hunk>,
}

#[derive(Debug)]
struct Hunk {
    /// The heading, to name the hunk by.
    heading: String,
    /// The line that the hunk begins at in the old file, from 1.
    line: usize,
    before: Vec<String>,
    after: Vec<String>,
}

impl Patch {
    /// Reads a patch. What stands before the first diff is the caller's.
    ///
    /// # Errors
    /// A sentence about the first line that makes no sense.
    pub fn read(text: &str) -> Result<Patch, String> {
        let mut lines = text
            .lines()
            .skip_while(|line| !begins_diff(line))
            .peekable();
        let mut files = Vec::new();
        while let Some(line) = lines.next() {
            if line.starts_with("rename ") || line.starts_with("GIT binary") {
                return Err(format!(
                    "`{line}`: a patch can change, add and remove text files only"
                ));
            }
            let Some(old) = line.strip_prefix("--- ") else {
                continue;
            };
            let new = lines.next().and_then(|line| line.strip_prefix("+++ "));
            let new = new.ok_or_else(|| format!("no `+++` line follows `{line}`"))?;
            let mut hunks = Vec::new();
            while let Some(heading) = lines.next_if(|line| line.starts_with("@@ ")) {
                hunks.push(Hunk::read(heading, &mut lines)?);
            }
            if let Some(line) = lines.peek().filter(|line| {
                line.starts_with(['+', '-', ' ']) && !begins_diff(line)
            }) {
                return Err(format!(
                    "`{line}` is one line more than its hunk's heading counts"
                ));
            }
            files.push(FilePatch {
                old: path(old, "a/"),
                new: path(new, "b/"),
                hunks,
            });
        }
        if files.is_empty() {
            return Err("there is no diff in it".into());
        }
        Ok(Patch { files })
    }

    /// Applies the patch. Where that fails, `files` may be changed in part.
    ///
    /// # Errors
    /// A sentence about what does not fit.
    pub fn apply(&self, files: &mut Files) -> Result<(), String> {
        self.files.iter().try_for_each(|file| file.apply(files))
    }
}

fn path(text: &str, side: &str) -> Option<String> {
    let path = text.split('\t').next().unwrap_or(text).trim_end();
    if path == "/dev/null" {
        return None;
    }
    Some(path.strip_prefix(side).unwrap_or(path).to_owned())
}

impl FilePatch {
    fn apply(&self, files: &mut Files) -> Result<(), String> {
        let old = match &self.old {
            Some(path) => {
                let bytes = files
                    .remove(path)
                    .ok_or_else(|| format!("there is no file {path} to change"))?;
                String::from_utf8(bytes).map_err(|_| format!("{path} is not text"))?
            }
            None => String::new(),
        };
        let name = self
            .new
            .as_ref()
            .or(self.old.as_ref())
            .map_or("", String::as_str);
        let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
        let mut moved = 0;
        for hunk in &self.hunks {
            moved = hunk.apply(&mut lines, moved).ok_or_else(|| {
                format!(
                    "the hunk `{}` does not fit {name}: its lines are not there any more",
                    hunk.heading
                )
            })?;
        }
        let Some(path) = &self.new else {
            return if lines.is_empty() {
                Ok(())
            } else {
                Err(format!("{name} is removed, yet lines of it remain"))
            };
        };
        if self.old.is_none() && files.contains_key(path) {
            return Err(format!("{path} is added, yet there is one already"));
        }
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        files.insert(path.clone(), text.into_bytes());
        Ok(())
    }
}

impl Hunk {
    fn read<'a>(
        heading: &str,
        lines: &mut impl Iterator<Item = &'a str>,
    ) -> Result<Hunk, String> {
        let (line, old, new) = numbers(heading)
            .ok_or_else(|| format!("`{heading}` is not the heading of a hunk"))?;
        let mut hunk = Hunk {
            heading: heading.to_owned(),
            line,
            before: Vec::new(),
            after: Vec::new(),
        };
        while hunk.before.len() < old || hunk.after.len() < new {
            let line = lines
                .next()
                .ok_or_else(|| format!("the hunk `{heading}` is cut short"))?;
            match line.as_bytes().first() {
                Some(b'-') => hunk.before.push(line[1..].to_owned()),
                Some(b'+') => hunk.after.push(line[1..].to_owned()),
                Some(b' ') => hunk.keep(&line[1..]),
                // An editor that trims lines leaves an empty line of context quite
                // empty.
                None => hunk.keep(""),
                // "\ No newline at end of file"
                Some(b'\\') => {}
                Some(_) => {
                    return Err(format!(
                        "in the hunk `{heading}`: `{line}` begins with none of `+`, `-` and a space"
                    ));
                }
            }
        }
        Ok(hunk)
    }

    fn keep(&mut self, line: &str) {
        self.before.push(line.to_owned());
        self.after.push(line.to_owned());
    }

    /// Changes the lines at the place next to where the hunk should be; `moved` lines
    /// is how far the hunks before it were from theirs. Returns how far this one is.
    fn apply(&self, lines: &mut Vec<String>, moved: isize) -> Option<isize> {
        let wanted = self
            .line
            .saturating_sub(usize::from(!self.before.is_empty()))
            .checked_add_signed(moved)?;
        let last = lines.len().checked_sub(self.before.len())?;
        let at = (0..=last)
            .filter(|&at| lines[at..at + self.before.len()] == self.before)
            .min_by_key(|at| at.abs_diff(wanted))?;
        lines.splice(at..at + self.before.len(), self.after.iter().cloned());
        let grown = isize::try_from(self.after.len()).ok()?
            - isize::try_from(self.before.len()).ok()?;
        Some(
            moved + isize::try_from(at).ok()? - isize::try_from(wanted).ok()? + grown,
        )
    }
}

/// Of `@@ -12,3 +14,4 @@`: the first line, and the numbers of lines before and after.
fn numbers(heading: &str) -> Option<(usize, usize, usize)> {
    let mut words = heading.split(' ').skip(1);
    let range = |word: &str, sign: char| {
        let range = word.strip_prefix(sign)?;
        let (line, count) = range.split_once(',').unwrap_or((range, "1"));
        Some((line.parse().ok()?, count.parse().ok()?))
    };
    let (line, old): (usize, usize) = range(words.next()?, '-')?;
    let (_, new): (usize, usize) = range(words.next()?, '+')?;
    Some((line, old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        Files::from([("src/main.rs".to_owned(), text.as_bytes().to_vec())])
    }

    fn text<'a>(files: &'a Files, path: &str) -> &'a str {
        std::str::from_utf8(&files[path]).expect("text")
    }

    const CHANGE: &str = "\
# About it.
check: check_01
says: x

diff --git a/src/main.rs b/src/main.rs
index 1..2 100644
--- a/src/main.rs
+++ b/src/main.rs
@@ -1,3 +1,4 @@ fn main()
 one
-two
+zwei
+drei

@@ -9 +10 @@
-last
+end
";

    #[test]
    fn a_patch_changes_lines_also_where_they_have_moved() {
        let patch = Patch::read(CHANGE).expect("it is well formed");
        for (old, new) in [
            (
                "one\ntwo\n\nx\nx\nx\nx\nx\nlast\n",
                "one\nzwei\ndrei\n\nx\nx\nx\nx\nx\nend\n",
            ),
            ("0\none\ntwo\n\nlast\n", "0\none\nzwei\ndrei\n\nend\n"),
        ] {
            let mut files = files(old);
            patch.apply(&mut files).expect("it fits");
            assert_eq!(text(&files, "src/main.rs"), new);
        }
    }

    #[test]
    fn of_two_places_the_nearer_is_changed() {
        let patch = Patch::read(
            "--- a/src/main.rs\n+++ b/src/main.rs\n@@ -4,1 +4,1 @@\n-x\n+y\n",
        )
        .expect("a patch");
        let mut files = files("x\na\na\na\nx\n");
        patch.apply(&mut files).expect("it fits");
        assert_eq!(text(&files, "src/main.rs"), "x\na\na\na\ny\n");
    }

    #[test]
    fn files_are_added_and_removed() {
        let patch = "--- /dev/null\n+++ b/src/new.rs\n@@ -0,0 +1,2 @@\n+a\n+b\n\
                     --- a/src/main.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n";
        let mut files = files("gone\n");
        Patch::read(patch)
            .expect("it is well formed")
            .apply(&mut files)
            .expect("it fits");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["src/new.rs"]);
        assert_eq!(text(&files, "src/new.rs"), "a\nb\n");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |patch: &str| {
            Patch::read(patch)
                .and_then(|patch| patch.apply(&mut files("one\n")))
                .expect_err("no")
        };
        assert!(
            error(CHANGE)
                .contains("`@@ -1,3 +1,4 @@ fn main()` does not fit src/main.rs"),
            "{}",
            error(CHANGE)
        );
        assert!(
            error(&CHANGE.replace("src/main", "src/other"))
                .contains("no file src/other.rs")
        );
        assert!(error("# nothing\n").contains("no diff"));
        assert!(
            error("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n").contains("cut short")
        );
        assert!(
            error("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n+three\n")
                .contains("one line more")
        );
        assert!(
            error("--- a/x\n+++ b/x\n@@ -1 +1 @@\none\n")
                .contains("begins with none of")
        );
        assert!(error("--- a/x\n@@ -1 +1 @@\n").contains("no `+++`"));
    }
}
