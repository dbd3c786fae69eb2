//! A mend goes up a small made-up ladder in a git repository of its own.

use std::fs;
use std::process::Command;

use course::dev::carry::{Report, carry_up};
use course::layout::Files;
use course::{Chapter, Course};

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{MadeUp, begins, has};

/// Three chapters. Each grows a line at the end of the one before; the last also
/// changes the middle.
struct Ladder(MadeUp);

const ONE: &str = "fn given() {}\n\n\nfn middle() {}\n\n\nfn one() {}\n";
const TWO: &str = "fn given() {}\n\n\nfn middle() {}\n\n\nfn one() {}\nfn two() {}\n";
const THREE: &str =
    "fn given() {}\n\n\nfn middle(x: u8) {}\n\n\nfn one() {}\nfn two() {}\n";

const SOLUTION_1: &str = "solutions/01-bind/src/main.rs";
const STARTER_2: &str = "chapters/02-echo/src/main.rs";
const SOLUTION_2: &str = "solutions/02-echo/src/main.rs";
const STARTER_3: &str = "chapters/03-response/src/main.rs";
const SOLUTION_3: &str = "solutions/03-response/src/main.rs";
const STARTER_4: &str = "chapters/04-request/src/main.rs";
const SOLUTION_4: &str = "solutions/04-request/src/main.rs";
const ABOVE_1: [&str; 4] = [STARTER_2, SOLUTION_2, STARTER_3, SOLUTION_3];

const MENDED: &str = "fn given(mended: u8) {}\n";
const NOTHING: [&str; 0] = [];

impl std::ops::Deref for Ladder {
    type Target = MadeUp;

    fn deref(&self) -> &MadeUp {
        &self.0
    }
}

impl Ladder {
    fn new() -> Ladder {
        let ladder = Ladder(MadeUp::empty("ladder"));
        ladder.git(&["init", "--quiet", "--initial-branch", "main"]);
        for (number, starter, solution) in [
            (1, "todo!()\n", ONE),
            (2, &format!("{ONE}// todo!()\n"), TWO),
            (3, &format!("{TWO}// todo!()\n"), THREE),
        ] {
            let name = Chapter(number).name();
            for (kind, source) in [("chapter", starter), ("solution", solution)] {
                ladder.write(&format!("{kind}s/{name}/src/main.rs"), source);
                let manifest = manifest(kind, number);
                ladder.write(&format!("{kind}s/{name}/Cargo.toml"), &manifest);
            }
        }
        let names = (1..=4).map(|number| Chapter(number).name());
        let members: String = names
            .map(|name| format!("\"chapters/{name}\",\n\"solutions/{name}\",\n"))
            .collect();
        let workspace = format!("[workspace]\nmembers = [\n{members}]\n");
        ladder.write("Cargo.toml", &workspace);
        ladder.commit();
        ladder
    }

    fn git(&self, args: &[&str]) {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.root());
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            git.env_remove(name);
        }
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        git.args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"]);
        let output = git.args(args).output().expect("git runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", "x"]);
    }

    /// Mends what all chapters have from the first.
    fn mend_given(&self, path: &str) {
        self.replace(path, "given()", "given(mended: u8)");
    }

    fn carry(&self, from: u8) -> Report {
        carry_up(&self.course, Chapter(from), "HEAD").expect("it can begin")
    }

    fn refusal(&self, from: u8) -> String {
        carry_up(&self.course, Chapter(from), "HEAD").expect_err("it must not begin")
    }

    /// All files but git's own.
    fn snapshot(&self) -> Files {
        course::layout::files(self.root()).expect("the ladder can be read")
    }
}

fn manifest(kind: &str, number: u8) -> String {
    format!(
        "[package]\nname = \"{kind}0{number}\"\n\n[[test]]\npath = \"../../tests/{}.rs\"\n",
        Chapter(number).name()
    )
}

