//! The terminal sessions that the book shows: files in a folder of
//! `tests/transcripts` that are typed again, with the real solutions, and compared with what comes out.
//!
//! ```text
//! What this session is about. All before the first `$`, `@` or anchor is a comment.
//! @needs nc-N
//! ANCHOR: server
//! $ cargo run -q -p chapter02
//! listening on http://127.0.0.1:7878
//! ANCHOR_END: server
//!
//! ANCHOR: echo
//! $ printf 'hello' | nc -N 127.0.0.1 7878
//! hello
//! ANCHOR_END: echo
//! ```
//!
//! A line `$ COMMAND` is typed; the lines under it are what comes out. A command that
//! ends in `\` goes on in the next line, after `> `. `cargo run -q -p chapter02`
//! means the program of solution02: when it says where it listens it stays, and the
//! lines under it are all that it says until the end, or until a line `^C`. Ports
//! from 1024 on stand for free ones. A command that ends in ` &` stays until the end,
//! with its input open and its output unseen.
//!
//! Lines that begin with `@` are for the machine alone and never inside an anchor:
//!
//! | line | meaning |
//! |---|---|
//! | `@needs curl nc` | programs without which the session is passed over, but fails in CI; `nc-N`: an nc that knows `-N`; `privileged-ports`: a machine that refuses port 80 to the server |
//! | `@only linux` | passed over elsewhere |
//! | `@server [-p chapterNN] [-- ARGS]` | starts a server whose words are not shown |
//! | `@wrong 12-keep-alive/NAME` | from here on, that wrong answer is the program of its chapter |
//! | `@folder` | what follows runs in a fresh empty folder, not in the repository's root |
//! | `@run COMMAND` | a command that must succeed and is not shown |
//! | `@deadline 60` | seconds that each command may take from here on (at first 20) |

mod compare;
mod stage;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::cargo::{self, Target};
use crate::layout::{Chapter, Course, cannot, write};
use crate::process::each;
use crate::work;

/// The programs that transcripts start, by the name that a reader types: `chapter02`.
pub type Programs = BTreeMap<String, PathBuf>;

/// One transcript, read.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Its file.
    pub path: PathBuf,
    /// `02-echo/echo`, for messages.
    pub name: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    /// A comment, an anchor, an empty line.
    Kept(String),
    /// A line that begins with `@`, without it.
    Order(String),
    /// A command as it stands in the file, and what comes out of it.
    Typed { lines: Vec<String>, output: String },
    /// `^C`
    Interrupt,
}

/// How a replay ended.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// What came out is what the file says.
    Same,
    /// Something else came out: what and where.
    Differs(String),
    /// This machine cannot replay it: why.
    PassedOver(String),
    /// It could not be replayed to its end: why.
    Failed(String),
}

/// Builds all solutions; `chapter02` is the program of solution02. One that does not
/// build is left out: only the transcripts that need it fail.
fn solutions(course: &Course) -> Result<Programs> {
    let built = cargo::solutions(course, &course.solutions(), Target::Server)?;
    let by_package = |(chapter, path): (Chapter, PathBuf)| (chapter.package(), path);
    Ok(built.into_iter().map(by_package).collect())
}

/// All transcripts under `tests/transcripts`, in order.
pub fn all(course: &Course) -> Result<Vec<Transcript>> {
    work::files_of_chapters(&course.root().join("tests/transcripts"), "txt")?
        .iter()
        .map(|path| {
            let text =
                fs::read_to_string(path).map_err(|e| cannot("read", path, &e))?;
            Transcript::parse(path, &text)
        })
        .collect()
}

