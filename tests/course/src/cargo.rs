//! Cargo called from here: build something, and say where the programs are.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::json::Json;
use crate::layout::{Chapter, Course};
use crate::process::{Run, Stderr};
use crate::screen::note;

/// Long enough for a first build on a slow machine.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// What cargo made of a build.
pub struct Built {
    /// Whether all of it was built.
    pub well: bool,
    /// The programs and tests that can be run.
    pub programs: Vec<Program>,
    /// What the compiler had to say, if it was asked for as data.
    pub messages: Vec<Message>,
}

/// A program or a test that was built.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The folder of its package.
    pub package: PathBuf,
    /// The name of the target: `milestone`, or the binary's name.
    pub name: String,
    /// Whether it consists of tests.
    pub tests: bool,
    /// Where it is.
    pub path: PathBuf,
}

/// A warning or an error of the compiler.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The folder of its package.
    pub package: PathBuf,
    /// The text as the compiler would print it.
    pub text: String,
}

/// The cargo that runs us, or the one on the PATH.
pub fn command(course: &Course) -> Command {
    let mut cargo =
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(course.root());
    if std::env::var_os("CARGO_TARGET_DIR").is_some() {
        // The same folder in absolute terms; a course that a test has made up has one
        // of its own.
        cargo.env("CARGO_TARGET_DIR", course.target());
    }
    cargo
}

/// What a person is told while cargo builds.
#[derive(Clone, Copy)]
pub enum Told<'a> {
    /// Nothing.
    Nothing,
    /// What the compiler says; what cargo waits for; and, if it takes longer than a
    /// moment, this.
    All(&'a str),
}

/// Runs a cargo command that builds, and asks it for JSON.
pub fn build(course: &Course, cargo: &mut Command, told: Told<'_>) -> Result<Built> {
    let watcher = Watcher::new(match told {
        Told::Nothing => "",
        Told::All(sentence) => sentence,
    });
    let tell = |line: Option<&str>| watcher.tell(line);
    cargo.arg(match told {
        Told::Nothing => "--message-format=json",
        Told::All(_) => "--message-format=json-render-diagnostics",
    });
    if matches!(told, Told::All(_)) && std::io::stderr().is_terminal() {
        cargo.args(["--color", "always"]);
    }
    let run = Run {
        scratch: course.scratch(),
        deadline: DEADLINE,
        stderr: match told {
            Told::Nothing => Stderr::Dropped,
            Told::All(_) => Stderr::Watched(&tell),
        },
        with_children: false,
    };
    let ended = run.run(cargo).map_err(|e| {
        format!(
            "cannot run {}: {e}; is Rust installed, and is its folder on the PATH? \
             (`cargo --version` should answer)",
            cargo.get_program().to_string_lossy()
        )
    })?;
    if ended.status.is_none() {
        return Err(format!(
            "cargo was still building after {} minutes and was stopped",
            DEADLINE.as_secs() / 60
        ));
    }
    let lines: Vec<Json> = ended.output.lines().filter_map(Json::read).collect();
    Ok(Built {
        well: ended.well(),
        programs: lines.iter().filter_map(program).collect(),
        messages: lines.iter().filter_map(message).collect(),
    })
}

/// Passes on what the compiler says, leaves out how far cargo is, and breaks the
/// silence where it waits.
struct Watcher<'a> {
    begin: Instant,
    slow: Cell<Option<&'a str>>,
    blocked: Cell<Option<Instant>>,
}

/// When to say that cargo waits for another one.
const BLOCKED: Duration = Duration::from_secs(1);

/// When to say that a build is under way.
const SLOW: Duration = Duration::from_secs(2);

/// Two lines, neither of which is folded in a terminal of 80 columns.
const WAITS: &str = "waiting: another cargo, perhaps your editor's, is building here\n\
                     (what helps: \"When cargo waits\" in the introduction)";

