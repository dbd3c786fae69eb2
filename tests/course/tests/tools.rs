//! The tools that prove the course, proved themselves: on a made-up course, in which
//! something is always wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use course::Chapter;
use course::dev::answers::{Answer, Kind, Proof, few, find};
use course::dev::{bless, starters, tree};

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{
    FIRST, MANIFEST, MadeUp, SECOND, SOLUTION, STARTER, becomes, begins, has,
    manifest, says,
};

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

    /// Complaints about the first chapter's answers, by their names.
    fn complaints(&self, kind: Kind) -> BTreeMap<String, String> {
        let proof = Proof::new(&self.course, &MILESTONE, Duration::from_secs(3));
        let complaints = proof.prove(&self.answers(kind), 2).complaints;
        let split = |complaint: &String| {
            let (path, rest) =
                complaint.split_once(": ").expect("a path and a complaint");
            let name = path
                .rsplit('/')
                .next()
                .expect("a name")
                .trim_end_matches(".patch");
            (name.to_owned(), rest.to_owned())
        };
        complaints.iter().map(split).collect()
    }
}

#[test]
fn a_wrong_answer_that_is_no_good_is_found_out() {
    let made_up = MadeUp::new();
    let wrong = |name, check, says, diff: &str| {
        made_up.wrong(FIRST, name, check, says, diff);
    };
    let (greets, thing) = ("check_02_greets", "wrong thing");
    wrong(
        "passes",
        greets,
        thing,
        &becomes("    print!(\"hello\\n\");"),
    );
    wrong("other-words", greets, "something else", &says("hullo"));
    wrong("ground", greets, thing, &becomes("    // nothing"));
    wrong("broken", greets, thing, &becomes("    println(\"hullo\");"));
    wrong(
        "stale",
        greets,
        thing,
        &says("x").replace("hello", "good day"),
    );
    wrong("no-such-check", "check_99_flies", thing, &says("hullo"));
    wrong(
        "hangs",
        greets,
        thing,
        &becomes("    loop { std::thread::park() }"),
    );
    wrong(
        "panics",
        "check_03_is_short",
        "len",
        &says("hello hello hello"),
    );
    made_up.write(
        "tests/wrong/01-bind/no-words.patch",
        &format!("# About.\ncheck: {greets}\n{}", says("x")),
    );
    made_up.write(
        "tests/wrong/01-bind/no-unit-test.patch",
        &format!(
            "# About.\nunit: tests::greets\nsays: wrong thing\n{}",
            says("x")
        ),
    );

    let begin = Instant::now();
    let complaints = made_up.complaints(Kind::Wrong);
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "one that hangs must not hold up the rest"
    );
    let expected = [
        ("broken", "it does not compile"),
        (
            "ground",
            "check_02_greets did not come to it, an earlier check fails: not checked",
        ),
        ("hangs", "there was no verdict after 3 s"),
        (
            "no-such-check",
            "the milestone has no check called check_99_flies",
        ),
        (
            "no-unit-test",
            "the solution has no unit test called tests::greets",
        ),
        ("no-words", "a line `says: WORDS` is missing"),
        (
            "other-words",
            "the report of check_02_greets does not say `something else`",
        ),
        ("panics", "check_03_is_short panics instead of reporting"),
        ("passes", "check_02_greets passes it"),
        ("stale", "error: patch failed: src/main.rs:1"),
    ];
    let found: Vec<&String> = complaints.keys().collect();
    assert_eq!(
        found,
        expected.map(|(name, _)| name),
        "and the good one, hullo, is not among them"
    );
    for (name, complaint) in expected {
        assert!(
            complaints[name].contains(complaint),
            "{name}: {}",
            complaints[name]
        );
    }
}

#[test]
fn a_right_answer_that_is_rejected_is_found_out() {
    let made_up = MadeUp::new();
    made_up.write(
        "tests/right/01-bind/patched.patch",
        &format!("# About.\n{}", becomes("    print!(\"hello\\n\");")),
    );
    made_up.write(
        "tests/right/01-bind/rejected.patch",
        &format!("# About.\n{}", says("hullo")),
    );
    made_up.write("tests/right/01-bind/silent/main.rs", SOLUTION);
    let complaints = made_up.complaints(Kind::Right);
    let found: Vec<&String> = complaints.keys().collect();
    assert_eq!(found, ["rejected", "silent"]);
    has(&complaints["rejected"], "check_02_greets rejects it");
    has(&complaints["rejected"], "It says the wrong thing");
    has(&complaints["silent"], "must begin with `//! …`");
}

