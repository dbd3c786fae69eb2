//! What does it bring to have helpers?
//!
//! `cargo run --release -q -p course --example heavy -- target/release/chapter14` asks
//! for one heavy picture at a time, seven times for each number of helpers, and says
//! how long an answer takes, and how much processor time, in the middle of the seven.
//! Other numbers of helpers may stand behind the name.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use course::dev::server::Server;

const TIMES: usize = 7;
const HELPERS: [&str; 6] = ["0", "1", "2", "3", "7", "15"];
const PICTURE: &str = "GET /app/picture/1200/400 HTTP/1.1\r\n\
                       Host: a\r\nConnection: close\r\n\r\n";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((program, helpers)) = args.split_first() else {
        eprintln!("usage: heavy PROGRAM [HELPERS]...");
        return ExitCode::from(2);
    };
    let mut helpers: Vec<&str> = helpers.iter().map(String::as_str).collect();
    if helpers.is_empty() {
        helpers.extend(HELPERS);
    }
    println!("helpers   time in ms   processor time in ms");
    for count in helpers {
        match measure(program, count) {
            Ok([time, cpu]) => {
                println!("{count:>7}{:>13}{:>23}", time.as_millis(), cpu.as_millis())
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The time and the processor time of an answer: the median of each.
fn measure(program: &str, helpers: &str) -> course::Result<[Duration; 2]> {
    let mut command = Command::new(program);
    command.args(["127.0.0.1:0", "--helpers", helpers]);
    let server = Server::start(&mut command)?;
    let id = server.child.id();
    let (mut times, mut cpu_times) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let (begin, used) = (Instant::now(), cpu_time(id));
        ask(server.addr).map_err(|error| format!("no answer: {error}"))?;
        times.push(begin.elapsed());
        cpu_times.push(cpu_time(id).saturating_sub(used));
    }
    Ok([times, cpu_times].map(|mut times| {
        times.sort_unstable();
        times[TIMES / 2]
    }))
}

fn ask(addr: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr)?;
    stream.write_all(PICTURE.as_bytes())?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The processor time that a process has used so far, where Linux tells it (see
/// proc(5)): in `stat`, after the name in parentheses, as numbers 12 and 13, in
/// hundredths of a second.
fn cpu_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let numbers = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks = numbers
        .skip(11)
        .take(2)
        .filter_map(|number| number.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
