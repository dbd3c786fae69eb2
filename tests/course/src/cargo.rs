//! Cargo called from here: build something, and say where the programs are.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::layout::{Chapter, Course};
use crate::screen::note;

/// Long enough for a first build on a slow machine.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// What cargo made of a build.
pub struct Built {
    /// Whether all of it was built.
    pub well: bool,
    /// What the compiler said: nothing if there was neither an error nor a warning.
    pub said: String,
    programs: Vec<Program>,
}

/// A program that was built.
struct Program {
    /// The file that it was built from: `main.rs`, or a milestone.
    source: PathBuf,
    /// Whether it consists of tests.
    tests: bool,
    path: PathBuf,
}

/// Runs a cargo command that builds these packages. A person who waits is told what
/// the compiler says; what cargo waits for; and, if it takes longer than a moment,
/// `told`. If that is `None`, nothing is told.
pub fn build(
    course: &Course,
    command: &[&str],
    packages: &[String],
    told: Option<&str>,
) -> Result<Built> {
    let mut cargo =
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(course.root()).args(command);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    cargo.arg("--message-format=json-render-diagnostics");
    if std::env::var_os("CARGO_TARGET_DIR").is_some() {
        // The same folder in absolute terms; a course that a test has made up has one
        // of its own.
        cargo.env("CARGO_TARGET_DIR", course.target());
    }
    if told.is_some() && std::io::stderr().is_terminal() {
        cargo.args(["--color", "always"]);
    }
    cargo.stdin(Stdio::null());
    cargo.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = cargo.spawn().map_err(|e| {
        format!(
            "cannot run {}: {e}; is Rust installed, and is its folder on the PATH? \
             (`cargo --version` should answer)",
            cargo.get_program().to_string_lossy()
        )
    })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let data = thread::spawn(move || {
        let mut data = Vec::new();
        // What cannot be read is missed below, as a program that was not built.
        let _ = stdout.map(|mut stdout| stdout.read_to_end(&mut data));
        String::from_utf8_lossy(&data).into_owned()
    });
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = stderr
            .into_iter()
            .flat_map(|err| BufReader::new(err).split(b'\n'));
        for line in lines.map_while(std::io::Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    let mut listener = Listener {
        begin: Instant::now(),
        told,
        slow: told,
        blocked: None,
        said: String::new(),
    };
    loop {
        match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => listener.hear(&line),
            Err(RecvTimeoutError::Timeout) => listener.break_the_silence(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if listener.begin.elapsed() >= DEADLINE {
            // It fails only where it has ended already.
            let _ = child.kill();
            return Err(format!(
                "cargo was still building after {} minutes and was stopped",
                DEADLINE.as_secs() / 60
            ));
        }
    }
    let status = child
        .wait()
        .map_err(|e| format!("cannot wait for cargo: {e}"))?;
    let data = data.join().unwrap_or_default();
    Ok(Built {
        well: status.success(),
        said: listener.said,
        programs: data.lines().filter_map(program).collect(),
    })
}

/// Passes on what the compiler says, leaves out how far cargo is, and breaks the
/// silence where it waits.
struct Listener<'a> {
    begin: Instant,
    told: Option<&'a str>,
    /// What is to be said of a build that takes long, until it is said.
    slow: Option<&'a str>,
    blocked: Option<Instant>,
    said: String,
}

/// When to say that cargo waits for another one.
const BLOCKED: Duration = Duration::from_secs(1);

/// When to say that a build is under way.
const SLOW: Duration = Duration::from_secs(2);

/// Two lines, neither of which is folded in a terminal of 80 columns.
const WAITS: &str = "waiting: another cargo, perhaps your editor's, is building here\n\
                     (what helps: \"When cargo waits\" in the introduction)";

impl Listener<'_> {
    fn hear(&mut self, line: &str) {
        if let Some(status) = status(line) {
            self.blocked = (status == "Blocking").then(Instant::now);
            return;
        }
        self.said.push_str(line);
        self.said.push('\n');
        if self.told.is_some() {
            note(line);
        }
    }

    fn break_the_silence(&mut self) {
        match self.blocked {
            // Why it takes long is said then.
            Some(since) if since.elapsed() >= BLOCKED => {
                self.blocked = None;
                if self.slow.take().is_some() {
                    note(WAITS);
                }
            }
            None if self.begin.elapsed() >= SLOW => {
                self.slow.take().into_iter().for_each(note);
            }
            _ => {}
        }
    }
}

