//! How often does a server that is stopped under load lose an answer?
//!
//! `cargo run -q -p course --example stops -- target/debug/chapter11` starts the
//! program and stops it, 1,000 times, while clients ask as fast as they can. Another
//! number may follow the name, and after it what half of the clients ask for, such as
//! `picture/64/50`. How far it has come goes to stderr, every five seconds.

use std::collections::BTreeMap;
use std::env::consts::EXE_EXTENSION;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Answer, Check, Program};

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
    let program = Path::new(&program);
    let with_ending = program.with_extension(EXE_EXTENSION);
    if !program.is_file() && !with_ending.is_file() {
        eprintln!("there is no program {}: is it built?", program.display());
        return ExitCode::FAILURE;
    }
    let stops = stops.and_then(|stops| stops.parse().ok()).unwrap_or(STOPS);
    let route = args.next().unwrap_or_else(|| "wait/1".to_owned());
    let mut said = Instant::now();
    let tally = stop_often(program, stops, &route, |tally| {
        if said.elapsed() >= NEWS {
            said = Instant::now();
            let (done, lost) = (tally.stops, tally.lost());
            eprintln!("{done} of {stops} stops, {lost} answers lost so far");
        }
    });
    println!("{tally}");
    ExitCode::from(u8::from(tally.lost() > 0))
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
        for (number, what) in [
            (self.stops, "stops"),
            (self.answered, "requests answered"),
            (self.late, "of these, sent after the stop was asked for"),
            (self.lost(), "received and lost"),
        ] {
            writeln!(f, "{number:>8} {what}")?;
        }
        for (number, what) in [
            (self.early_lost, "of these, sent before the stop"),
            (self.counted_lost, "of these, counted by the server"),
            (self.cut_off, "of these, answered in part"),
        ] {
            if self.lost() > 0 {
                writeln!(f, "{number:>8} {what}")?;
            }
        }
        let unseen = "sent after the stop, and turned away without a byte";
        writeln!(f, "{:>8} {unseen}", self.unseen)?;
        write!(f, "{:>5} ms the slowest stop", self.slowest.as_millis())
    }
}

/// Starts and stops the program, again and again, while half of the clients ask for
/// this route. Tells after each time what came of it so far.
///
/// # Panics
///
/// Panics, after a report, where the program does not start, does not end in order
/// and in time, or does what no server should do.
pub fn stop_often(
    program: &Path,
    stops: usize,
    route: &str,
    mut tell: impl FnMut(&Tally),
) -> Tally {
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let mut tally = Tally::default();
    for round in 0..stops {
        let check = Check::new(program, &name, "A stop loses no answer")
            .read_on("11-graceful-shutdown", "1000-stops");
        stop_once(&check, round, route, &mut tally);
        tally.stops += 1;
        tell(&tally);
    }
    tally
}

