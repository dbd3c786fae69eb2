//! A server that is stopped under load loses no answer, and needs nobody who reads
//! what it says.
//!
//! `cargo test` stops each solution from chapter 11 on 20 times. For more, and for
//! another program, see `examples/stops.rs`.

use std::path::PathBuf;

use course::cargo::{self, Told};
use course::screen::note;
use course::{Chapter, Course};

#[allow(dead_code, reason = "the example's main is not called here")]
#[path = "../examples/stops.rs"]
mod stops;

/// The solutions that stop in order, by their names, and their programs.
fn solutions() -> Vec<(String, PathBuf)> {
    let course = Course::of_this_package();
    let mut solutions = course.solutions();
    solutions.retain(|chapter| *chapter >= Chapter(11));
    let mut build = cargo::command(&course);
    build.args(["build", "--quiet", "--bins"]);
    for chapter in &solutions {
        build.args(["--package", &chapter.solution_package()]);
    }
    let built =
        cargo::build(&course, &mut build, Told::Nothing).expect("cargo builds");
    let program = |chapter: Chapter| {
        let name = chapter.solution_package();
        let program = built
            .program(&course.solution(chapter), &name)
            .expect("every solution is built");
        (name, program.to_owned())
    };
    solutions.into_iter().map(program).collect()
}

#[test]
fn twenty_stops_lose_no_answer() {
    for (name, program) in solutions() {
        let tally = stops::stop_often(&program, 20, |_| ())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        note(&format!("{name}:\n{tally}"));
        assert_eq!(tally.lost(), 0, "{name} has lost answers:\n{tally}");
    }
}

/// On Linux there is a file, `/dev/full`, into which nothing can be written.
#[cfg(target_os = "linux")]
mod unheard {
    use std::fs::File;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    /// A process, which is killed when this value is dropped.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            // Both fail only where the process has gone.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    impl Running {
        /// Starts a server that can write nothing to stderr.
        fn start(program: &Path, stdout: Stdio) -> Running {
            let child = Command::new(program)
                .args(["127.0.0.1:0", "--grace", "100"])
                .stdin(Stdio::null())
                .stdout(stdout)
                .stderr(full())
                .spawn();
            Running(child.expect("the program starts"))
        }

        fn exit_code(&mut self) -> Option<i32> {
            let until = Instant::now() + Duration::from_secs(10);
            while Instant::now() < until {
                if let Some(status) = self.0.try_wait().expect("a child") {
                    return status.code();
                }
                thread::sleep(Duration::from_millis(2));
            }
            panic!("the program does not end");
        }
    }

    fn full() -> Stdio {
        let full = File::options().write(true).open("/dev/full");
        full.expect("/dev/full").into()
    }

    #[test]
    fn the_end_of_the_grace_comes_although_nobody_reads() {
        for (_, program) in super::solutions() {
            let mut server = Running::start(&program, Stdio::piped());
            let mut line = String::new();
            let stdout = server.0.stdout.take().expect("a pipe");
            // The reading end is closed behind this statement.
            BufReader::new(stdout).read_line(&mut line).expect("a line");
            let addr = line.trim_end().trim_start_matches("listening on http://");
            let mut client = TcpStream::connect(addr).expect("a connection");
            client
                .write_all(b"GET /app/wait/20000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .expect("a write");
            let command = format!("kill -TERM {}", server.0.id());
            let killed = Command::new("sh").args(["-c", &command]).status();
            assert!(killed.expect("a shell").success());
            assert_eq!(server.exit_code(), Some(0), "{}", program.display());
        }
    }

    #[test]
    fn a_server_that_cannot_say_where_it_listens_ends_without_a_panic() {
        for (_, program) in super::solutions() {
            let mut server = Running::start(&program, full());
            assert_eq!(server.exit_code(), Some(1), "{}", program.display());
        }
    }
}