/// The first word of a line in which cargo says how far it is, such as
/// `   Compiling chapter05 v0.1.0`, whatever its colour.
fn status(line: &str) -> Option<&'static str> {
    const WORDS: &str = "Blocking Compiling Checking Finished Fresh Dirty Running \
                         Executable Downloading Downloaded Updating Locking Adding";
    let (first, rest) = line.split_once('\x1b').unwrap_or((line, ""));
    // A colour begins with ESC [ and ends with m.
    let coloured = rest.split('\x1b');
    let coloured = coloured.filter_map(|piece| Some(piece.split_once('m')?.1));
    let plain = first.to_owned() + &coloured.collect::<String>();
    let word = plain.split_whitespace().next()?;
    let is_set_right = plain.find(word)? + word.len() == 12;
    WORDS
        .split(' ')
        .find(|known| *known == word && is_set_right)
}

impl Built {
    /// The program that was built from a file: tests, or no tests.
    pub fn program(&self, source: &Path, tests: bool) -> Option<&Path> {
        let same_place = |a: &Path, b: &Path| {
            // Whatever symlinks are in them.
            a == b
                || a.canonicalize()
                    .is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
        };
        let is_it = |program: &&Program| {
            program.tests == tests && same_place(&program.source, source)
        };
        self.programs
            .iter()
            .find(is_it)
            .map(|program| &*program.path)
    }
}

/// Builds the programs of these solutions. One that does not build is left out.
pub fn servers(
    course: &Course,
    chapters: &[Chapter],
) -> Result<BTreeMap<Chapter, PathBuf>> {
    let main = |chapter| course.solution(chapter).join("src/main.rs");
    solutions(course, chapters, &["--bins"], main)
}

/// Builds the milestones of these solutions. One that does not build is left out.
pub fn milestones(
    course: &Course,
    chapters: &[Chapter],
) -> Result<BTreeMap<Chapter, PathBuf>> {
    let milestone = |chapter| course.milestone(chapter);
    solutions(course, chapters, &["--test", "milestone"], milestone)
}

fn solutions(
    course: &Course,
    chapters: &[Chapter],
    targets: &[&str],
    source: impl Fn(Chapter) -> PathBuf,
) -> Result<BTreeMap<Chapter, PathBuf>> {
    if chapters.is_empty() {
        return Ok(BTreeMap::new());
    }
    let package = |chapter: &Chapter| chapter.solution_package();
    let packages: Vec<String> = chapters.iter().map(package).collect();
    let command = [&["build", "--keep-going"], targets].concat();
    let built = build(course, &command, &packages, Some("building the solutions"))?;
    let are_tests = targets.contains(&"--test");
    let program = |&chapter: &Chapter| {
        let path = built.program(&source(chapter), are_tests)?;
        Some((chapter, path.to_owned()))
    };
    Ok(chapters.iter().filter_map(program).collect())
}

/// Reads a line of JSON in which cargo says what it has built.
///
/// The line is searched rather than parsed. What it finds is a key indeed: inside of
/// a string each quotation mark has a backslash before it.
fn program(line: &str) -> Option<Program> {
    let (before, profile) = line.split_once("\"profile\":{")?;
    Some(Program {
        source: string(before, "src_path")?.into(),
        tests: profile.split('}').next()?.contains("\"test\":true"),
        path: string(profile, "executable")?.into(),
    })
}

/// The string under a key: a path, in which only a backslash or a quotation mark is
/// written with a backslash.
fn string(json: &str, key: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{key}\":\""))?;
    let mut text = String::new();
    let mut letters = rest.chars();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.push(letters.next()?),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_own_lines_are_told_from_the_compilers() {
        let blocking = "    Blocking waiting for file lock on artifact directory";
        assert_eq!(status(blocking), Some("Blocking"));
        let compiling = "\x1b[1m\x1b[92m   Compiling\x1b[0m chapter05 v0.1.0";
        assert_eq!(status(compiling), Some("Compiling"));
        for line in ["error: Compiling", "  |     Running", "Compiling", ""] {
            assert_eq!(status(line), None, "{line:?}");
        }
    }

    #[test]
    fn what_cargo_has_built_is_read() {
        let line = concat!(
            r#"{"target":{"name":"x","src_path":"C:\\a \"b\"\\main.rs","test":true},"#,
            r#""profile":{"debuginfo":1,"test":false},"features":["test"],"#,
            r#""executable":"C:\\x.exe","fresh":true}"#
        );
        let built = program(line).expect("a program");
        assert_eq!(built.source, Path::new(r#"C:\a "b"\main.rs"#));
        assert_eq!((built.tests, built.path), (false, r"C:\x.exe".into()));
        let library = line.replace(r#""C:\\x.exe""#, "null");
        assert!(program(&library).is_none(), "a library is no program");
        assert!(program(r#"{"reason":"build-finished","success":true}"#).is_none());
    }
}
