//! A server that is stopped under load loses no answer, and needs nobody who reads
//! what it says.
//!
//! `cargo test` stops each solution from chapter 11 on 20 times. For more, and for
//! another program, see `examples/stops.rs`.

use std::path::PathBuf;

use course::cargo::{self, Target};
use course::screen::note;
use course::{Chapter, Course};

#[allow(dead_code, reason = "the example's main is not called here")]
#[path = "../examples/stops.rs"]
mod stops;

/// The programs of the solutions that stop in order.
fn solutions() -> impl Iterator<Item = PathBuf> {
    let course = Course::of_this_package();
    let mut chapters = course.solutions();
    chapters.retain(|chapter| *chapter >= Chapter(11));
    let built = cargo::solutions(&course, &chapters, Target::Server);
    let built = built.expect("cargo runs");
    assert_eq!(built.len(), chapters.len(), "every solution is built");
    built.into_values()
}

#[test]
fn twenty_stops_lose_no_answer() {
    for program in solutions() {
        let name = program.display();
        let tally = stops::stop_often(&program, 20, "wait/1", |_| ())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        note(&format!("{name}:\n{tally}"));
        assert_eq!(tally.lost(), 0, "{name} has lost answers:\n{tally}");
    }
}

/// On Linux there is a file, `/dev/full`, into which nothing can be written.
#[cfg(target_os = "linux")]
mod unheard {
    use std::fs::File;
    use std::io::Write;
    use std::net::TcpStream;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use course::dev::server::Server;

    /// A server that can write nothing to stderr.
    fn command(program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(["127.0.0.1:0", "--grace", "100"]);
        command.stdin(Stdio::null()).stderr(full());
        command
    }

    fn full() -> File {
        let full = File::options().write(true).open("/dev/full");
        full.expect("/dev/full")
    }

    fn exit_code(mut server: Server) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(10);
        server.wait(until).expect("it ends").code()
    }

    #[test]
    fn the_end_of_the_grace_comes_although_nobody_reads() {
        for program in super::solutions() {
            let server = Server::start(&mut command(&program)).expect("it starts");
            let mut client = TcpStream::connect(server.addr).expect("a connection");
            client
                .write_all(b"GET /app/wait/20000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .expect("a write");
            server.signal("TERM").expect("a shell");
            assert_eq!(exit_code(server), Some(0), "{}", program.display());
        }
    }

    #[test]
    fn a_server_that_cannot_say_where_it_listens_ends_without_a_panic() {
        for program in super::solutions() {
            let server = Server::spawn(command(&program).stdout(full()));
            let code = exit_code(server.expect("it starts"));
            assert_eq!(code, Some(1), "{}", program.display());
        }
    }
}
