//! The terminal sessions that the book shows: files in a folder of
//! `tests/transcripts` that are typed again, with the real solutions, and compared
//! with what comes out.
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
//! - `@needs curl nc`: programs without which the session is passed over, but fails in
//!   CI; `nc-N` is an nc that knows `-N`, and `privileged-ports` a machine that refuses
//!   port 80 to the server;
//! - `@only linux`: it is passed over elsewhere;
//! - `@server [-p chapterNN] [-- ARGS]` starts a server whose words are not shown;
//! - `@wrong 12-keep-alive/NAME`: from here on, that wrong answer is the program of its
//!   chapter;
//! - `@folder`: what follows runs in a fresh empty folder, not in the repository's root;
//! - `@run COMMAND`: a command that must succeed and is not shown;
//! - `@deadline 60`: seconds that each command may take from here on (at first 20).

mod compare;
mod stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::cargo;
use crate::dev::bless::changed_files;
use crate::layout::{Chapter, Course, read, write};
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
    /// A comment, an empty line, an anchor, what begins with `@`, or `^C`.
    Line(String),
    /// A command as it stands in the file, and what comes out of it.
    Typed { lines: Vec<String>, output: String },
}

/// Builds all solutions; `chapter02` is the program of solution02. One that does not
/// build is left out: only the transcripts that need it fail.
fn solutions(course: &Course) -> Result<Programs> {
    let built = cargo::servers(course, &course.solutions())?;
    let by_package = |(chapter, path): (Chapter, PathBuf)| (chapter.package(), path);
    Ok(built.into_iter().map(by_package).collect())
}

/// All transcripts under `tests/transcripts`, in order.
fn all(course: &Course) -> Result<Vec<Transcript>> {
    let folder = course.root().join("tests/transcripts");
    let paths = work::files_of_chapters(&folder, "txt")?;
    paths
        .iter()
        .map(|path| Transcript::parse(path, &read(path)?))
        .collect()
}

impl Transcript {
    /// Reads the text of a transcript that is in `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Transcript> {
        let chapter = path.parent().and_then(Path::file_name).unwrap_or_default();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{}/{stem}", chapter.to_string_lossy());
        let mut items: Vec<Item> = Vec::new();
        let (mut begun, mut anchor) = (false, None);
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let wrong =
                |what: &str| Err(format!("{name}.txt, line {number}: {what}"));
            if let Some((_, begins)) = line.split_once("ANCHOR: ") {
                if anchor.replace(begins.trim()).is_some() {
                    return wrong("an anchor begins inside another");
                }
            } else if let Some((_, ends)) = line.split_once("ANCHOR_END: ") {
                if anchor.take() != Some(ends.trim()) {
                    return wrong("this is not the end of the anchor that was begun");
                }
            } else if line.starts_with('@') && anchor.is_some() {
                return wrong("what begins with @ inside an anchor would be shown");
            } else if line.starts_with("$ ") {
                let mut typed = vec![line.to_owned()];
                while typed.last().is_some_and(|line| line.ends_with('\\')) {
                    let Some((more, _)) = lines.next() else {
                        return wrong("the command goes on, but the file ends");
                    };
                    typed.push(more.to_owned());
                }
                let output = String::new();
                items.push(Item::Typed {
                    lines: typed,
                    output,
                });
                begun = true;
                continue;
            } else if line != "^C" && !line.starts_with('@') {
                if let Some(Item::Typed { output, .. }) = items.last_mut() {
                    *output += &format!("{line}\n");
                    continue;
                } else if begun && !line.trim().is_empty() {
                    return wrong("output without a command");
                }
                items.push(Item::Line(line.to_owned()));
                continue;
            }
            begun = true;
            items.push(Item::Line(line.to_owned()));
        }
        if let Some(anchor) = anchor {
            return Err(format!("{name}.txt: the anchor {anchor} has no end"));
        }
        let path = path.to_owned();
        Ok(Transcript { path, name, items })
    }

    /// The text of the file.
    fn text(&self) -> String {
        let text = |item: &Item| match item {
            Item::Line(line) => format!("{line}\n"),
            Item::Typed { lines, output } => {
                format!("{}\n{output}", lines.join("\n"))
            }
        };
        self.items.iter().map(text).collect()
    }

    /// The words of all `@` lines that begin with `verb`.
    fn orders(&self, verb: &str) -> Vec<&str> {
        let words = self.items.iter().filter_map(|item| match item {
            Item::Line(line) => line.strip_prefix('@')?.strip_prefix(verb),
            Item::Typed { .. } => None,
        });
        words.flat_map(str::split_whitespace).collect()
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
                let (name, command) = (&self.name, lines.join("\n"));
                differences += &format!("{name}.txt\n{command}\n{difference}\n");
                // What is between this command and the next one stays.
                let end = output.trim_end().len();
                let blank = output[end..].replacen('\n', "", usize::from(end > 0));
                *output = came + &blank;
            }
        }
        Ok((!differences.is_empty()).then_some(differences))
    }
}

/// Types a transcript again and compares: an error says what differs, or why it could
/// not be played to its end. Where this machine cannot replay it, it is passed over,
/// and the reason comes back; but in a strict run a missing tool is an error.
pub fn check(
    mut transcript: Transcript,
    course: &Course,
    programs: &Programs,
    strict: bool,
) -> Result<Option<String>> {
    let passed_over = stage::passed_over(&transcript, course, strict)?;
    if passed_over.is_some() {
        return Ok(passed_over);
    }
    transcript.replay(course, programs)?.map_or(Ok(None), Err)
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
    changed_files(transcripts.into_iter().map(|transcript| {
        let path = transcript.path.clone();
        Ok(bless_one(transcript, course, &programs)?.then_some(path))
    }))
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
            "{}.txt: a command prints a line that begins with `$ ` or `@`, or is `^C` \
             or an anchor, and so cannot stand in a transcript",
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

/// Checks all transcripts, a few at a time, and returns the outcomes with their
/// names.
pub fn check_all(
    course: &Course,
    strict: bool,
) -> Result<Vec<(String, Result<Option<String>>)>> {
    let transcripts = all(course)?;
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
            output: "a\n\nb\n\n".into(),
        }));
    }
}
