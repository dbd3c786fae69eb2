//! How long does a heavy request take alone, and how long do eight of them?
//!
//! `cargo run --release -q -p course --example at_once -- 'PROGRAM ARGS' …` starts each
//! of these command lines and asks for one heavy picture, for eight one after the
//! other, and for eight at once, in turn, seven times. It says how long that took in
//! the middle of the seven, and how much processor time the eight at once took.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use course::dev::server::Server;

const TIMES: usize = 7;
const MANY: usize = 8;
const PICTURE: &str = "GET /app/picture/600/250 HTTP/1.1\r\n\
                       Host: a\r\nConnection: close\r\n\r\n";

fn main() -> ExitCode {
    let lines: Vec<String> = std::env::args().skip(1).collect();
    if lines.is_empty() {
        eprintln!("usage: at_once 'PROGRAM ARGS'...");
        return ExitCode::from(2);
    }
    match measure(&lines) {
        Ok(rows) => {
            println!(" one  in a row  at once  processor time, all in ms");
            for (line, [one, row, at_once, cpu]) in lines.iter().zip(rows) {
                println!("{one:>4}{row:>10}{at_once:>9}{cpu:>16}  {line}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The medians for each of these command lines, in milliseconds. What else the machine
/// does is spread over all of them, because they take turns.
fn measure(lines: &[String]) -> course::Result<Vec<[u128; 4]>> {
    let mut servers = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        let server = Server::start(command.arg("127.0.0.1:0").args(words))?;
        servers.push((server, [const { Vec::new() }; 4]));
    }
    for _ in 0..TIMES {
        for (server, times) in &mut servers {
            let times_now =
                once(server).map_err(|error| format!("no answer: {error}"))?;
            for (times, time) in times.iter_mut().zip(times_now) {
                times.push(time);
            }
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[TIMES / 2].as_millis()
    };
    Ok(servers
        .into_iter()
        .map(|(_, times)| times.map(median))
        .collect())
}

/// The time of one request, of eight in a row, of eight at once, and the processor time
/// of the last.
fn once(server: &Server) -> io::Result<[Duration; 4]> {
    let addr = server.addr;
    let one = time(|| ask(addr))?;
    let row = time(|| (0..MANY).try_for_each(|_| ask(addr)))?;
    let before = cpu_time(server.child.id());
    let at_once = time(|| {
        thread::scope(|scope| {
            let clients = [(); MANY].map(|()| scope.spawn(|| ask(addr)));
            clients.into_iter().try_for_each(|client| {
                client
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("a panic")))
            })
        })
    })?;
    let cpu = cpu_time(server.child.id()).saturating_sub(before);
    Ok([one, row, at_once, cpu])
}

fn time(what: impl FnOnce() -> io::Result<()>) -> io::Result<Duration> {
    let begin = Instant::now();
    what()?;
    Ok(begin.elapsed())
}

fn ask(addr: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr)?;
    stream.write_all(PICTURE.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    match answer.starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err(io::Error::other("the answer isn't a picture")),
    }
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
