//! A mend goes up a small made-up ladder in a git repository of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use course::dev::carry::{Report, carry_up};
use course::work::Scratch;
use course::{Chapter, Course};

#[path = "made-up/course.rs"]
mod made_up;

use made_up::MadeUp;

/// Three chapters. Each grows a line at the end of the one before; the last also
/// changes the middle.
struct Ladder(MadeUp);

const ONE: &str = "fn given() {}\n\n\nfn middle() {}\n\n\nfn one() {}\n";
const TWO: &str = "fn given() {}\n\n\nfn middle() {}\n\n\nfn one() {}\nfn two() {}\n";
const THREE: &str =
    "fn given() {}\n\n\nfn middle(x: u8) {}\n\n\nfn one() {}\nfn two() {}\n";

impl std::ops::Deref for Ladder {
    type Target = MadeUp;

    fn deref(&self) -> &MadeUp {
        &self.0
    }
}

impl Ladder {
    /// `None` where git is not installed.
    fn new() -> Option<Ladder> {
        if Command::new("git").arg("--version").output().is_err() {
            course::screen::note("passed over: git is not installed");
            return None;
        }
        let ladder = Ladder(MadeUp::empty("ladder"));
        ladder.git(&["init", "--quiet", "--initial-branch", "main"]);
        for (number, starter, solution) in [
            (1, "todo!()\n", ONE),
            (2, &format!("{ONE}// todo!()\n"), TWO),
            (3, &format!("{TWO}// todo!()\n"), THREE),
        ] {
            ladder.write(&format!("chapters/{}/src/main.rs", name(number)), starter);
            ladder
                .write(&format!("solutions/{}/src/main.rs", name(number)), solution);
            ladder.write(
                &format!("chapters/{}/Cargo.toml", name(number)),
                &manifest("chapter", number),
            );
            ladder.write(
                &format!("solutions/{}/Cargo.toml", name(number)),
                &manifest("solution", number),
            );
        }
        let member = |n| {
            let name = name(n);
            format!("\"chapters/{name}\",\n\"solutions/{name}\",\n")
        };
        let members: String = (1..=4).map(member).collect();
        ladder.write(
            "Cargo.toml",
            &format!("[workspace]\nmembers = [\n{members}]\n"),
        );
        ladder.commit();
        Some(ladder)
    }

    fn git(&self, args: &[&str]) {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.root());
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            git.env_remove(name);
        }
        git.args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "core.autocrlf=false",
        ]);
        let output = git.args(args).output().expect("git runs");
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", "x"]);
    }

    /// Replaces text in a file, which must be there.
    fn mend(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path}: {text}");
        self.write(path, &text.replace(from, to));
    }

    fn carry(&self, from: u8) -> Report {
        carry_up(&self.course, Chapter(from), "HEAD").expect("it can begin")
    }

    fn refusal(&self, from: u8) -> String {
        carry_up(&self.course, Chapter(from), "HEAD").expect_err("it must not begin")
    }

    /// All files but git's own.
    fn snapshot(&self) -> course::layout::Files {
        course::layout::files(self.root()).expect("the ladder can be read")
    }
}

fn name(number: u8) -> String {
    Chapter(number).name()
}

fn manifest(kind: &str, number: u8) -> String {
    format!(
        "[package]\nname = \"{kind}0{number}\"\n\n[[test]]\npath = \"../../tests/{}.rs\"\n",
        name(number)
    )
}

const MAIN: [&str; 4] = [
    "chapters/02-echo/src/main.rs",
    "solutions/02-echo/src/main.rs",
    "chapters/03-response/src/main.rs",
    "solutions/03-response/src/main.rs",
];

#[test]
fn a_mend_reaches_every_starter_and_solution_above_and_once() {
    let Some(ladder) = Ladder::new() else { return };
    ladder.mend(
        "solutions/01-bind/src/main.rs",
        "given()",
        "given(mended: u8)",
    );
    let report = ladder.carry(1);
    assert_eq!(report.lines, MAIN.map(|path| format!("carried   {path}")));
    assert_eq!(report.stopped_at, None);
    for path in MAIN {
        assert!(
            ladder.read(path).starts_with("fn given(mended: u8) {}\n"),
            "{path}"
        );
    }
    assert!(
        ladder
            .read("solutions/03-response/src/main.rs")
            .contains("middle(x: u8)"),
        "its own change stays"
    );
    assert!(
        ladder
            .read("chapters/03-response/src/main.rs")
            .contains("todo!()"),
        "the gap stays"
    );
    assert!(
        !ladder
            .read("chapters/01-bind/src/main.rs")
            .contains("mended")
    );

    let after = ladder.snapshot();
    assert_eq!(
        ladder.carry(1).lines,
        Vec::<String>::new(),
        "a second time changes nothing"
    );
    assert_eq!(ladder.snapshot(), after);

    ladder.mend("solutions/01-bind/src/main.rs", "mended: u8", "mended: u16");
    ladder.carry(1);
    for path in MAIN {
        assert!(
            ladder.read(path).starts_with("fn given(mended: u16) {}\n"),
            "a second mend of the same line: {path}"
        );
    }
}

