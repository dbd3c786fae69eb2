//! The harness, tried on a server that does what it is asked to:
//! `examples/server.rs`.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::places::Place;
use crate::{Check, Client, DEADLINE, Likely, Program, ground, sockets};

fn check() -> Check {
    // target/debug/deps/harness-… → target/debug/examples/server
    let exe = std::env::current_exe().expect("the path of this program");
    let folder = exe.parent().and_then(|deps| deps.parent());
    let name = format!("server{}", std::env::consts::EXE_SUFFIX);
    let server: PathBuf = folder.expect("a folder").join("examples").join(name);
    assert!(
        server.is_file(),
        "cargo build -p harness --examples makes {}",
        server.display()
    );
    Check::new(&server, "server", "the harness itself")
}

/// Waits for words on the program's stderr.
fn says(server: &Program, words: &str) {
    let until = Instant::now() + DEADLINE;
    let watched = server.check().program().expect("a program");
    while !watched.stderr().contains(words) {
        assert!(Instant::now() < until, "no {words:?}: {}", watched.stderr());
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn likely() -> Likely {
    Likely::always("the server at hand echoes lines")
}

#[test]
fn a_program_that_ends_is_reported_as_such_whatever_a_client_sees() {
    for round in 0..12 {
        let report = ground::report_of(|| {
            let server = check().start(&["ends"]);
            let mut client = server.connect();
            // Some are connected meanwhile, some are refused, some are reset.
            if round % 3 == 0 {
                server.connect().send("hello\n");
            } else if round % 3 == 1 {
                client.send("hello\n").expect(b"hello\n", likely());
            }
            client.expect_end(likely());
            loop {
                server.connect().send("hello\n").expect_a_sign("");
            }
        })
        .expect("a failure");
        // An orderly end is what the last expectation asks for: then the next one
        // fails.
        let first = "\nThe program ended (exit ";
        assert!(report.starts_with(first), "{report}");
        assert!(
            report.contains("the loop over connections has ended"),
            "{report}"
        );
        assert!(report.contains("a client came"), "{report}");
    }
}

#[test]
fn a_panic_of_another_thread_is_the_proof() {
    let report = ground::report_of(|| {
        let server = check().start(&[]);
        server.connect().send("panic\n").expect_end(likely());
        server.connect().send("a\n").expect(b"b\n", likely());
    })
    .expect("a failure");
    assert!(
        report.starts_with("\nThe program panicked: as asked"),
        "{report}"
    );
    assert!(
        report.contains("  stderr    thread '<unnamed>'"),
        "{report}"
    );
}

/// What a client reports whose server closes without an answer, with bytes unread or
/// without.
fn report_of_an_early_end(is_unread: bool, expect: fn(&mut Client)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let addr = listener.local_addr().expect("its address");
    let report = ground::report_of(move || {
        let stream = TcpStream::connect(addr).expect("a client");
        let mut client = Client::new(check(), stream, Place::take());
        client.send("hello");
        let (mut accepted, _) = listener.accept().expect("a connection");
        match is_unread {
            true => accepted.peek(&mut [0]),
            false => accepted.read(&mut [0; 5]),
        }
        .expect("a hello");
        drop(accepted);
        expect(&mut client);
    });
    report.expect("a failure")
}

#[test]
fn an_end_and_a_reset_lead_to_the_same_cause() {
    const EARLY: Likely = Likely {
        silent: "it is silent.",
        closed: "it closes too early.",
        reset: "bytes were unread.",
        differs: "it differs.",
    };
    for expect in [
        |client: &mut Client| {
            client.answer(EARLY);
        },
        |client: &mut Client| {
            client.expect(b"hello", EARLY);
        },
    ] {
        for is_unread in [false, true] {
            let report = report_of_an_early_end(is_unread, expect);
            // Where its lines are broken doesn't matter.
            let report: Vec<&str> = report.split_whitespace().collect();
            let report = report.join(" ");
            assert!(report.contains(" likely it closes too early."), "{report}");
            // Wine tells of a reset only a read that waits.
            if !is_unread || cfg!(not(windows)) {
                assert_eq!(report.contains(EARLY.reset), is_unread, "{report}");
            }
        }
    }
}

#[test]
fn a_run_is_judged_by_its_own_words() {
    let report = ground::report_of(|| {
        let check = check();
        let server = check.start(&[]);
        server.connect().send("panic\n").expect_end(likely());
        check.run(&["nowhere"]).code(2, "it's no address.");
    })
    .expect("a failure");
    assert!(
        report.starts_with("\nThe exit code is 1, not 2."),
        "{report}"
    );
    assert!(!report.contains("panic"), "{report}");
}

#[test]
fn what_was_sent_and_what_came_are_shown_alike() {
    let report = ground::report_of(|| {
        let server = check().start(&[]);
        let mut client = server.connect();
        client
            .send("hello, you\n")
            .expect(b"hello, yew\n", likely());
    })
    .expect("a failure");
    let shown = "  wanted    hello, yew\\n\n  got       hello, you\\n\n";
    assert!(report.contains(shown), "{report}");
    let caret = "                    ^ this byte is wrong; expected \"e\" (0x65)";
    assert!(report.contains(caret), "{report}");
}

#[test]
#[cfg_attr(windows, ignore = "Wine tells of a reset only a read that waits")]
fn resets_meet_a_read_and_a_write() {
    let server = check().start(&[]);
    server.reset_in_a_read("whole\n", "half");
    says(&server, "read: ConnectionReset");
    server.reset_in_a_write("large\n");
    says(&server, "write: ");
    server.must_still_run();
}

#[test]
#[cfg(unix)]
fn a_program_may_have_few_descriptors() {
    let server = check().start_with_few_files(12, &[]);
    let clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    says(&server, "accept: ");
    server.must_still_run();
    if let Some(open) = server.open_files() {
        // One that it has inherited may have a higher number.
        assert!((10..20).contains(&open), "{open}");
    }
    drop(clients);
}

#[test]
fn memory_threads_and_time_are_told() {
    let server = check().start(&[]);
    let mut client = server.connect();
    client.send("hello\n").expect(b"hello\n", likely());
    server.comes_to_rest();
    let (Some(memory), Some(threads)) = (server.allocated_memory(), server.threads())
    else {
        return;
    };
    assert_eq!(threads, 2);
    client.send("grow\n").expect(b"grown\n", likely());
    let grown = server.allocated_memory().expect("as before") - memory;
    assert!(grown >= 20 << 20, "{grown}");
    assert!(server.peak_memory() >= Some(grown));
    let waits = server.waits().expect("as before");
    client.send("hello\n").expect(b"hello\n", likely());
    server.comes_to_rest();
    assert!(server.waits() > Some(waits));
    assert_eq!(server.spins(Duration::from_millis(60)), None);
    client.send("work\n");
    let used = server.spins(Duration::from_millis(200));
    assert!(used > Some(Duration::from_millis(40)), "{used:?}");
    assert!(server.cpu_time() >= Some(Duration::from_millis(30)));
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_that_is_stopped_and_continued_is_interrupted() {
    let server = check().start(&[]);
    let mut client = server.connect();
    client.send("hello\n").expect(b"hello\n", likely());
    assert!(server.stop_and_continue());
    says(&server, "read: Interrupted");
    client.send("again\n").expect(b"again\n", likely());
}

#[test]
#[cfg(unix)]
fn a_signal_may_be_ignored_from_the_start() {
    let server = check().start_ignoring("INT", &[]);
    server.signal("INT");
    server.must_still_run();
    let mut other = check().start(&[]);
    other.signal("INT");
    other.must_end_without_success("SIGINT ends a program.", "it does.");
}

/// As `nohup` and a script's `&` have it.
#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_is_heard_where_whoever_starts_the_tests_ignores_it() {
    let this = std::env::current_exe().expect("a path");
    let mut sh = std::process::Command::new("sh");
    let script = r#"trap '' INT; exec "$0" --exact "$1" 2>&1"#;
    sh.args(["-c", script]).arg(this);
    sh.arg("tests::a_signal_may_be_ignored_from_the_start");
    let output = sh.output().expect("sh runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn a_program_that_says_nothing_is_found_to_listen() {
    let report = ground::report_of(|| {
        let check = check();
        let port = std::thread::spawn({
            let check = check.clone();
            move || {
                let until = Instant::now() + DEADLINE;
                let port = || sockets::listening_port(check.program()?.id());
                while port().is_none() && Instant::now() < until {}
                port()
            }
        });
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            check.start(&["mute"]);
        }));
        let port = port.join().expect("no panic");
        assert!(port.is_some() || !cfg!(target_os = "linux"));
        std::panic::resume_unwind(failed.expect_err("no line"));
    })
    .expect("a failure");
    let first = "\nThe program printed no line on stdout within 4s.";
    assert!(report.starts_with(first), "{report}");
}