impl<'a> Watcher<'a> {
    fn new(slow: &'a str) -> Watcher<'a> {
        Watcher {
            begin: Instant::now(),
            slow: Cell::new(Some(slow)),
            blocked: Cell::new(None),
        }
    }

    fn tell(&self, line: Option<&str>) {
        let blocked = self.blocked.get();
        match line {
            Some(line) => match status(line) {
                Some("Blocking") => self.blocked.set(Some(Instant::now())),
                Some(_) => self.blocked.set(None),
                None => note(line),
            },
            None if blocked.is_some_and(|since| since.elapsed() >= BLOCKED) => {
                note(WAITS);
                self.blocked.set(None);
                // Why it takes long is said.
                self.slow.set(None);
            }
            None if blocked.is_none() && self.begin.elapsed() >= SLOW => {
                if let Some(sentence) = self.slow.take() {
                    note(sentence);
                }
            }
            None => {}
        }
    }
}

/// The first word of a line in which cargo says how far it is, such as
/// `   Compiling chapter05 v0.1.0`, whatever its colour.
fn status(line: &str) -> Option<&'static str> {
    const WORDS: &str = "Blocking Compiling Checking Finished Fresh Dirty Running \
                         Executable Downloading Downloaded Updating Locking Adding";
    // A colour begins with ESC [ and ends with m.
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let word = plain.split_whitespace().next()?;
    let is_set_right = plain.find(word)? + word.len() == 12;
    WORDS
        .split(' ')
        .find(|known| *known == word && is_set_right)
}

impl Built {
    /// The program called `name` of the package in `folder`.
    pub fn program(&self, folder: &Path, name: &str) -> Option<&Path> {
        self.programs
            .iter()
            .find(|program| {
                same_place(&program.package, folder) && program.name == name
            })
            .map(|program| program.path.as_path())
    }

    /// The unit tests of the package in `folder`.
    pub fn unit_tests(&self, folder: &Path) -> impl Iterator<Item = &Path> {
        let of_it = move |program: &&Program| {
            program.tests
                && program.name != "milestone"
                && same_place(&program.package, folder)
        };
        self.programs
            .iter()
            .filter(of_it)
            .map(|program| program.path.as_path())
    }
}

/// Which program of a solution is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The server.
    Server,
    /// The compiled milestone.
    Milestone,
}

/// Builds a program of each of these solutions. One that does not build is left out.
pub fn solutions(
    course: &Course,
    chapters: &[Chapter],
    target: Target,
) -> Result<BTreeMap<Chapter, PathBuf>> {
    if chapters.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut cargo = command(course);
    cargo.args(["build", "--quiet", "--keep-going"]);
    cargo.args(match target {
        Target::Server => ["--bins"].as_slice(),
        Target::Milestone => &["--test", "milestone"],
    });
    for chapter in chapters {
        cargo.args(["--package", &chapter.solution_package()]);
    }
    let built = build(course, &mut cargo, Told::All("building the solutions"))?;
    let program = |&chapter: &Chapter| {
        let name = match target {
            Target::Server => chapter.solution_package(),
            Target::Milestone => "milestone".into(),
        };
        let path = built.program(&course.solution(chapter), &name)?;
        Some((chapter, path.to_owned()))
    };
    Ok(chapters.iter().filter_map(program).collect())
}

/// Whether two paths lead to one place, whatever symlinks stand in them.
pub fn same_place(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// What cargo knows of the packages, without asking what they depend on in turn.
pub fn metadata(course: &Course) -> Result<Json> {
    let mut cargo = command(course);
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = cargo
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    let json = Json::read(&String::from_utf8_lossy(&output.stdout));
    json.ok_or_else(|| {
        String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned()
    })
}

fn program(line: &Json) -> Option<Program> {
    Some(Program {
        package: package(line)?,
        name: line.get("target")?.text("name")?.to_owned(),
        tests: line.get("profile")?.is("test"),
        path: line.text("executable")?.into(),
    })
}

fn message(line: &Json) -> Option<Message> {
    Some(Message {
        package: package(line)?,
        text: line.get("message")?.text("rendered")?.to_owned(),
    })
}

/// The folder of the package that something is about.
pub fn package(about: &Json) -> Option<PathBuf> {
    let manifest = Path::new(about.text("manifest_path")?);
    Some(manifest.parent()?.to_owned())
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
}
