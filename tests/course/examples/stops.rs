//! Does a server that is stopped under load lose an answer?
//!
//! `cargo run -q -p course --example stops -- target/debug/chapter11` starts the
//! program and stops it, 1,000 times, while clients ask as fast as they can. Another
//! number may stand behind the name, and behind that what half of the clients ask for,
//! such as `picture/64/50`. How far it has come goes to stderr, every five seconds.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use course::dev::server::Server;

const STOPS: usize = 1_000;
const CLIENTS: usize = 8;
/// How many connections each client has open at once.
const AT_ONCE: usize = 4;
/// Nothing may take longer than this.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often it says how far it has come.
const NEWS: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(program), stops) = (args.next(), args.next()) else {
        eprintln!("usage: stops PROGRAM [STOPS [ROUTE]]");
        return ExitCode::from(2);
    };
    let route = args.next().unwrap_or_else(|| "wait/1".to_owned());
    let stops = stops.map_or(Ok(STOPS), |stops| stops.parse());
    let outcome = stops.map_err(Into::into).and_then(|stops| {
        stop_often(program.as_ref(), stops, &route, say_how_far(stops))
    });
    match outcome {
        Ok(tally) => {
            println!("{tally}");
            ExitCode::from(u8::from(tally.lost() > 0))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Says now and then how many stops are done.
fn say_how_far(all: usize) -> impl FnMut(&Tally) {
    let mut said = Instant::now();
    move |tally| {
        if said.elapsed() >= NEWS {
            said = Instant::now();
            eprintln!(
                "{} of {all} stops, {} answers lost so far",
                tally.stops,
                tally.lost()
            );
        }
    }
}

/// What came of all requests.
#[derive(Default)]
pub struct Tally {
    stops: usize,
    answered: usize,
    /// Answered although they were sent after the stop had been asked for.
    late: usize,
    /// Sent as a whole before the stop was asked for, and not answered.
    early_lost: usize,
    /// Counted by the server, and not answered.
    counted_lost: usize,
    /// Answered in part.
    cut_off: usize,
    /// Connected, and reset or closed without a byte, after the stop had been asked
    /// for.
    unseen: usize,
    slowest: Duration,
}

impl Tally {
    /// How many answers were lost to requests that the server had received.
    pub fn lost(&self) -> usize {
        self.early_lost + self.counted_lost + self.cut_off
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost = self.lost();
        let mut rows = vec![
            (self.stops, "stops"),
            (self.answered, "requests answered"),
            (self.late, "of these, sent after the stop was asked for"),
            (lost, "received and lost"),
        ];
        if lost > 0 {
            rows.extend([
                (self.early_lost, "of these, sent before the stop"),
                (self.counted_lost, "of these, counted by the server"),
                (self.cut_off, "of these, answered in part"),
            ]);
        }
        rows.push((
            self.unseen,
            "sent after the stop, and turned away without a byte",
        ));
        for (number, what) in rows {
            writeln!(f, "{number:>8} {what}")?;
        }
        write!(f, "{:>5} ms the slowest stop", self.slowest.as_millis())
    }
}

/// How a request ended.
enum End {
    /// With an answer, whose content this is.
    Answered(String),
    /// Without a byte.
    Unseen,
    /// In the middle of an answer.
    CutOff,
}

/// Starts and stops the program, again and again, while half of the clients ask for
/// this route. Tells after each time what came of it so far.
///
/// # Errors
///
/// Returns an error where the program does not start, or does not end in order and in
/// time.
pub fn stop_often(
    program: &Path,
    stops: usize,
    route: &str,
    mut tell: impl FnMut(&Tally),
) -> Result<Tally, Box<dyn Error>> {
    let mut tally = Tally::default();
    for round in 0..stops {
        stop_once(program, round, route, &mut tally)
            .map_err(|error| format!("stop {round}: {error}"))?;
        tally.stops += 1;
        tell(&tally);
    }
    Ok(tally)
}

fn stop_once(
    program: &Path,
    round: usize,
    route: &str,
    tally: &mut Tally,
) -> Result<(), Box<dyn Error>> {
    let mut server = start(program)?;
    let addr = server.addr;
    let asked = AtomicBool::new(false);

    // One request that takes long, and behind it on the same connection one that is
    // counted: by then the server has counted all others, so that none of them can be
    // missing unnoticed.
    let mut last = TcpStream::connect(addr)?;
    let both = format!(
        "GET /app/wait/30 HTTP/1.1\r\nHost: localhost\r\n\r\n{}",
        get("visit/1")
    );
    last.write_all(both.as_bytes())?;
    // In some rounds two clients are here who want nothing, and one who never says
    // all.
    let mut others = Vec::new();
    if round.is_multiple_of(4) {
        others = vec![TcpStream::connect(addr)?, TcpStream::connect(addr)?];
        others[0].write_all(b"GET /app/vis")?;
    }

    let (ends, bytes, took) = thread::scope(|scope| {
        let last = scope.spawn(|| read_to_end(&mut last));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let asked = &asked;
                let route = if client % 2 == 0 { "visit/1" } else { route };
                scope.spawn(move || ask_until_refused(addr, route, asked))
            })
            .collect();
        // The stop is to come at any moment of what the server and its clients do.
        thread::sleep(Duration::from_micros(100 * (round as u64 * 37 % 64)));
        asked.store(true, Ordering::SeqCst);
        let since = Instant::now();
        let stopped = stop(&mut server, round);
        let ended = stopped.and_then(|()| wait(&mut server, since + DEADLINE));
        let took = since.elapsed();
        // Where it has not ended, the clients would ask for ever.
        server.kill();
        let mut ends = Vec::new();
        for client in clients {
            ends.extend(client.join().map_err(|_| "a client has panicked")??);
        }
        let bytes = last.join().map_err(|_| "a client has panicked")?;
        ended?;
        Ok::<_, Box<dyn Error>>((ends, bytes, took))
    })?;
    drop(others);
    tally.slowest = tally.slowest.max(took);

    let mut counted = BTreeMap::<usize, usize>::new();
    let mut count = |content: &str| {
        if let Ok(number) = content.trim().parse() {
            *counted.entry(number).or_default() += 1;
        }
    };
    for (early, end) in ends {
        match end {
            End::Answered(content) => {
                count(&content);
                tally.answered += 1;
                tally.late += usize::from(!early);
            }
            End::CutOff => tally.cut_off += 1,
            End::Unseen if early => tally.early_lost += 1,
            End::Unseen => tally.unseen += 1,
        }
    }
    match contents(&bytes).as_slice() {
        [_, number] => {
            count(number);
            tally.answered += 2;
        }
        _ => tally.early_lost += 1,
    }
    // The visits are numbered from 1 on. A number that nobody got is an answer that
    // was lost.
    let highest = counted.last_key_value().map_or(0, |(&number, _)| number);
    tally.counted_lost += highest - counted.len();
    match counted.iter().find(|&(_, &times)| times > 1) {
        Some((number, _)) => Err(format!("visit {number} was counted twice").into()),
        None => Ok(()),
    }
}

