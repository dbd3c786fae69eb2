//! How long does a heavy request take alone, and how long do eight of them?
//!
//! `cargo run --release -q -p course --example at_once -- 'PROGRAM ARGS' …` starts each
//! of these command lines and asks for one heavy picture, for eight one after the
//! other, and for eight at once, in turn, seven times. It says how long that took in
//! the middle of the seven, with the shortest in parentheses, because other programs
//! can only make it longer; and how much processor time the eight at once took.

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
            println!("        one     in a row      at once   processor time, in ms");
            for (line, row) in lines.iter().zip(rows) {
                for [middle, shortest] in row {
                    print!("{:>13}", format!("{middle} ({shortest})"));
                }
                println!("    {line}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The medians and the shortest for each of these command lines, in milliseconds. What else the machine
/// does is spread over all of them, because they take turns.
fn measure(lines: &[String]) -> course::Result<Vec<[[u128; 2]; 4]>> {
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
        [times[TIMES / 2], times[0]].map(|time| time.as_millis())
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
    let before = server.cpu_time();
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
    let cpu = server.cpu_time().saturating_sub(before);
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
