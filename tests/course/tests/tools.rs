//! The tools that prove the course, proved themselves: on a made-up course, in which
//! something is always wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use course::Chapter;
use course::dev::answers::{Answer, Judged, Kind, Proof, few, find};
use course::dev::{bless, starters, tree};

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{FIRST, MadeUp, SECOND, begins, data, has};

const HULLO: &str = "tests/wrong/01-bind/hullo.patch";

/// The first chapter's milestone, compiled without cargo.
static MILESTONE: LazyLock<BTreeMap<Chapter, PathBuf>> = LazyLock::new(|| {
    let made_up = MadeUp::new();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("made-up-milestone");
    let status = Command::new("rustc")
        .env("CARGO_PKG_NAME", FIRST.solution_package())
        .args(["--edition", "2024", "--test", "-A", "warnings", "-o"])
        .args([&path, &made_up.course.milestone(FIRST)])
        .status();
    assert!(status.expect("rustc runs").success());
    BTreeMap::from([(FIRST, path)])
});

impl MadeUp {
    fn answers(&self, kind: Kind) -> Vec<Answer> {
        find(&self.course, kind, &[FIRST]).expect("the answers can be read")
    }

    /// Judges the first chapter's answers.
    fn judged(&self, kind: Kind) -> Judged {
        let (course, milestones) = (&self.course, &*MILESTONE);
        let deadline = Duration::from_secs(3);
        let proof = Proof {
            course,
            milestones,
            deadline,
        };
        let mut judged = Judged::default();
        let answers = self.answers(kind);
        proof.prove(&answers, answers.len(), &mut judged);
        judged
    }
}

fn joined(complaints: Result<Vec<String>, String>) -> String {
    complaints.expect("the course can be read").join("\n")
}

#[test]
fn a_wrong_answer_that_is_no_good_is_found_out() {
    let made_up = MadeUp::new();
    made_up.add("answers.txt");
    let begin = Instant::now();
    let judged = made_up.judged(Kind::Wrong);
    let took = begin.elapsed();
    assert!(
        took < Duration::from_secs(60),
        "one that hangs must not hold up the rest"
    );
    assert_eq!(judged.reports.len(), 1, "{:?}", judged.reports);
    assert_eq!(judged.reports[0].0, HULLO, "the good one");
    let answers = made_up.answers(Kind::Wrong);
    let bad = answers.iter().filter(|answer| answer.shown != HULLO);
    for (answer, complaint) in bad.zip(&judged.complaints) {
        let patch = made_up.read(&answer.shown);
        let about = patch.lines().next().expect("a first line");
        let expected = about.replace("# ", &format!("{}: ", answer.shown));
        begins(complaint, &expected);
    }
    assert_eq!(judged.complaints.len(), answers.len() - 1);
}

#[test]
fn a_right_answer_that_is_rejected_is_found_out() {
    let made_up = MadeUp::new();
    made_up.add("answers.txt");
    let judged = made_up.judged(Kind::Right);
    let accepted: Vec<&str> =
        judged.reports.iter().map(|(path, _)| &**path).collect();
    let expected = ["a", "b", "patched.patch"];
    assert_eq!(
        accepted,
        expected.map(|name| format!("tests/right/01-bind/{name}"))
    );
    let [rejected, silent] = &judged.complaints[..] else {
        panic!("{:?}", judged.complaints);
    };
    has(
        rejected,
        "rejected.patch: this is right, and check_02_greets rejects it",
    );
    has(rejected, "It says the wrong thing");
    has(silent, "silent: its main.rs must begin with `//! …`");
}

#[test]
fn what_is_no_answer_is_named() {
    for (kind, path) in [
        (Kind::Wrong, "notes.txt"),
        (Kind::Wrong, "folder/main.rs"),
        (Kind::Right, "folder/lib.rs"),
    ] {
        let made_up = MadeUp::new();
        let folder = format!("tests/{}/01-bind", kind.folder());
        made_up.write(&format!("{folder}/{path}"), "x");
        let found = find(&made_up.course, kind, &[FIRST]);
        begins(&found.expect_err("it is no answer"), &folder);
    }
}

#[test]
fn an_answer_is_built_once_and_again_when_it_changes() {
    let made_up = MadeUp::new();
    for (built, word) in [(1, "hullo"), (0, "hullo"), (1, "hallo")] {
        made_up.replace(HULLO, "hullo", word);
        let judged = made_up.judged(Kind::Wrong);
        assert_eq!((judged.built, judged.complaints), (built, vec![]), "{word}");
    }
}