#[test]
fn a_mend_reaches_every_starter_and_solution_above_and_once() {
    let ladder = Ladder::new();
    ladder.mend_given(SOLUTION_1);
    let report = ladder.carry(1);
    assert_eq!(
        report.lines,
        ABOVE_1.map(|path| format!("carried   {path}"))
    );
    assert_eq!(report.stopped_at, None);
    for path in ABOVE_1 {
        begins(&ladder.read(path), MENDED);
    }
    has(&ladder.read(SOLUTION_3), "middle(x: u8)");
    has(&ladder.read(STARTER_3), "todo!()");
    let beside = ladder.read("chapters/01-bind/src/main.rs");
    assert!(!beside.contains("mended"), "{beside}");

    let after = ladder.snapshot();
    assert_eq!(
        ladder.carry(1).lines,
        NOTHING,
        "a second time changes nothing"
    );
    assert_eq!(ladder.snapshot(), after);

    ladder.replace(SOLUTION_1, "mended: u8", "mended: u16");
    ladder.carry(1);
    for path in ABOVE_1 {
        begins(&ladder.read(path), "fn given(mended: u16) {}\n");
    }
}

#[test]
fn it_stops_at_a_conflict_and_goes_on_after_it() {
    let ladder = Ladder::new();
    ladder.replace(SOLUTION_1, "middle()", "middle(mended: u8)");
    ladder.mend_given(SOLUTION_1);
    ladder.write(STARTER_4, THREE);
    ladder.write(SOLUTION_4, THREE);
    // Somebody else's work is not touched.
    has(&ladder.refusal(1), STARTER_4);
    ladder.git(&["add", "chapters/04-request", "solutions/04-request"]);
    ladder.git(&["commit", "--quiet", "-m", "four"]);

    let report = ladder.carry(1);
    assert_eq!(report.stopped_at, Some(Chapter(3)));
    assert_eq!(report.conflicts, [SOLUTION_3]);
    let marked = ladder.read(SOLUTION_3);
    // What does not conflict is merged.
    begins(&marked, MENDED);
    has(&marked, "<<<<<<< this chapter\nfn middle(x: u8) {}\n");
    let theirs = "=======\nfn middle(mended: u8) {}\n>>>>>>> solution below, now";
    has(&marked, theirs);
    has(&ladder.read(STARTER_3), "middle(mended: u8)");
    assert_eq!(ladder.read(SOLUTION_4), THREE, "above the conflict");

    let before = ladder.snapshot();
    for from in [1, 3] {
        let refused = format!("{SOLUTION_3}:4: here is an unresolved conflict");
        begins(&ladder.refusal(from), &refused);
    }
    assert_eq!(ladder.snapshot(), before, "a refusal touches nothing");

    let resolved = THREE.replace("(x: u8)", "(x: u8, mended: u8)");
    let resolved = resolved.replace("given()", "given(mended: u8)");
    ladder.write(SOLUTION_3, &resolved);
    assert_eq!(ladder.carry(3).stopped_at, None);
    assert_eq!(ladder.read(SOLUTION_4), resolved);
    assert_eq!(ladder.read(STARTER_4), resolved);
    assert_eq!(ladder.carry(1).lines, NOTHING, "from the bottom again");
    assert_eq!(ladder.read(SOLUTION_3), resolved, "the resolution stays");
}

#[test]
fn files_are_added_changed_and_removed() {
    let ladder = Ladder::new();
    let old = |path: &str| path.replace("main.rs", "old.rs");
    ladder.write(&old(SOLUTION_1), "old\n");
    ladder.carry(1);
    for path in ABOVE_1 {
        assert_eq!(ladder.read(&old(path)), "old\n");
    }
    ladder.commit();

    ladder.remove(&old(SOLUTION_1));
    ladder.write("solutions/01-bind/src/new.rs", "new\n");
    ladder.write(&old(SOLUTION_3), "old, and more\n");
    ladder.git(&["add", "solutions/03-response"]);
    ladder.git(&["commit", "--quiet", "-m", "x"]);
    let report = ladder.carry(1);
    for path in [STARTER_2, SOLUTION_2, STARTER_3] {
        assert!(!ladder.path(&old(path)).exists(), "{path}");
    }
    // What the chapter has changed is left to a person.
    assert_eq!(report.conflicts, [old(SOLUTION_3)]);
    assert_eq!(ladder.read(&old(SOLUTION_3)), "old, and more\n");
    assert_eq!(ladder.read("solutions/03-response/src/new.rs"), "new\n");
}

