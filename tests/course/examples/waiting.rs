//! What a visit costs while handlers wait for something else.
//!
//! `cargo build --release -p solution17 -p solution18`, then `cargo run --release -q
//! -p course --example waiting -- target/release/solution17
//! target/release/solution18`. It takes about half a minute, and runs on Linux,
//! because it asks `/proc` for processor time. All programs take turns, and what
//! counts is the median.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;
const SPAN: Duration = Duration::from_millis(500);
/// How many handlers wait: none, and as many as the usual limit of files allows.
const WAITING: [usize; 2] = [0, 900];

fn main() -> ExitCode {
    let programs: Vec<String> = std::env::args().skip(1).collect();
    match measure(&programs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(programs: &[String]) -> Result<()> {
    for waiting in WAITING {
        let mut times = vec![Vec::new(); programs.len()];
        for _ in 0..ROUNDS {
            for (program, times) in programs.iter().zip(&mut times) {
                times.push(visits(program, waiting)?);
            }
        }
        for (program, times) in programs.iter().zip(&mut times) {
            times.sort();
            println!(
                "{program}: {:.1?} of processor time for a visit while {waiting} \
                 handlers wait",
                times[ROUNDS / 2]
            );
        }
    }
    Ok(())
}

/// A running program, which is killed when this is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processor time for each of many visits, one after the other.
fn visits(program: &str, waiting: usize) -> Result<Duration> {
    let mut command = Command::new(program);
    command.arg("127.0.0.1:0").stdout(Stdio::piped());
    let mut server = Server(command.spawn().map_err(|e| format!("{program}: {e}"))?);
    let stdout = server.0.stdout.take().ok_or("no stdout")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let addr = line.trim().rsplit('/').next().ok_or("no address")?;
    let mut handlers = Vec::new();
    for _ in 0..waiting {
        let mut handler = TcpStream::connect(addr)?;
        handler.write_all(b"GET /app/wait/10000 HTTP/1.1\r\nHost: a\r\n\r\n")?;
        handlers.push(handler);
    }
    let mut client = TcpStream::connect(addr)?;
    visit(&mut client)?;
    let (begin, before, mut count) = (Instant::now(), cpu_time(server.0.id())?, 0);
    while begin.elapsed() < SPAN {
        visit(&mut client)?;
        count += 1;
    }
    Ok((cpu_time(server.0.id())? - before) / count)
}

fn visit(client: &mut TcpStream) -> Result<()> {
    client.write_all(b"GET /app/visit HTTP/1.1\r\nHost: a\r\n\r\n")?;
    let (mut answer, mut len) = ([0; 1024], 0);
    // A number and a line end, after a head.
    while !answer[..len].windows(4).any(|four| four == b"\r\n\r\n")
        || !answer[..len].ends_with(b"\n")
        || answer[..len].ends_with(b"\r\n\r\n")
    {
        match client.read(&mut answer[len..])? {
            0 => return Err("the answer is cut off".into()),
            read => len += read,
        }
    }
    Ok(())
}

/// How long all threads of a process have run: the first number of each `schedstat`.
fn cpu_time(process: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let stat = fs::read_to_string(thread?.path().join("schedstat"))?;
        let ran = stat.split_whitespace().next().ok_or("no schedstat")?;
        nanoseconds += ran.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