/// Sends requests until the server refuses to be connected to. Tells how each of them
/// ended, and whether it had been sent as a whole before the stop was asked for.
fn ask_until_refused(
    addr: SocketAddr,
    route: &str,
    asked: &AtomicBool,
) -> io::Result<Vec<(bool, End)>> {
    let mut ends = Vec::new();
    let request = get(route);
    loop {
        let mut open = Vec::new();
        let mut refused = false;
        while open.len() < AT_ONCE && !refused {
            match TcpStream::connect_timeout(&addr, DEADLINE) {
                Ok(mut stream) => {
                    let sent = stream.write_all(request.as_bytes()).is_ok();
                    open.push((sent && !asked.load(Ordering::SeqCst), stream));
                }
                Err(error) if asked.load(Ordering::SeqCst) => {
                    refused = true;
                    // A connection can also be reset while it is being made.
                    if error.kind() == ErrorKind::TimedOut {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        for (early, mut stream) in open {
            let bytes = read_to_end(&mut stream);
            let end = match contents(&bytes).pop() {
                Some(content) => End::Answered(content),
                None if bytes.is_empty() => End::Unseen,
                None => End::CutOff,
            };
            ends.push((early, end));
        }
        if refused {
            return Ok(ends);
        }
    }
}

fn get(route: &str) -> String {
    format!(
        "GET /app/{route} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
}

/// Everything that comes until the connection ends, however it does.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before an error stays in `bytes`, and tells what the error cost.
    let _ = stream
        .set_read_timeout(Some(DEADLINE))
        .and_then(|()| stream.read_to_end(&mut bytes));
    let _ = stream.shutdown(Shutdown::Both);
    bytes
}

/// The contents of the complete answers in these bytes.
fn contents(mut bytes: &[u8]) -> Vec<String> {
    let mut contents = Vec::new();
    while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head
            .lines()
            .filter_map(|line| line.strip_prefix("content-length:"))
            .find_map(|length| length.trim().parse().ok());
        let rest = &bytes[end + 4..];
        let Some(content) = length.and_then(|length: usize| rest.get(..length))
        else {
            break;
        };
        contents.push(String::from_utf8_lossy(content).into_owned());
        bytes = &rest[content.len()..];
    }
    contents
}

/// Starts the program, whose stdin stays open.
fn start(program: &Path) -> course::Result<Server> {
    let mut command = Command::new(program);
    command.args(["127.0.0.1:0", "--threads", "4", "--until-eof"]);
    Server::start(command.stdin(Stdio::piped()))
}

/// Asks the program to end, in another way each time.
fn stop(server: &mut Server, round: usize) -> course::Result<()> {
    let signal = match round % 3 {
        0 => "TERM",
        1 => "INT",
        _ => "",
    };
    if signal.is_empty() || cfg!(not(unix)) {
        drop(server.child.stdin.take());
        return Ok(());
    }
    server.signal(signal)
}

/// Waits until the program has ended, in order.
fn wait(server: &mut Server, until: Instant) -> course::Result<()> {
    match server.wait(until)? {
        status if status.success() => Ok(()),
        status => Err(format!("the program ended with {status}")),
    }
}
