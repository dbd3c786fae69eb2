//! Every terminal session that the book shows comes out as it is shown. They are
//! sh's, curl's and nc's, and so for Unix.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use course::Course;
use course::dev::transcripts::{Programs, Transcript, check, check_all};
use course::screen::{expect_none, note};

#[test]
fn every_transcript_comes_out_as_it_is_shown() {
    // Where nobody may leave anything out: the maintainers' run and CI.
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let strict = ["CI", "COURSE_STRICT"].into_iter().any(is_set);
    let outcomes = check_all(&Course::of_this_package(), strict);
    let mut problems = Vec::new();
    for (name, outcome) in outcomes.expect("solutions build") {
        match outcome {
            Ok(None) => {}
            Ok(Some(reason)) => note(&format!("{name} is passed over: {reason}")),
            Err(what) => problems.push(what),
        }
    }
    if !problems.is_empty() {
        problems
            .push("If what comes now is right, run `cargo course dev bless`.".into());
    }
    expect_none(Ok(problems));
}

/// A server made up for these tests, instead of a solution.
static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("made-up-server");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/made-up/server.rs");
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition", "2024", "-o"])
        .args([&program, Path::new(source)]);
    assert!(rustc.status().expect("rustc runs").success());
    Programs::from([("chapter02".to_owned(), program)])
});

fn outcome(session: &str, strict: bool) -> Result<Option<String>, String> {
    let course = Course::of_this_package();
    let path = course.root().join("tests/transcripts/02-echo/made-up.txt");
    check(
        Transcript::parse(&path, session)?,
        &course,
        &PROGRAMS,
        strict,
    )
}

#[track_caller]
fn fails(session: &str, words: &str) {
    let said = outcome(session, false).expect_err(session);
    assert!(said.contains(words), "{said:?} lacks {words:?}");
}

#[test]
fn sessions_come_out_as_they_are_shown_or_fail() {
    let sessions =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/made-up/transcripts.txt");
    let sessions = fs::read_to_string(sessions).expect("the sessions");
    let sessions: Vec<&str> = sessions.split("\n== ").skip(1).collect();
    thread::scope(|scope| {
        for session in sessions {
            scope.spawn(move || {
                let (title, session) = session.split_once('\n').expect("lines");
                match title.split_once(" => ") {
                    Some((_, words)) => fails(session, words),
                    None => assert_eq!(outcome(session, false), Ok(None), "{title}"),
                }
            });
        }
    });
}

#[test]
fn a_missing_tool_is_told_and_fails_where_nothing_may_be_left_out() {
    let session = "@needs no-such-tool\n$ echo a\nb\n";
    let missing = "it needs no-such-tool, which is not installed";
    assert_eq!(outcome(session, false), Ok(Some(missing.into())));
    assert!(outcome(session, true).is_err_and(|what| what.contains(missing)));
    let elsewhere = outcome("@only plan9\n$ echo a\nb\n", true);
    assert_eq!(elsewhere, Ok(Some("it is for plan9 only".into())));
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let begin = Instant::now();
    // A time that no other sleep has.
    let sleep = format!("sleep 4321.{}", std::process::id());
    fails(
        &format!("@deadline 1\n$ echo begun; {sleep} & {sleep}\n"),
        "not done after 1 s; so far it said:\nbegun",
    );
    assert!(begin.elapsed() < Duration::from_secs(10));
    let left_behind = format!("$ {sleep} & echo begun\nbegun\n");
    assert_eq!(outcome(&left_behind, false), Ok(None));
    fails(
        &format!("@server\n$ {sleep} &\n@run false\n"),
        "exit code 1",
    );
    // What was killed may need a moment to go.
    let until = Instant::now() + Duration::from_secs(5);
    while sleeping().iter().any(|line| line.contains(&sleep[6..])) {
        assert!(Instant::now() < until, "a process is left behind");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The command lines of all that sleeps, where the system shows them.
fn sleeping() -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
        .filter(|line| line.starts_with("sleep\0"))
        .collect()
}