#[test]
fn of_many_answers_a_few_are_taken_by_name_and_by_check() {
    let made_up = MadeUp::new();
    for (name, check) in [
        ("a", "check_02_greets"),
        ("b", "check_02_greets"),
        ("c", "check_01_speaks"),
        ("d", "check_03_is_short"),
        ("e", "check_04_more"),
    ] {
        let patch = made_up.read(HULLO).replace("check_02_greets", check);
        made_up.write(&format!("tests/wrong/01-bind/{name}.patch"), &patch);
    }
    let mut answers = made_up.answers(Kind::Wrong);
    answers.extend(made_up.answers(Kind::Right));
    let few = few(answers);
    let names: Vec<_> = few.iter().filter_map(|one| one.path.file_stem()).collect();
    assert_eq!(names, ["a", "c", "d", "a"]);
}

#[test]
fn what_is_not_where_it_belongs_is_named() {
    for line in data("tree.txt").lines() {
        let line = line.replace("\\n", "\n");
        let Some((change, complaint)) = line.rsplit_once(" => ") else {
            continue;
        };
        let made_up = MadeUp::new();
        match change.split_once(' ') {
            Some(("rm", path)) => made_up.remove(path),
            Some(("write", path)) => made_up.write(path, ""),
            Some(("replace", what)) => {
                let (path, what) = what.split_once(": ").expect("a path");
                let (from, to) = what.split_once(" => ").expect("words");
                made_up.replace(path, from, to);
            }
            _ => panic!("{line}"),
        }
        let (course, chapters) = (&made_up.course, [FIRST, SECOND]);
        let complaints = [
            tree::incomplete(course),
            tree::members(course),
            tree::not_mirrored(course, &chapters),
            tree::dependencies(course, &chapters),
        ];
        let complaints =
            complaints.map(|found| found.unwrap_or_else(|why| vec![why]));
        let complaints = complaints.concat().join("\n");
        has(&complaints, complaint);
        assert_eq!(complaints.is_empty(), complaint.is_empty(), "{complaints}");
    }
}

#[test]
fn a_learners_chapter_is_told_from_a_starter() {
    let made_up = MadeUp::new();
    let course = &made_up.course;
    let complaints = |strict| joined(starters::complaints(course, strict));
    let handed_out = || starters::handed_out(course, false);
    made_up.replace("tests/course/starters.txt", "01-bind", "04-request");
    begins(
        &handed_out().expect_err("nobody knows how it was handed out"),
        "tests/course/starters.txt has no line for 01-bind; run",
    );
    has(
        &complaints(false),
        "starters.txt has no line for 01-bind: if that is",
    );
    has(
        &complaints(false),
        "has a line for 04-request, which is not there",
    );
    let changes = bless::bless_starters(course).expect("it can be written");
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert_eq!(complaints(true), "");
    assert_eq!(handed_out(), Ok(vec![FIRST, SECOND]));

    made_up.replace("chapters/02-echo/src/main.rs", "todo", "panic");
    assert_eq!(complaints(false), "");
    assert_eq!(handed_out(), Ok(vec![FIRST]));
    begins(&complaints(true), "chapters/02-echo is not what");
}

#[test]
fn a_starter_that_fails_otherwise_than_noted_is_named() {
    let made_up = MadeUp::new();
    let deadline = Duration::from_secs(3);
    let complaints = || {
        joined(starters::not_red(
            &made_up.course,
            &[FIRST, SECOND],
            deadline,
        ))
    };
    assert_eq!(complaints(), "");
    let [first, second] =
        ["01-bind", "02-echo"].map(|name| format!("chapters/{name}/src/main.rs"));
    let solution = made_up.read("solutions/01-bind/src/main.rs");

    made_up.write(&first, &solution);
    made_up.replace(&second, "    todo", "    let unused = 1;\n    todo");
    let found = complaints();
    has(
        &found,
        "chapters/01-bind: the starter passes its milestone: where is the",
    );
    begins(
        &found,
        "starters must build without a warning:\nwarning: unused",
    );

    made_up.replace(&first, "hello", "hullo");
    made_up.replace(&second, "todo!", "toodo!");
    let found = complaints();
    has(
        &found,
        "check_02_greets fails first, and not check_01_speaks as",
    );
    has(&found, "cannot find macro `toodo`");
    has(&found, "chapters/02-echo: it does not build");

    made_up.write(&first, "fn main() {\n    loop {}\n}\n");
    made_up.write(&second, "fn main() {}\n");
    made_up.remove("tests/course/starters/02-echo.txt");
    let found = complaints();
    has(
        &found,
        "chapters/01-bind: the milestone was still running after 3 s",
    );
    has(&found, "tests/course/starters/02-echo.txt: ");
}
