//! What do requests do to a server that no client should send?
//!
//! `cargo build --release -p solution16`, then
//! `cargo run --release -q -p course --example hostile -- target/release/solution16`
//! sends 100,000 requests, each of them random or spoilt at random, on many
//! connections, and tells what came of them. Another number may follow the name, then
//! a seed, then options for the program. The same seed sends the same requests.
//!
//! It fails if the program panics or ends, leaves a client without an answer, or with
//! something that isn't one, or if it has more descriptors or more memory at the end
//! than it had after the first tenth.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Check, Program, Random, Site};

const REQUESTS: usize = 100_000;
const CLIENTS: usize = 4;
/// The most requests that are sent on one connection.
const MOST: usize = 4;
/// Nothing may take longer than this.
const DEADLINE: Duration = Duration::from_secs(10);
/// How much memory may come and go, in bytes.
const MUCH: u64 = 1 << 20;

/// Requests that are right, before they are spoilt.
const RIGHT: [&str; 8] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /app/visit HTTP/1.1\r\nHost: 127.0.0.1:7878\r\nConnection: close\r\n\r\n",
    "GET /a%20b.txt?q=%31 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    "GET http://a/folder/../folder/./x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
     5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
];
/// What is put into them.
const PIECES: [&[u8]; 17] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    b"%",
    b"%2e%2e/",
    b"\xff\xfe",
    b"Content-Length: 3\r\n",
    b"Content-Length: 9999999\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: b\r\n",
    b"HTTP/9.9",
    b"ffffffffffffffffff\r\n",
    b"0\r\n\r\n",
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((program, args)) = args.split_first() else {
        eprintln!("usage: hostile PROGRAM [REQUESTS [SEED [OPTION]...]]");
        return ExitCode::from(2);
    };
    let number = |at: usize| args.get(at).and_then(|number| number.parse().ok());
    let (requests, seed) = (number(0).unwrap_or(REQUESTS), number(1).unwrap_or(1));
    let options: Vec<&str> = args.iter().skip(2).map(String::as_str).collect();
    let program = Path::new(program);
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let check = Check::new(program, &name, "Hostile requests change nothing");
    let is_well = attack(&check, requests, seed as u64, &options);
    ExitCode::from(u8::from(!is_well))
}

/// Sends as many requests, and returns whether the program is as it was.
fn attack(check: &Check, requests: usize, seed: u64, options: &[&str]) -> bool {
    let site = Site::new();
    for (path, content) in [("index.html", "home"), ("a b.txt", "b"), ("x", "x")] {
        site.file(path, content);
    }
    let root = site.arg();
    let mut args = vec!["--root", &root];
    args.extend(options);
    let server = check.start(&args);
    let (begin, first) = (Instant::now(), requests / 10);
    let mut tally = Tally::default();
    tally.add(send_all(server.addr(), first, seed));
    let before = holdings(&server);
    tally.add(send_all(
        server.addr(),
        requests - first,
        seed ^ u64::MAX >> 1,
    ));
    let mut after = holdings(&server);
    // Connections that linger are still there for a second.
    let until = Instant::now() + DEADLINE;
    while after.0 > before.0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
        after = holdings(&server);
    }
    println!(
        "{requests} requests on {} connections in {:.1?}, seed {seed}",
        tally.connections,
        begin.elapsed()
    );
    for (status, count) in &tally.answers {
        println!("{count:>8} answers {status}");
    }
    println!(
        "{:>8} connections closed without one, as was right",
        tally.empty
    );
    println!("{:>8} -> {} descriptors", before.0, after.0);
    println!(
        "{:>8} -> {} KiB of memory (RssAnon)",
        before.1 >> 10,
        after.1 >> 10
    );
    for fault in tally.faults.iter().take(10) {
        println!("FAULT {fault}");
    }
    println!("{:>8} faults", tally.faults.len());
    server.must_not_have_panicked("no request may cause a panic.");
    server.must_still_run();
    tally.faults.is_empty() && after.0 <= before.0 && after.1 < before.1 + MUCH
}