#[test]
fn manifests_keep_their_names() {
    let ladder = Ladder::new();
    let mended = ["[[test]]\n", "[[test]]\nharness = true\n"];
    ladder.replace("solutions/01-bind/Cargo.toml", mended[0], mended[1]);
    assert_eq!(ladder.carry(1).conflicts, NOTHING);
    for (kind, number) in [
        ("chapter", 2),
        ("solution", 2),
        ("chapter", 3),
        ("solution", 3),
    ] {
        let path = format!("{kind}s/{}/Cargo.toml", Chapter(number).name());
        let expected = manifest(kind, number).replace(mended[0], mended[1]);
        assert_eq!(ladder.read(&path), expected);
    }
}

#[test]
fn work_of_others_further_up_is_not_touched() {
    let ladder = Ladder::new();
    ladder.mend_given(SOLUTION_1);
    ladder.replace(SOLUTION_3, "two()", "three()");
    let before = ladder.snapshot();
    let refusal = ladder.refusal(1);
    has(&refusal, "uncommitted changes further up");
    has(&refusal, &format!("\n  {SOLUTION_3}"));
    assert_eq!(ladder.snapshot(), before);
}

#[test]
fn a_change_that_is_committed_already_is_carried_from_an_older_commit() {
    let ladder = Ladder::new();
    ladder.mend_given(SOLUTION_1);
    ladder.commit();
    assert_eq!(ladder.carry(1).lines, NOTHING);
    let carry = |base| carry_up(&ladder.course, Chapter(1), base);
    assert_eq!(carry("HEAD~1").expect("it can begin").lines.len(), 4);
    assert_eq!(carry("HEAD~1").expect("it can begin").lines, NOTHING);
    begins(&ladder.read(SOLUTION_3), MENDED);
    let unknown = carry("nonsense").expect_err("no such commit");
    assert_eq!(unknown, "git knows no commit `nonsense`");
}

#[test]
fn the_starter_beside_the_mend_is_named_and_left() {
    let ladder = Ladder::new();
    ladder.mend_given(SOLUTION_2);
    assert_eq!(ladder.carry(2).by_hand, [STARTER_2]);
    begins(&ladder.read(STARTER_2), "fn given() {}\n");
}

#[test]
fn a_folder_that_git_does_not_know_is_refused_in_words() {
    let made_up = MadeUp::empty("no-git");
    fs::create_dir_all(made_up.path("solutions/01-bind")).expect("a folder");
    let course = Course::at(made_up.root(), made_up.path("target"));
    let refusal = carry_up(&course, Chapter(1), "HEAD").expect_err("no git");
    has(&refusal, "not a git checkout");
}

#[test]
fn anchors_belong_to_a_chapter_and_are_neither_carried_nor_lost() {
    let ladder = Ladder::new();
    let anchored = |name: &str| {
        format!("// ANCHOR: {name}\nfn given() {{}}\n// ANCHOR_END: {name}\n")
    };
    for (path, name) in [(SOLUTION_1, "one"), (SOLUTION_3, "three")] {
        ladder.replace(path, "fn given() {}\n", &anchored(name));
    }
    ladder.commit();
    ladder.mend_given(SOLUTION_1);
    ladder.replace(SOLUTION_1, "fn middle", "// ANCHOR: new\nfn middle");
    assert_eq!(ladder.carry(1).conflicts, NOTHING);
    begins(&ladder.read(SOLUTION_2), MENDED);
    let three = ladder.read(SOLUTION_3);
    let mended = format!("// ANCHOR: three\n{MENDED}// ANCHOR_END: three\n");
    begins(&three, &mended);
    assert!(!three.contains("new"), "{three}");
    assert_eq!(ladder.carry(1).lines, NOTHING);
}