#[test]
fn it_stops_at_a_conflict_and_goes_on_after_it() {
    let Some(ladder) = Ladder::new() else { return };
    ladder.mend(
        "solutions/01-bind/src/main.rs",
        "middle()",
        "middle(mended: u8)",
    );
    ladder.mend(
        "solutions/01-bind/src/main.rs",
        "given()",
        "given(mended: u8)",
    );
    ladder.write("chapters/04-request/src/main.rs", THREE);
    ladder.write("solutions/04-request/src/main.rs", THREE);
    assert!(
        ladder
            .refusal(1)
            .contains("chapters/04-request/src/main.rs"),
        "somebody else's work is not touched"
    );
    ladder.git(&["add", "chapters/04-request", "solutions/04-request"]);
    ladder.git(&["commit", "--quiet", "-m", "four"]);

    let report = ladder.carry(1);
    assert_eq!(report.stopped_at, Some(Chapter(3)));
    assert_eq!(report.conflicts, ["solutions/03-response/src/main.rs"]);
    let marked = ladder.read("solutions/03-response/src/main.rs");
    assert!(
        marked.contains("<<<<<<< this chapter\nfn middle(x: u8) {}\n"),
        "{marked}"
    );
    assert!(
        marked.contains(
            "=======\nfn middle(mended: u8) {}\n>>>>>>> solution below, now"
        ),
        "{marked}"
    );
    assert!(
        marked.starts_with("fn given(mended: u8) {}\n"),
        "what does not conflict is merged: {marked}"
    );
    assert!(
        ladder
            .read("chapters/03-response/src/main.rs")
            .contains("middle(mended: u8)"),
        "the starter is done"
    );
    assert_eq!(
        ladder.read("solutions/04-request/src/main.rs"),
        THREE,
        "above the conflict nothing is touched"
    );

    let before = ladder.snapshot();
    for from in [1, 3] {
        let refusal = ladder.refusal(from);
        assert!(
            refusal.starts_with(
                "solutions/03-response/src/main.rs:4: here is an unresolved conflict"
            ),
            "{refusal}"
        );
    }
    assert_eq!(ladder.snapshot(), before, "a refusal touches nothing");

    let resolved = "fn given(mended: u8) {}\n\n\nfn middle(x: u8, mended: u8) {}\n\n\nfn one() {}\nfn two() {}\n";
    ladder.write("solutions/03-response/src/main.rs", resolved);
    let report = ladder.carry(3);
    assert_eq!(report.stopped_at, None);
    assert_eq!(ladder.read("solutions/04-request/src/main.rs"), resolved);
    assert_eq!(ladder.read("chapters/04-request/src/main.rs"), resolved);
    assert_eq!(
        ladder.carry(1).lines,
        Vec::<String>::new(),
        "from the bottom again, nothing is left to do"
    );
    assert_eq!(
        ladder.read("solutions/03-response/src/main.rs"),
        resolved,
        "the resolution stays"
    );
}

#[test]
fn files_are_added_changed_and_removed() {
    let Some(ladder) = Ladder::new() else { return };
    ladder.write("solutions/01-bind/src/old.rs", "old\n");
    ladder.carry(1);
    for chapter in [
        "chapters/02-echo",
        "solutions/02-echo",
        "chapters/03-response",
        "solutions/03-response",
    ] {
        assert_eq!(ladder.read(&format!("{chapter}/src/old.rs")), "old\n");
    }
    ladder.commit();

    fs::remove_file(ladder.path("solutions/01-bind/src/old.rs"))
        .expect("it is there");
    ladder.write("solutions/01-bind/src/new.rs", "new\n");
    ladder.write("solutions/03-response/src/old.rs", "old, and more\n");
    ladder.git(&["add", "solutions/03-response"]);
    ladder.git(&["commit", "--quiet", "-m", "x"]);
    let report = ladder.carry(1);
    assert!(!ladder.path("chapters/02-echo/src/old.rs").exists());
    assert!(!ladder.path("solutions/02-echo/src/old.rs").exists());
    assert!(!ladder.path("chapters/03-response/src/old.rs").exists());
    assert_eq!(
        report.conflicts,
        ["solutions/03-response/src/old.rs"],
        "what the chapter has changed is left to a person"
    );
    assert_eq!(
        ladder.read("solutions/03-response/src/old.rs"),
        "old, and more\n"
    );
    assert_eq!(ladder.read("solutions/03-response/src/new.rs"), "new\n");
}

