//! A made-up course of two chapters, in a folder of its own that goes with it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};

use course::work::Scratch;
use course::{Chapter, Course};

pub const FIRST: Chapter = Chapter(1);
pub const SECOND: Chapter = Chapter(2);

pub struct MadeUp {
    pub course: Course,
    /// Where it lies, until the test ends.
    _scratch: Scratch,
}

pub const SOLUTION: &str = "fn main() {\n    println!(\"hello\");\n}\n";
pub const STARTER: &str = "fn main() {\n    todo!(\"say hello\");\n}\n";

pub const MANIFEST: &str = "\
[workspace]
resolver = \"3\"
members = [
    \"chapters/01-bind\",
    \"chapters/02-echo\",
    \"solutions/01-bind\",
    \"solutions/02-echo\",
    \"tests/harness\",
    \"tests/course\",
]
default-members = [
    \"solutions/01-bind\",
    \"solutions/02-echo\",
]
";

/// A milestone without the harness. It greets nobody: the program has to.
pub const MILESTONE: &str = r#"
use std::process::{Command, Stdio};

fn said() -> String {
    let own = option_env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")));
    let program = std::env::var_os("COURSE_PROGRAM").or(own.map(Into::into)).expect("a program");
    let output = Command::new(program).stderr(Stdio::null()).output().expect("it runs");
    String::from_utf8(output.stdout).expect("text")
}

fn report(text: &str) {
    println!("{text}");
    std::panic::resume_unwind(Box::new("reported"));
}

#[test]
fn check_01_speaks() {
    if said().is_empty() {
        report("It says nothing: say hello.");
    }
}

#[test]
fn check_02_greets() {
    match said().as_str() {
        "" => report("not checked: mend check_01_speaks first"),
        "hello\n" => {}
        _ => report("It says the wrong thing,\n    which nobody wanted."),
    }
}

#[test]
fn check_03_is_short() {
    assert!(said().len() < 10);
}
"#;

impl MadeUp {
    /// A folder with nothing in it.
    pub fn empty(name: &str) -> MadeUp {
        let scratch = Scratch::new("made-up").expect("a folder");
        let root = scratch.path().join(name);
        fs::create_dir(&root).expect("it can be made");
        MadeUp {
            course: Course::at(&root, root.join("target")),
            _scratch: scratch,
        }
    }

    /// All that a course has.
    pub fn new() -> MadeUp {
        MadeUp::in_a_folder("course")
    }

    pub fn in_a_folder(name: &str) -> MadeUp {
        let made_up = MadeUp::empty(name);
        made_up.write("Cargo.toml", MANIFEST);
        made_up.write(
            "tests/course/Cargo.toml",
            "[package]\nname = \"course\"\nedition = \"2024\"\n",
        );
        made_up.write("tests/course/src/lib.rs", "");
        made_up.write(
            "tests/harness/Cargo.toml",
            "[package]\nname = \"harness\"\nedition = \"2024\"\n\n[features]\n[dependencies]\n",
        );
        made_up.write("tests/harness/src/lib.rs", "");
        made_up.write(
            "book/src/SUMMARY.md",
            "- [one](01-bind.md)\n- [two](02-echo.md)\n",
        );
        for chapter in [FIRST, SECOND] {
            let name = chapter.name();
            for (folder, package, source) in [
                ("chapters", chapter.package(), STARTER),
                ("solutions", chapter.solution_package(), SOLUTION),
            ] {
                made_up.write(&format!("{folder}/{name}/src/main.rs"), source);
                made_up.write(
                    &format!("{folder}/{name}/Cargo.toml"),
                    &manifest(&package, chapter),
                );
            }
            made_up.write(&format!("tests/{name}.rs"), MILESTONE);
            made_up.write(&format!("book/src/{name}.md"), "# one\n");
            made_up.write(
                &format!("tests/course/starters/{name}.txt"),
                "# Nothing is said yet.\ncheck: check_01_speaks\nsays: say hello\n",
            );
            made_up.wrong(
                chapter,
                "hullo",
                "check_02_greets",
                "wrong thing",
                &says("hullo"),
            );
            for answer in ["a", "b"] {
                made_up.write(
                    &format!("tests/right/{name}/{answer}/main.rs"),
                    &format!("//! {answer}.\n{SOLUTION}"),
                );
            }
        }
        made_up
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

    /// Notes the starters as they are: no learner has been at them.
    pub fn hand_out(&self) {
        let prints = course::starters::fingerprints(&self.course).expect("files");
        self.write("tests/course/starters.txt", &prints);
    }

    pub fn wrong(
        &self,
        chapter: Chapter,
        name: &str,
        check: &str,
        says: &str,
        diff: &str,
    ) {
        let path = format!("tests/wrong/{}/{name}.patch", chapter.name());
        self.write(
            &path,
            &format!("# About it.\ncheck: {check}\nsays: {says}\n\n{diff}"),
        );
    }
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

#[track_caller]
pub fn ends(text: &str, words: &str) {
    assert!(text.ends_with(words), "{text}\ndoes not end with {words:?}");
}

pub fn manifest(package: &str, chapter: Chapter) -> String {
    // As in the real course: the verdict on a starter is the milestone's alone.
    let bin = match package.starts_with("chapter") {
        true => format!(
            "# `cargo test -p {package}` asks the milestone; unit tests, where there are some: \
             `… --bins`.\n[[bin]]\nname = \"{package}\"\npath = \"src/main.rs\"\ntest = false\n\n"
        ),
        false => String::new(),
    };
    format!(
        "[package]\nname = \"{package}\"\nedition = \"2024\"\n\n\
         [dev-dependencies]\nharness = {{ path = \"../../tests/harness\" }}\n\n{bin}\
         [[test]]\nname = \"milestone\"\npath = \"../../tests/{}.rs\"\n",
        chapter.name()
    )
}

/// A patch after which the solution says something else.
pub fn says(words: &str) -> String {
    becomes(&format!("    println!(\"{words}\");"))
}

/// A patch that replaces the line which speaks.
pub fn becomes(line: &str) -> String {
    format!(
        "--- a/src/main.rs\n+++ b/src/main.rs\n@@ -1,3 +1,3 @@\n fn main() {{\n-    println!(\"hello\");\n+{line}\n }}\n"
    )
}
