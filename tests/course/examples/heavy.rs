//! What does it bring to have helpers?
//!
//! `cargo run --release -q -p course --example heavy -- target/release/chapter14`
//! starts the program with several numbers of helpers, asks each of these servers in
//! turn for a heavy picture, seven times, and says how long the answers took, and how
//! much processor time. Another number of times may follow the name.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use harness::{Check, Program};

const TIMES: usize = 7;
const HELPERS: [&str; 4] = ["0", "1", "3", "8"];
const PICTURE: &str = "/app/picture/1200/400";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(program), times) = (args.next(), args.next()) else {
        eprintln!("usage: heavy PROGRAM [TIMES]");
        return ExitCode::from(2);
    };
    let times = times.and_then(|times| times.parse().ok()).unwrap_or(TIMES);
    let check = Check::new(Path::new(&program), "heavy", "a picture is painted");
    let mut servers = HELPERS.map(|helpers| {
        let server = check.start(&["--helpers", helpers]);
        (server, Vec::new(), Vec::new())
    });
    // In turn, so that a machine that's busy for a while is busy for all.
    for _ in 0..times.max(1) {
        for (server, took, used) in &mut servers {
            let (begin, before) = (Instant::now(), cpu_time(server));
            server.get_reply(PICTURE).status(&[200], "see its stderr");
            took.push(begin.elapsed());
            used.push(cpu_time(server).saturating_sub(before));
        }
    }
    println!("milliseconds for a picture:");
    println!("helpers  shortest  middle  processor time, middle");
    for (helpers, (_, mut took, mut used)) in HELPERS.into_iter().zip(servers) {
        took.sort_unstable();
        used.sort_unstable();
        let middle = took.len() / 2;
        let [shortest, middle, used] =
            [took[0], took[middle], used[middle]].map(|time| time.as_millis());
        println!("{helpers:>7}{shortest:>10}{middle:>8}{used:>24}");
    }
    ExitCode::SUCCESS
}

/// Zero where the system doesn't tell.
fn cpu_time(server: &Program) -> Duration {
    server.cpu_time().unwrap_or_default()
}
