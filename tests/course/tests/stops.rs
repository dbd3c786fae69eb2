//! A server that is stopped under load loses no answer, and needs nobody who reads
//! what it says.
//!
//! `cargo test` stops each solution from chapter 11 on 20 times. For more, and for
//! another program, see `examples/stops.rs`.

use std::path::PathBuf;

use course::screen::note;
use course::{Chapter, Course, cargo};

#[allow(dead_code, reason = "the example's main is not called here")]
#[path = "../examples/stops.rs"]
mod stops;

/// The programs of the solutions that stop in order.
fn solutions() -> impl Iterator<Item = PathBuf> {
    let course = Course::of_this_package();
    let mut chapters = course.solutions();
    chapters.retain(|chapter| *chapter >= Chapter(11));
    let built = cargo::servers(&course, &chapters).expect("cargo runs");
    assert_eq!(built.len(), chapters.len(), "every solution is built");
    built.into_values()
}

#[test]
fn twenty_stops_lose_no_answer() {
    for program in solutions() {
        let name = program.display();
        let tally = stops::stop_often(&program, 20, "wait/1", |_| ());
        note(&format!("{name}:\n{tally}"));
        assert_eq!(tally.lost(), 0, "{name} has lost answers:\n{tally}");
    }
}

/// On Linux there is a file, `/dev/full`, into which nothing can be written.
#[test]
#[cfg(target_os = "linux")]
fn a_server_that_cannot_say_anything_ends_in_order() {
    use std::fs::File;
    use std::process::Command;

    use harness::Check;

    let full = || {
        File::options()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full")
    };
    for program in solutions() {
        let name = program.file_name().expect("a name").to_string_lossy();
        let check =
            Check::new(&program, &name, "The grace ends although nobody reads");
        let mut server = check.start_unheard(&["--grace", "100"]);
        let mut client = server.connect();
        client.send("GET /app/wait/20000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.until_read();
        server.signal("TERM");
        server.must_end(0, "a write to stderr fails, and nothing expects that.");

        // Where it cannot even say where it listens, there is no panic either.
        let mut silent = Command::new("timeout");
        silent.arg("10").arg(&program).arg("127.0.0.1:0");
        let status = silent.stdout(full()).stderr(full()).status();
        let status = status.expect("timeout is there");
        assert_eq!(status.code(), Some(1), "{name}");
    }
}