impl Transcript {
    /// Reads the text of a transcript that stands in `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Transcript> {
        let chapter = path.parent().and_then(Path::file_name).unwrap_or_default();
        let stem = path.file_stem().unwrap_or_default();
        let name =
            format!("{}/{}", chapter.to_string_lossy(), stem.to_string_lossy());
        let mut items = Vec::new();
        let mut begun = false;
        let mut anchor: Option<String> = None;
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let wrong =
                |what: &str| Err(format!("{name}.txt, line {number}: {what}"));
            if let Some((_, begins)) = line.split_once("ANCHOR: ") {
                if anchor.replace(begins.trim().to_owned()).is_some() {
                    return wrong("an anchor begins inside another");
                }
                items.push(Item::Kept(line.to_owned()));
            } else if let Some((_, ends)) = line.split_once("ANCHOR_END: ") {
                if anchor.take().as_deref() != Some(ends.trim()) {
                    return wrong("this is not the end of the anchor that was begun");
                }
                items.push(Item::Kept(line.to_owned()));
            } else if let Some(order) = line.strip_prefix('@') {
                if anchor.is_some() {
                    return wrong(
                        "a line that begins with @ inside an anchor would be shown",
                    );
                }
                items.push(Item::Order(order.trim().to_owned()));
            } else if line.starts_with("$ ") {
                let mut typed = vec![line.to_owned()];
                while typed.last().is_some_and(|line| line.ends_with('\\')) {
                    match lines.next() {
                        Some((more, _)) => typed.push(more.to_owned()),
                        None => {
                            return wrong("the command goes on, but the file ends");
                        }
                    }
                }
                items.push(Item::Typed {
                    lines: typed,
                    output: String::new(),
                });
            } else if line == "^C" {
                items.push(Item::Interrupt);
            } else if let Some(Item::Typed { output, .. }) = items.last_mut() {
                output.push_str(line);
                output.push('\n');
            } else if !begun || line.trim().is_empty() {
                items.push(Item::Kept(line.to_owned()));
                continue;
            } else {
                return wrong("output without a command");
            }
            begun = true;
        }
        if let Some(anchor) = anchor {
            return Err(format!("{name}.txt: the anchor {anchor} has no end"));
        }
        Ok(Transcript {
            path: path.to_owned(),
            name,
            items: items.into_iter().flat_map(without_blank_end).collect(),
        })
    }

    /// The text of the file.
    fn text(&self) -> String {
        let mut text = String::new();
        for item in &self.items {
            match item {
                Item::Kept(line) => text.push_str(line),
                Item::Order(order) => text.push_str(&format!("@{order}")),
                Item::Typed { lines, output } => {
                    text.push_str(&lines.join("\n"));
                    if !output.is_empty() {
                        text.push('\n');
                        text.push_str(output.trim_end());
                    }
                }
                Item::Interrupt => text.push_str("^C"),
            }
            text.push('\n');
        }
        text
    }

    /// The words of all `@` lines that begin with `verb`.
    fn orders(&self, verb: &str) -> Vec<&str> {
        let words = self.items.iter().filter_map(|item| match item {
            Item::Order(order) => {
                let mut words = order.split_whitespace();
                (words.next() == Some(verb)).then_some(words)
            }
            _ => None,
        });
        words.flatten().collect()
    }

    /// The program of its chapter, `chapter02`; none where it belongs to no chapter.
    fn program(&self) -> Option<String> {
        let folder = self.name.split('/').next()?;
        Chapter::from_name(folder).map(Chapter::package)
    }

    /// Types the commands and puts what comes out in the place of what stood there,
    /// except where both say the same; says what differed, if anything did.
    fn replay(
        &mut self,
        course: &Course,
        programs: &Programs,
    ) -> Result<Option<String>> {
        let outputs = stage::play(self, course, programs)
            .map_err(|what| format!("{}.txt: {what}", self.name))?;
        let mut differences = String::new();
        for (item, came) in self.items.iter_mut().zip(outputs) {
            let (Item::Typed { lines, output }, Some(came)) = (item, came) else {
                continue;
            };
            if let Some(difference) = compare::difference(output, &came) {
                let command = lines.join("\n");
                differences.push_str(&format!(
                    "{}.txt\n{command}\n{difference}\n",
                    self.name
                ));
                *output = came;
            }
        }
        Ok((!differences.is_empty()).then_some(differences))
    }
}

/// Takes the blank lines from the end of an output, and gives them back as lines of
/// their own.
fn without_blank_end(item: Item) -> Vec<Item> {
    let Item::Typed { lines, output } = item else {
        return vec![item];
    };
    let full = output.trim_end();
    let blank = output[full.len()..].matches('\n').count();
    // The last line's own end is no blank line.
    let blank = blank.saturating_sub(usize::from(!full.is_empty()));
    let output = match full {
        "" => String::new(),
        full => format!("{full}\n"),
    };
    let mut items = vec![Item::Typed { lines, output }];
    items.extend((0..blank).map(|_| Item::Kept(String::new())));
    items
}

