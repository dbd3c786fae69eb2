//! What does it bring to have helpers?
//!
//! `cargo run --release -q -p course --example heavy -- target/release/chapter14`
//! starts the program with several numbers of helpers, asks each of these servers in
//! turn for a heavy picture, seven times, and says how long the answers took, and how
//! much processor time. Another number of times may stand behind the name.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use course::dev::server::Server;

const TIMES: usize = 7;
const HELPERS: [&str; 4] = ["0", "1", "3", "8"];
const PICTURE: &str = "GET /app/picture/1200/400 HTTP/1.1\r\n\
                       Host: a\r\nConnection: close\r\n\r\n";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(program), times) = (args.next(), args.next()) else {
        eprintln!("usage: heavy PROGRAM [TIMES]");
        return ExitCode::from(2);
    };
    let times = times.map_or(Ok(TIMES), |times| times.parse());
    let outcome = times
        .map_err(|error| error.to_string())
        .and_then(|times| race(&program, times.max(1)));
    if let Err(error) = outcome {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Asks each server in turn, so that a machine that's busy for a while is busy for all.
fn race(program: &str, times: usize) -> course::Result<()> {
    let mut servers = Vec::new();
    for helpers in HELPERS {
        let mut command = Command::new(program);
        command.args(["127.0.0.1:0", "--helpers", helpers]);
        servers.push((Server::start(&mut command)?, Vec::new(), Vec::new()));
    }
    for _ in 0..times {
        for (server, took, used) in &mut servers {
            let id = server.child.id();
            let (begin, before) = (Instant::now(), cpu_time(id));
            ask(server).map_err(|error| format!("no answer: {error}"))?;
            took.push(begin.elapsed());
            used.push(cpu_time(id).saturating_sub(before));
        }
    }
    println!("milliseconds for a picture:");
    println!("helpers  shortest  middle  processor time, middle");
    for (helpers, (_, mut took, mut used)) in HELPERS.into_iter().zip(servers) {
        took.sort_unstable();
        used.sort_unstable();
        let [shortest, middle, used] =
            [took[0], took[times / 2], used[times / 2]].map(|time| time.as_millis());
        println!("{helpers:>7}{shortest:>10}{middle:>8}{used:>24}");
    }
    Ok(())
}

fn ask(server: &Server) -> io::Result<()> {
    let mut stream = TcpStream::connect(server.addr)?;
    stream.write_all(PICTURE.as_bytes())?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The processor time that a process has used so far, where Linux tells it (see
/// proc(5)): in `stat`, after the name in parentheses, the numbers 12 and 13, in
/// hundredths of a second.
fn cpu_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let numbers = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = numbers
        .skip(11)
        .take(2)
        .filter_map(|number| number.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}
