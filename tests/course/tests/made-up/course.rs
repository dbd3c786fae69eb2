//! Made-up courses, each in a folder of its own that goes with it. What is in them is
//! in files beside this one: a line `== PATH…` begins the text of the files there.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use course::dev::tree::manifest;
use course::work::Scratch;
use course::{Chapter, Course};

pub const FIRST: Chapter = Chapter(1);
pub const SECOND: Chapter = Chapter(2);

pub struct MadeUp {
    pub course: Course,
    /// Where it lies, until the test ends.
    _scratch: Scratch,
}

impl MadeUp {
    /// A folder with nothing in it.
    pub fn empty(name: &str) -> MadeUp {
        let scratch = Scratch::new("made-up").expect("a folder");
        let root = scratch.path().join(name);
        fs::create_dir(&root).expect("it can be made");
        let course = Course::at(&root, root.join("target"));
        MadeUp {
            course,
            _scratch: scratch,
        }
    }

    /// A course of two chapters with all that they need, as it is handed out.
    pub fn new() -> MadeUp {
        MadeUp::in_a_folder("course")
    }

    pub fn in_a_folder(name: &str) -> MadeUp {
        let made_up = MadeUp::empty(name);
        made_up.add("course.txt");
        for folder in ["chapters", "solutions"] {
            for chapter in [FIRST, SECOND] {
                let path = format!("{folder}/{}/Cargo.toml", chapter.name());
                made_up.write(&path, &manifest(folder, chapter));
            }
        }
        let prints = course::starters::fingerprints(&made_up.course);
        made_up.write("tests/course/starters.txt", &prints.expect("files"));
        made_up
    }

    /// Adds what is in one of the files beside this one.
    pub fn add(&self, name: &str) {
        for section in data(name).split("\n== ").skip(1) {
            let (paths, text) = section.split_once('\n').expect("lines");
            for path in paths.split(' ') {
                self.write(path, &format!("{}\n", text.trim_end()));
            }
        }
    }

    pub fn root(&self) -> &Path {
        self.course.root()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Replaces words in a file, which must be there.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        has(&text, from);
        self.write(path, &text.replace(from, to));
    }

    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
        let args = args.iter().map(|&arg| if arg == "''" { "" } else { arg });
        command.args(args).current_dir(self.root());
        command.env("CARGO_TARGET_DIR", self.path("target"));
        command
    }

    pub fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.root());
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            git.env_remove(name);
        }
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        git.args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"]);
        said(&git.args(args).output().expect("git runs"))
    }

    /// Plays a session: a file of `made-up/sessions`, in which `== PATH…` begins the
    /// text of files, as elsewhere; `$ rm PATH` and `$ replace PATH: FROM => TO`
    /// change them; and after `$ cat PATH`, `$ git …` and `$ cargo course …` is what
    /// must come out, see [`said`]. A line `...` is any lines, and `...` at the end
    /// of a line the rest of it.
    pub fn play(&self, name: &str) {
        let session = data(&format!("sessions/{name}.txt"));
        let session = session
            .replace("\n== ", "\n\0== ")
            .replace("\n$ ", "\n\0$ ");
        for step in session.split('\0').skip(1) {
            let (first, text) = step.split_once('\n').unwrap_or((step, ""));
            let text = text.trim_end();
            let words: Vec<&str> = first.split_whitespace().collect();
            let came = match words[..] {
                ["==", ref paths @ ..] => {
                    for path in paths {
                        self.write(path, &format!("{text}\n"));
                    }
                    continue;
                }
                ["$", "rm", path] => {
                    self.remove(path);
                    continue;
                }
                ["$", "replace", path, ..] => {
                    let (_, what) = first.split_once(path).expect("a path");
                    let (from, to) = what.split_once(" => ").expect("words");
                    self.replace(path.trim_end_matches(':'), from.trim_start(), to);
                    continue;
                }
                ["$", "cat", path] => self.read(path),
                ["$", "git", ref args @ ..] => self.git(args),
                ["$", "cargo", "course", ref args @ ..] => {
                    said(&self.command(args).output().expect("it runs"))
                }
                _ => panic!("{name}: what is {first}?"),
            };
            let (expected, lines): (Vec<&str>, Vec<&str>) =
                (text.lines().collect(), came.trim_end().lines().collect());
            assert!(
                fits(&expected, &lines),
                "{name}: {first}\n{came}\nis not\n{text}"
            );
        }
    }
}

/// What it says on stdout; what it says on stderr, with `! ` before each line; and
/// its exit code where that is not 0.
pub fn said(output: &Output) -> String {
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        // On a busy machine even a small build may take long enough to be announced.
        if !line.starts_with("building chapter ") {
            said.push_str(format!("! {line}").trim_end());
            said.push('\n');
        }
    }
    match output.status.code().expect("it ends by itself") {
        0 => said,
        code => said + &format!("exit code {code}\n"),
    }
}

fn fits(expected: &[&str], came: &[&str]) -> bool {
    match (expected, came) {
        ([], []) => true,
        (["...", expected @ ..], _) => {
            (0..=came.len()).any(|skipped| fits(expected, &came[skipped..]))
        }
        ([line, expected @ ..], [other, came @ ..]) => {
            let is_it = match line.strip_suffix("...") {
                Some(begin) => other.starts_with(begin),
                None => line == other,
            };
            is_it && fits(expected, came)
        }
        _ => false,
    }
}

/// The text of a file beside this one.
pub fn data(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/made-up");
    let text = fs::read_to_string(Path::new(folder).join(name));
    text.unwrap_or_else(|e| panic!("{name}: {e}"))
        .replace('\r', "")
}

#[track_caller]
pub fn has(text: &str, words: &str) {
    assert!(text.contains(words), "{text}\nlacks {words:?}");
}

#[track_caller]
pub fn begins(text: &str, words: &str) {
    assert!(
        text.starts_with(words),
        "{text}\ndoes not begin with {words:?}"
    );
}