fn stop_once(check: &Check, round: usize, route: &str, tally: &mut Tally) {
    let mut server = check.start_with_stdin(&["--threads", "4", "--until-eof"]);
    let addr = server.addr();
    let asked = AtomicBool::new(false);

    // One request that takes long, and behind it on the same connection one that is
    // counted: by then the server has counted all others, so that none of them can be
    // missing unnoticed.
    let long = "GET /app/wait/30 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut last = connect(addr);
    send(&mut last, &format!("{long}{}", get("visit/1")));
    // In some rounds two clients are here who want nothing, and one who never says
    // all.
    let mut others = Vec::new();
    if round.is_multiple_of(4) {
        others = vec![connect(addr), connect(addr)];
        send(&mut others[0], "GET /app/vis");
    }

    let (ends, bytes) = thread::scope(|scope| {
        let last = scope.spawn(|| read_to_end(&mut last));
        let asks = |client| {
            let asked = &asked;
            let route = if client % 2 == 0 { "visit/1" } else { route };
            scope.spawn(move || ask_until_refused(addr, route, asked))
        };
        let clients: Vec<_> = (0..CLIENTS).map(asks).collect();
        // The stop is to come at any moment of what the server and its clients do.
        thread::sleep(Duration::from_micros(100 * (round as u64 * 37 % 64)));
        asked.store(true, Ordering::SeqCst);
        let since = Instant::now();
        stop(&mut server, round);
        tally.slowest = tally.slowest.max(since.elapsed());
        let ends = clients
            .into_iter()
            .map(|client| client.join().expect("a client"));
        let ends: Vec<_> = ends.flatten().collect();
        (ends, last.join().expect("a client"))
    });
    drop(others);

    let mut visits = Vec::new();
    for (early, bytes) in ends {
        match contents(&bytes).pop() {
            Some(content) => {
                visits.push(content);
                tally.answered += 1;
                tally.late += usize::from(!early);
            }
            None if !bytes.is_empty() => tally.cut_off += 1,
            None if early => tally.early_lost += 1,
            None => tally.unseen += 1,
        }
    }
    match contents(&bytes).as_slice() {
        [_, visit] => {
            visits.push(visit.clone());
            tally.answered += 2;
        }
        _ => tally.early_lost += 1,
    }
    // The visits are numbered from 1 on. A number that nobody got is an answer that
    // was lost.
    let mut counted = BTreeMap::<usize, usize>::new();
    for number in visits.iter().filter_map(|visit| visit.trim().parse().ok()) {
        *counted.entry(number).or_default() += 1;
    }
    let highest = counted.last_key_value().map_or(0, |(&number, _)| number);
    tally.counted_lost += highest - counted.len();
    let twice = counted.iter().find(|&(_, &times)| times > 1);
    assert_eq!(twice, None, "a visit was counted more than once");
}

/// Sends requests until the server refuses to be connected to. Tells what came back
/// for each of them, and whether it had been sent as a whole before the stop was
/// asked for.
fn ask_until_refused(
    addr: SocketAddr,
    route: &str,
    asked: &AtomicBool,
) -> Vec<(bool, Vec<u8>)> {
    let request = get(route);
    let begin = Instant::now();
    let mut ends = Vec::new();
    let mut refused = false;
    // Where the server does not end, the clients do.
    while !refused && begin.elapsed() < DEADLINE {
        let mut open = Vec::new();
        while open.len() < AT_ONCE && !refused {
            match TcpStream::connect_timeout(&addr, DEADLINE) {
                Ok(mut stream) => {
                    let sent = stream.write_all(request.as_bytes()).is_ok();
                    open.push((sent && !asked.load(Ordering::SeqCst), stream));
                }
                Err(error) => {
                    // A connection can also be reset while it is being made.
                    refused = asked.load(Ordering::SeqCst)
                        && error.kind() != ErrorKind::TimedOut;
                    assert!(refused, "no connection: {error}");
                }
            }
        }
        for (early, mut stream) in open {
            ends.push((early, read_to_end(&mut stream)));
        }
    }
    ends
}

fn get(route: &str) -> String {
    format!(
        "GET /app/{route} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
}

fn connect(addr: SocketAddr) -> TcpStream {
    TcpStream::connect_timeout(&addr, DEADLINE).expect("a connection")
}

fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).expect("a write");
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
    while let Ok((answer, rest)) = Answer::first(bytes, true) {
        contents.push(String::from_utf8_lossy(answer.body()).into_owned());
        bytes = rest;
    }
    contents
}

/// Asks the program to end, in another way each time, and waits until it has ended,
/// in order.
fn stop(server: &mut Program, round: usize) {
    #[cfg(unix)]
    match round % 3 {
        0 => server.signal("TERM"),
        1 => server.signal("INT"),
        _ => server.close_stdin(),
    }
    #[cfg(not(unix))]
    {
        let _ = round;
        server.close_stdin();
    }
    server.must_end(0, "a stop waits for something that doesn't come.");
}