#[test]
fn what_is_no_answer_is_named() {
    for (kind, path) in [
        (Kind::Wrong, "notes.txt"),
        (Kind::Wrong, "folder/main.rs"),
        (Kind::Right, "folder/lib.rs"),
    ] {
        let made_up = MadeUp::new();
        made_up.write(&format!("tests/{}/01-bind/{path}", kind.folder()), "x");
        let sentence =
            find(&made_up.course, kind, &[FIRST]).expect_err("it is no answer");
        assert!(
            sentence.starts_with(&format!("tests/{}/01-bind/", kind.folder())),
            "{sentence}"
        );
    }
}

#[test]
fn an_answer_is_built_once_and_again_when_it_changes() {
    let made_up = MadeUp::new();
    let proof = Proof::new(&made_up.course, &MILESTONE, Duration::from_secs(3));
    let answers = made_up.answers(Kind::Wrong);
    let first = proof.prove(&answers, 2);
    assert_eq!((first.built, first.complaints), (1, vec![]));
    let second = proof.prove(&answers, 2);
    assert_eq!((second.built, second.complaints), (0, vec![]));

    made_up.wrong(
        FIRST,
        "hullo",
        "check_02_greets",
        "wrong thing",
        &says("hallo"),
    );
    let third = proof.prove(&answers, 2);
    assert_eq!((third.built, third.complaints), (1, vec![]));
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
        made_up.wrong(FIRST, name, check, "x", &says(name));
    }
    let mut answers = made_up.answers(Kind::Wrong);
    answers.extend(made_up.answers(Kind::Right));
    let few = few(&answers);
    let names: Vec<&str> = (few.iter())
        .filter_map(|answer| answer.path.file_stem()?.to_str())
        .collect();
    assert_eq!(names, ["a", "c", "d", "a"]);
}

#[test]
fn a_list_of_members_that_is_not_complete_is_seen() {
    let made_up = MadeUp::new();
    let members = || tree::members(&made_up.course).expect("the tree can be read");
    assert_eq!(members(), Vec::<String>::new());
    let copy = manifest("chapter02", SECOND);
    made_up.write("chapters/02-echo-old/Cargo.toml", &copy);
    made_up.write("solutions/04-request/notes.txt", "");
    assert_eq!(members(), Vec::<String>::new(), "these are a person's own");

    made_up.write("chapters/03-response/Cargo.toml", &copy);
    let listed = MANIFEST
        .replace("    \"solutions/01-bind\",\n]", "]")
        .replace("/harness\",\n", "/harness\",\n    \"chapters/notes\",\n")
        .replace(
            "default-members = [\n    \"solutions/01-bind\",",
            "default-members = [",
        );
    made_up.write("Cargo.toml", &listed);
    made_up.remove("chapters/01-bind");
    made_up.write("chapters/notes/Cargo.toml", &copy);
    assert_eq!(
        members(),
        [
            "Cargo.toml does not list chapters/03-response: add a line \"chapters/03-response\" to `members`",
            "Cargo.toml does not list solutions/01-bind in `default-members`: nothing tests it",
            "Cargo.toml lists chapters/01-bind, which is not there or has no manifest",
            "Cargo.toml lists chapters/notes, and no chapter is called so: see PARTS in tests/course/src/layout.rs",
        ]
    );
}

#[test]
fn what_a_chapter_lacks_is_named() {
    let made_up = MadeUp::new();
    let none: Vec<String> = Vec::new();
    assert_eq!(tree::incomplete(&made_up.course), Ok(none));
    for (path, complaint) in [
        ("chapters/02-echo", "has no starter: chapters/02-echo"),
        ("solutions/02-echo", "has no solution: solutions/02-echo"),
        ("tests/02-echo.rs", "has no milestone: tests/02-echo.rs"),
        ("book/src/02-echo.md", "has no page: book/src/02-echo.md"),
        (
            "book/src/SUMMARY.md",
            "has no line with a link to 02-echo.md in book/src/SUMMARY.md",
        ),
        (
            "tests/wrong/02-echo",
            "has no wrong answer: tests/wrong/02-echo/NAME.patch",
        ),
        ("tests/right/02-echo/a", "has no two right answers"),
    ] {
        let made_up = MadeUp::new();
        made_up.remove(path);
        let complaints =
            tree::incomplete(&made_up.course).expect("the tree can be read");
        let complaint = format!("chapter 02 {complaint}");
        assert!(
            complaints.iter().any(|found| found.starts_with(&complaint)),
            "{path}: {complaints:?}"
        );
    }
}

#[test]
fn a_file_without_counterpart_is_named() {
    let made_up = MadeUp::new();
    let complaints = || {
        tree::not_mirrored(&made_up.course, &[FIRST, SECOND])
            .expect("the tree can be read")
    };
    assert_eq!(complaints(), Vec::<String>::new());
    made_up.write("chapters/02-echo/src/extra.rs", "");
    made_up.write("solutions/02-echo/src/http.rs", "");
    assert_eq!(
        complaints(),
        [
            "chapters/02-echo/src/extra.rs has no counterpart solutions/02-echo/src/extra.rs",
            "solutions/02-echo/src/http.rs has no counterpart chapters/02-echo/src/http.rs",
        ]
    );
}

