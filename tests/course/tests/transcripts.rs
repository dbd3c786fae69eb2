//! Every terminal session that the book shows comes out as it is shown. They are
//! sh's, curl's and nc's, and so for Unix.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use course::Course;
use course::dev::transcripts::{Outcome, Programs, Transcript, check, check_all};

/// Where nobody may leave anything out: the maintainers' run and CI.
fn strict() -> bool {
    ["CI", "COURSE_STRICT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

#[test]
fn every_transcript_comes_out_as_it_is_shown() {
    let outcomes =
        check_all(&Course::of_this_package(), strict()).expect("solutions build");
    let mut problems = Vec::new();
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Same => {}
            Outcome::PassedOver(reason) => {
                eprintln!("{name} is passed over: {reason}")
            }
            Outcome::Differs(what) | Outcome::Failed(what) => problems.push(what),
        }
    }
    assert!(
        problems.is_empty(),
        "\n{}\nIf what comes now is right, run `cargo course dev bless`.\n",
        problems.join("\n")
    );
}

/// A server made up for these tests, instead of a solution.
static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("made-up-server");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/made-up/server.rs");
    let built = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .args([&program, Path::new(source)])
        .status();
    assert!(
        built.expect("rustc runs").success(),
        "the made-up server builds"
    );
    Programs::from([("chapter02".to_owned(), program)])
});

fn outcome(session: &str) -> Outcome {
    let course = Course::of_this_package();
    let path = course.root().join("tests/transcripts/02-echo/made-up.txt");
    let transcript = Transcript::parse(&path, session).expect("well formed");
    check(transcript, &course, &PROGRAMS, false)
}

#[track_caller]
fn same(session: &str) {
    assert_eq!(outcome(session), Outcome::Same);
}

#[track_caller]
fn fails(session: &str, words: &str) {
    match outcome(session) {
        Outcome::Differs(said) | Outcome::Failed(said) => {
            assert!(said.contains(words), "{said:?} lacks {words:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// A client that needs no tool but the shell that runs the session, and cat.
const ASK: &str = "$ echo ask 127.0.0.1:7878\nask 127.0.0.1:7878\n";

#[test]
fn what_comes_out_is_compared() {
    same(ASK);
    same("$ printf 'a\\n\\nb'\na\n\nb\n$ echo c; echo d >&2\nc\nd\n");
    fails("$ echo a\nb\n", "they part where \"b\" became \"a\"");
    fails("$ echo a\n", "(nothing)");
    fails("$ true\na\n", "became the end");
}

#[test]
fn the_exit_code_is_at_hand() {
    same("$ (exit 3)\n$ echo $?\n3\n");
    same(
        "$ cargo run -q -p chapter02 -- nonsense\nusage: chapter02 [ADDR]\n$ echo $?\n2\n",
    );
}

#[test]
fn a_server_runs_till_the_end_at_a_port_of_its_own() {
    let session = "\
$ cargo run -q -p chapter02
listening on http://127.0.0.1:7878
a client said hello
$ cargo run -q -p chapter02 -- 127.0.0.1:7878
cannot listen on 127.0.0.1:7878
$ bash -c 'exec 3<>/dev/tcp/127.0.0.1/7878; echo hello >&3; cat <&3'
hello from http://127.0.0.1:7878 to client 1
";
    same(&format!("@needs bash\n{session}"));
    fails(&session.replace("said hello", "said hallo"), "said hallo");
    fails(&session.replace("hello from", "hallo from"), "hallo from");
}

#[test]
fn two_sessions_do_not_meet() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                same("$ cargo run -q -p chapter02\nlistening on http://127.0.0.1:7878\n")
            });
        }
    });
}

#[test]
fn ctrl_c_ends_a_server() {
    same(
        "$ cargo run -q -p chapter02\nlistening on http://127.0.0.1:7878\n^C\n$ echo $?\n130\n\
         $ cargo run -q -p chapter02\nlistening on http://127.0.0.1:7878\n",
    );
    fails("^C\n", "no server runs");
}

#[test]
fn a_client_in_the_background_is_connected_before_the_next_command() {
    same(
        "@needs bash\n@server\n$ bash -c 'exec 3<>/dev/tcp/127.0.0.1/7878; cat' &\n\
         $ bash -c 'exec 3<>/dev/tcp/127.0.0.1/7878; echo x >&3; cat <&3'\nx from http://127.0.0.1:7878 to client 2\n",
    );
}

#[test]
fn orders_are_obeyed() {
    same("@folder\n@run echo hello > file\n$ cat file; ls\nhello\nfile\n");
    same("@only nowhere-at-all linux macos freebsd\n$ echo a\na\n");
    fails("@run echo oh; false\n", "exit code 1\noh");
    fails("@jump\n", "there is no such order");
    fails("@server -- nonsense\n", "it ended");
    fails("@server -p chapter77\n", "chapter77 has no solution");
    fails("$ cargo run -p chapter02\n", "expected `cargo run -q");
}

#[test]
fn a_missing_tool_is_told_and_fails_where_nothing_may_be_left_out() {
    let session = "@needs no-such-tool\n$ echo a\nb\n";
    let passed =
        Outcome::PassedOver("it needs no-such-tool, which is not installed".into());
    assert_eq!(outcome(session), passed);
    let course = Course::of_this_package();
    let path = course.root().join("tests/transcripts/02-echo/made-up.txt");
    let transcript = Transcript::parse(&path, session).expect("well formed");
    assert!(matches!(
        check(transcript, &course, &PROGRAMS, true),
        Outcome::Failed(what) if what.contains("no-such-tool")
    ));
    let elsewhere = Outcome::PassedOver("it is for plan9 only".into());
    assert_eq!(outcome("@only plan9\n$ echo a\nb\n"), elsewhere);
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
    same(&format!("$ {sleep} & echo begun\nbegun\n"));
    fails(
        &format!("@server\n$ {sleep} &\n@run false\n"),
        "exit code 1",
    );
    // What was killed may need a moment to go.
    let until = Instant::now() + Duration::from_secs(5);
    while sleeping().iter().any(|line| line.contains(&sleep[6..])) {
        assert!(Instant::now() < until, "a process is left behind");
        std::thread::sleep(Duration::from_millis(10));
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