#[test]
fn manifests_keep_their_names() {
    let Some(ladder) = Ladder::new() else { return };
    ladder.mend(
        "solutions/01-bind/Cargo.toml",
        "[[test]]\n",
        "[[test]]\nharness = true\n",
    );
    let report = ladder.carry(1);
    assert_eq!(report.conflicts, Vec::<String>::new());
    for (folder, kind) in [("chapters", "chapter"), ("solutions", "solution")] {
        for number in [2, 3] {
            let mended = manifest(kind, number)
                .replace("[[test]]\n", "[[test]]\nharness = true\n");
            assert_eq!(
                ladder.read(&format!("{folder}/{}/Cargo.toml", name(number))),
                mended
            );
        }
    }
}

#[test]
fn work_of_others_further_up_is_not_touched() {
    let Some(ladder) = Ladder::new() else { return };
    ladder.mend(
        "solutions/01-bind/src/main.rs",
        "given()",
        "given(mended: u8)",
    );
    ladder.mend("solutions/03-response/src/main.rs", "two()", "three()");
    let before = ladder.snapshot();
    let refusal = ladder.refusal(1);
    assert!(
        refusal.contains("uncommitted changes further up"),
        "{refusal}"
    );
    assert!(
        refusal.contains("\n  solutions/03-response/src/main.rs"),
        "{refusal}"
    );
    assert_eq!(ladder.snapshot(), before);
}

#[test]
fn a_change_that_is_committed_already_is_carried_from_an_older_commit() {
    let Some(ladder) = Ladder::new() else { return };
    ladder.mend(
        "solutions/01-bind/src/main.rs",
        "given()",
        "given(mended: u8)",
    );
    ladder.commit();
    assert_eq!(ladder.carry(1).lines, Vec::<String>::new());
    let carry =
        || carry_up(&ladder.course, Chapter(1), "HEAD~1").expect("it can begin");
    assert_eq!(carry().lines.len(), 4);
    assert_eq!(carry().lines.len(), 0);
    assert!(
        ladder
            .read("solutions/03-response/src/main.rs")
            .starts_with("fn given(mended: u8) {}\n")
    );
    let unknown =
        carry_up(&ladder.course, Chapter(1), "nonsense").expect_err("no such commit");
    assert_eq!(unknown, "git knows no commit `nonsense`");
}

#[test]
fn the_starter_beside_the_mend_is_named_and_left() {
    let Some(ladder) = Ladder::new() else { return };
    ladder.mend(
        "solutions/02-echo/src/main.rs",
        "given()",
        "given(mended: u8)",
    );
    let report = ladder.carry(2);
    assert_eq!(report.by_hand, ["chapters/02-echo/src/main.rs"]);
    assert!(
        ladder
            .read("chapters/02-echo/src/main.rs")
            .starts_with("fn given() {}\n")
    );
}

#[test]
fn a_folder_that_git_does_not_know_is_refused_in_words() {
    let scratch = Scratch::new("no-git").expect("a folder");
    fs::create_dir_all(scratch.path().join("solutions/01-bind")).expect("a folder");
    fs::create_dir_all(scratch.path().join("chapters")).expect("a folder");
    let course = Course::at(scratch.path(), Path::new("target"));
    let refusal = carry_up(&course, Chapter(1), "HEAD").expect_err("there is no git");
    assert!(
        refusal.contains("not a git checkout")
            || refusal.contains("git was not found"),
        "{refusal}"
    );
}

#[test]
fn anchors_belong_to_a_chapter_and_are_neither_carried_nor_lost() {
    let Some(ladder) = Ladder::new() else { return };
    let anchored = |text: &str, name: &str| {
        text.replace("fn given", &format!("// ANCHOR: {name}\nfn given"))
            .replace(
                "given() {}\n",
                &format!("given() {{}}\n// ANCHOR_END: {name}\n"),
            )
    };
    for (number, text, name) in [(1, ONE, "one"), (3, THREE, "three")] {
        ladder.write(
            &format!("solutions/{}/src/main.rs", Chapter(number).name()),
            &anchored(text, name),
        );
    }
    ladder.commit();
    ladder.mend(
        "solutions/01-bind/src/main.rs",
        "given()",
        "given(mended: u8)",
    );
    ladder.mend(
        "solutions/01-bind/src/main.rs",
        "fn middle",
        "// ANCHOR: new\nfn middle",
    );
    let report = ladder.carry(1);
    assert_eq!(report.conflicts, Vec::<String>::new());
    assert!(
        ladder
            .read("solutions/02-echo/src/main.rs")
            .starts_with("fn given(mended: u8) {}\n")
    );
    let three = ladder.read("solutions/03-response/src/main.rs");
    assert!(
        three.starts_with(
            "// ANCHOR: three\nfn given(mended: u8) {}\n// ANCHOR_END: three\n"
        ),
        "{three}"
    );
    assert!(!three.contains("new"), "{three}");
    assert_eq!(ladder.carry(1).lines, Vec::<String>::new());
}