#[test]
fn a_dependency_is_named() {
    let made_up = MadeUp::new();
    let deps = "[package]\nname = \"harness\"\n[dependencies]\nassert_cmd = \"2\"\npredicates = \"3\"\nreqwest = \"0\"\n";
    made_up.write("tests/harness/Cargo.toml", deps);
    let complaints = || {
        tree::dependencies(&made_up.course, &[FIRST, SECOND])
            .expect("the manifests can be read")
    };
    assert_eq!(complaints(), Vec::<String>::new());

    made_up.write("tests/harness/Cargo.toml", &format!("{deps}rand = \"0\"\n"));
    let solution = manifest("solution02", SECOND);
    made_up.write(
        "solutions/02-echo/Cargo.toml",
        &format!("{solution}\n[dependencies]\nlibc = \"0\"\n"),
    );
    made_up.write("chapters/02-echo/Cargo.toml", &manifest("chapter02", FIRST));
    made_up.write(
        "tests/course/Cargo.toml",
        "[package]\nname = \"course\"\n[dependencies]\nclap = \"4\"\n",
    );
    let found = complaints().join("\n");
    for complaint in [
        "tests/harness depends on [\"assert_cmd\", \"predicates\", \"rand\", \"reqwest\"], and may",
        "solutions/02-echo depends on [\"libc\"], and may depend on [] only",
        "chapters/02-echo: its test `milestone` must have the path ../../tests/02-echo.rs",
        "tests/course depends on [\"clap\"], and may depend on [] only",
    ] {
        has(&found, complaint);
    }
}

#[test]
fn a_learners_chapter_is_told_from_a_starter() {
    let made_up = MadeUp::new();
    let course = &made_up.course;
    let found =
        starters::complaints(course, false).expect("the chapters can be read");
    has(
        &found[0],
        "no line for 01-bind: run `cargo course dev bless`",
    );
    bless::replace(
        course,
        &course::starters::fingerprints_path(course),
        &course::starters::fingerprints(course).expect("files"),
    )
    .expect("it can be written");
    assert_eq!(starters::complaints(course, true), Ok(Vec::new()));
    assert_eq!(
        starters::pristine(course, false),
        Ok((vec![FIRST, SECOND], vec![]))
    );

    made_up.write("chapters/02-echo/src/main.rs", SOLUTION);
    assert_eq!(starters::complaints(course, false), Ok(Vec::new()));
    assert_eq!(
        starters::pristine(course, false),
        Ok((vec![FIRST], vec![SECOND]))
    );
    let strict =
        starters::complaints(course, true).expect("the chapters can be read");
    begins(&strict[0], "chapters/02-echo is not what");
    let current = course::starters::current(course)
        .expect("the chapters can be read")
        .expect("there is one");
    assert_eq!(current.0, SECOND);
}

#[test]
fn a_starter_that_fails_otherwise_than_noted_is_named() {
    let made_up = MadeUp::new();
    let complaints = || {
        let deadline = Duration::from_secs(3);
        starters::not_red(&made_up.course, &[FIRST, SECOND], deadline)
            .expect("cargo runs")
    };
    assert_eq!(complaints(), Vec::<String>::new());

    made_up.write("chapters/01-bind/src/main.rs", SOLUTION);
    made_up.write(
        "chapters/02-echo/src/main.rs",
        &STARTER.replace("    todo", "    let unused = 1;\n    todo"),
    );
    let found = complaints().join("\n");
    has(
        &found,
        "chapters/01-bind: the starter passes its milestone: where is the gap?",
    );
    has(
        &found,
        "chapters/02-echo: it must build without a warning:\nwarning: unused",
    );

    made_up.write(
        "chapters/01-bind/src/main.rs",
        &SOLUTION.replace("hello", "hullo"),
    );
    made_up.write(
        "chapters/02-echo/src/main.rs",
        &STARTER.replace("todo!", "toodo!"),
    );
    let found = complaints().join("\n");
    has(
        &found,
        "check_02_greets fails first, and not check_01_speaks as noted",
    );
    has(&found, "chapters/02-echo: it does not build");
    has(&found, "cannot find macro `toodo`");

    made_up.write(
        "chapters/01-bind/src/main.rs",
        "fn main() {\n    loop {}\n}\n",
    );
    made_up.remove("tests/course/starters/02-echo.txt");
    made_up.write("chapters/02-echo/src/main.rs", STARTER);
    let found = complaints().join("\n");
    has(
        &found,
        "chapters/01-bind: the milestone was still running after 3 s",
    );
    has(&found, "tests/course/starters/02-echo.txt: ");
}