/// Types a transcript again and compares. In a strict run a missing tool is a
/// failure.
pub fn check(
    mut transcript: Transcript,
    course: &Course,
    programs: &Programs,
    strict: bool,
) -> Outcome {
    match stage::passed_over(&transcript, course, strict) {
        Err(what) => Outcome::Failed(what),
        Ok(Some(reason)) => Outcome::PassedOver(reason),
        Ok(None) => match transcript.replay(course, programs) {
            Err(what) => Outcome::Failed(what),
            Ok(Some(difference)) => Outcome::Differs(difference),
            Ok(None) => Outcome::Same,
        },
    }
}

/// Types all transcripts again whose name contains `filter`, writes what came out
/// into their files where it differs, and returns the files that changed.
pub fn bless(course: &Course, filter: &str) -> Result<Vec<PathBuf>> {
    let mut transcripts = all(course)?;
    transcripts.retain(|transcript| transcript.name.contains(filter));
    if transcripts.is_empty() {
        return Ok(Vec::new());
    }
    let programs = solutions(course)?;
    let mut changed = Vec::new();
    let mut problems = Vec::new();
    for transcript in transcripts {
        let path = transcript.path.clone();
        match bless_one(transcript, course, &programs) {
            Ok(true) => changed.push(path),
            Ok(false) => {}
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(changed),
        false => Err(problems.join("\n")),
    }
}

/// Whether it had to be written anew.
fn bless_one(
    mut transcript: Transcript,
    course: &Course,
    programs: &Programs,
) -> Result<bool> {
    if let Some(reason) = stage::passed_over(&transcript, course, false)? {
        println!("{} is passed over: {reason}", transcript.name);
        return Ok(false);
    }
    if transcript.replay(course, programs)?.is_none() {
        return Ok(false);
    }
    let (path, text) = (&transcript.path, transcript.text());
    let mut again = Transcript::parse(path, &text)?;
    if again.items != transcript.items {
        return Err(format!(
            "{}.txt: a command prints a line that begins with `$ ` or `@`, or is `^C` or an anchor, \
             and so cannot stand in a transcript",
            transcript.name
        ));
    }
    write(path, text.as_bytes())?;
    match again.replay(course, programs)? {
        None => Ok(true),
        Some(difference) => {
            Err(format!("it comes out differently each time:\n{difference}"))
        }
    }
}

/// Checks all transcripts, a few at a time, and returns each one's name with its
/// outcome.
pub fn check_all(course: &Course, strict: bool) -> Result<Vec<(String, Outcome)>> {
    let transcripts = all(course)?;
    if transcripts.is_empty() {
        return Ok(Vec::new());
    }
    let programs = solutions(course)?;
    Ok(each(&transcripts, 2 * work::cores(), |transcript| {
        let outcome = check(transcript.clone(), course, &programs, strict);
        (transcript.name.clone(), outcome)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Transcript> {
        Transcript::parse(Path::new("tests/transcripts/02-echo/echo.txt"), text)
    }

    const SESSION: &str = "\
About.

@needs nc curl
ANCHOR: all
$ printf 'a\\n\\nb\\n\\n' \\
> | cat
a

b

$ true
^C
ANCHOR_END: all

@run true
";

    #[test]
    fn a_transcript_is_written_as_it_was_read() {
        let session = parse(SESSION).expect("well formed");
        assert_eq!(session.name, "02-echo/echo");
        assert_eq!(session.program().as_deref(), Some("chapter02"));
        assert_eq!(session.orders("needs"), ["nc", "curl"]);
        assert_eq!(session.text(), SESSION);
        assert!(session.items.contains(&Item::Typed {
            lines: vec!["$ printf 'a\\n\\nb\\n\\n' \\".into(), "> | cat".into()],
            output: "a\n\nb\n".into(),
        }));
    }

    #[test]
    fn lines_out_of_place_are_refused() {
        for (text, complaint) in [
            ("@only linux\nlost\n", "line 2: output without a command"),
            ("ANCHOR: a\n@only linux\n", "would be shown"),
            ("ANCHOR: a\nANCHOR: b\n", "inside another"),
            ("ANCHOR: a\nANCHOR_END: b\n", "not the end"),
            ("ANCHOR: a\n$ true\n", "has no end"),
            ("$ true \\\n", "the file ends"),
        ] {
            let said = parse(text).expect_err(text);
            assert!(said.contains(complaint), "{said:?} lacks {complaint:?}");
        }
    }
}