/// How many descriptors the program has open, and how much memory it has. Zeros where
/// the system doesn't tell.
fn holdings(server: &Program) -> (usize, u64) {
    server.comes_to_rest();
    (
        server.open_files().unwrap_or(0),
        server.allocated_memory().unwrap_or(0),
    )
}

/// What came of requests.
#[derive(Default)]
struct Tally {
    connections: usize,
    /// How many answers there were of each status.
    answers: BTreeMap<String, usize>,
    /// How many connections were closed on which nothing was asked.
    empty: usize,
    faults: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.connections += other.connections;
        self.empty += other.empty;
        self.faults.extend(other.faults);
        for (status, count) in other.answers {
            *self.answers.entry(status).or_default() += count;
        }
    }
}

fn send_all(addr: SocketAddr, requests: usize, seed: u64) -> Tally {
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let share = (client..requests).step_by(CLIENTS).count();
                let random = Random::seeded(seed ^ (client as u64) << 32);
                scope.spawn(move || send_some(addr, share, random))
            })
            .collect();
        for client in clients {
            tally.add(client.join().expect("a client"));
        }
    });
    tally
}

/// One client after the other.
fn send_some(addr: SocketAddr, requests: usize, mut random: Random) -> Tally {
    let (mut tally, mut left) = (Tally::default(), requests);
    while left > 0 {
        let count = (1 + random.below(MOST)).min(left);
        left -= count;
        let bytes: Vec<u8> = (0..count).flat_map(|_| request(&mut random)).collect();
        tally.connections += 1;
        match converse(addr, &bytes) {
            Ok(answers) => judge(&bytes, &answers, &mut tally),
            Err(error) => {
                tally.faults.push(format!("{error} after {}", show(&bytes)))
            }
        }
    }
    tally
}

/// A request that is random, or a right one with a few faults.
fn request(random: &mut Random) -> Vec<u8> {
    if random.below(10) == 0 {
        let len = random.below(300);
        return random.bytes(len);
    }
    let mut bytes = RIGHT[random.below(RIGHT.len())].as_bytes().to_vec();
    if random.below(200) == 0 {
        // Longer than any head may be.
        let at = random.below(bytes.len());
        let long = random.word(40_000);
        bytes.splice(at..at, long.into_bytes());
    }
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + random.below(8)).min(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.below(256) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            3 => drop(
                bytes.splice(at..at, PIECES[random.below(PIECES.len())].to_vec()),
            ),
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'G');
        }
    }
    bytes
}

/// Sends everything, says that this was all, and reads to the end.
fn converse(addr: SocketAddr, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = loop {
        match TcpStream::connect(addr) {
            // All ports are used by connections that have just ended.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                thread::sleep(Duration::from_millis(100));
            }
            stream => break stream?,
        }
    };
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    // The server may have said no and closed before it has all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let (mut answers, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(answers),
            Ok(read) => answers.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Notes the answers, and what isn't one.
fn judge(bytes: &[u8], answers: &[u8], tally: &mut Tally) {
    if answers.is_empty() {
        // Empty lines before a request are no request.
        if bytes.iter().all(|byte| b"\r\n".contains(byte)) {
            tally.empty += 1;
        } else {
            tally.faults.push(format!("no answer to {}", show(bytes)));
        }
    }
    let mut rest = answers;
    while !rest.is_empty() {
        let Some((status, after)) = split_answer(rest) else {
            let answer = show(&rest[..rest.len().min(200)]);
            let asked = show(bytes);
            return tally
                .faults
                .push(format!("{answer} is no answer, to {asked}"));
        };
        *tally.answers.entry(status).or_default() += 1;
        rest = after;
    }
}

/// The status of the first answer, and what comes after it.
fn split_answer(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(&bytes[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("Content-Length").then_some(value)
    });
    let content = end + 4;
    let length: usize = length?.parse().ok()?;
    Some((status.to_owned(), bytes.get(content + length..)?))
}

fn show(bytes: &[u8]) -> String {
    let (shown, more) = bytes.split_at(bytes.len().min(400));
    let more = if more.is_empty() { "" } else { "…" };
    format!("\"{}\"{more}", shown.escape_ascii())
}
