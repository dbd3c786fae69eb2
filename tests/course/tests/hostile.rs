//! Random and mutated requests: each must end in an answer or a close, never in a
//! panic, a dead process or silence, and never with a byte from outside of the root.
//!
//! `cargo test` sends two thousand to every solution from chapter 05 on. The long
//! run:
//!
//!     cargo test -p course --test hostile -- --ignored
//!
//! `COURSE_PROGRAM` names another program to attack. `COURSE_REQUESTS` and
//! `COURSE_SEED` change how many are sent and which; without them they are the same
//! each time, so that a failure comes again.

use std::collections::BTreeMap;
use std::env;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use course::screen::{count, note};
use course::{Chapter, Course, cargo};
use harness::{Answer, Check, Random, Site};

/// How long one connection may take. It is far more than any needs, also on a busy
/// machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// What lies beside the root and must never come.
const SECRET: &str = "what-nobody-may-read-4c1d2f";

#[test]
fn two_thousand_hostile_requests() {
    attack_all(2_000);
}

#[test]
#[ignore = "for the long run; see the top of this file"]
fn a_hundred_thousand_hostile_requests() {
    attack_all(100_000);
}

/// Somebody who may write below the root turns a folder into a link and back, again
/// and again: now and then between the server's look at a path and its opening of the
/// file.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "for the long run; it can only ever find a leak by chance"]
fn a_folder_that_turns_into_a_link() {
    use std::sync::atomic::{AtomicBool, Ordering};

    for (name, program) in programs() {
        let site = hostile_site();
        site.file("turns/secret.txt", "no secret");
        let root = site.root();
        let check = Check::new(&program, &name, "A folder may turn into a link");
        let server = check.start(&["--root", &site.arg()]);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let rename = |from: &str, to: &str| {
                    let renamed = std::fs::rename(root.join(from), root.join(to));
                    renamed.expect("it can be renamed");
                };
                while !done.load(Ordering::Relaxed) {
                    rename("turns", "away");
                    rename("beside", "turns");
                    rename("turns", "beside");
                    rename("away", "turns");
                }
            });
            let request =
                "GET /turns/secret.txt HTTP/1.1\r\nHost: a\r\n\r\n".repeat(30);
            let ask = || {
                let mut received = Vec::new();
                let mut stream = TcpStream::connect(server.addr())?;
                stream.write_all(request.as_bytes())?;
                stream.read_to_end(&mut received)?;
                Ok::<bool, std::io::Error>(has(&received, SECRET))
            };
            let until = Instant::now() + Duration::from_secs(10);
            let mut leaks = Ok(false);
            while matches!(leaks, Ok(false)) && Instant::now() < until {
                leaks = ask();
            }
            // Whatever came of it: the scope waits for the other thread.
            done.store(true, Ordering::Relaxed);
            assert!(!leaks.expect("answers"), "{name}: the secret came");
        });
    }
}

fn attack_all(requests: usize) {
    let setting = |name: &str| env::var(name).ok()?.parse().ok();
    let requests = setting("COURSE_REQUESTS").unwrap_or(requests as u64) as usize;
    let seed = setting("COURSE_SEED").unwrap_or(5);
    for (name, program) in programs() {
        attack(&name, &program, requests, seed);
    }
}

/// The programs to attack, with their names.
fn programs() -> Vec<(String, PathBuf)> {
    if let Some(program) = env::var_os("COURSE_PROGRAM") {
        return vec![("COURSE_PROGRAM".to_owned(), program.into())];
    }
    let course = Course::of_this_package();
    let mut chapters = course.solutions();
    // Files, and so something to break out of, come with chapter 05.
    chapters.retain(|chapter| *chapter >= Chapter(5));
    let built = cargo::servers(&course, &chapters).expect("cargo runs");
    assert_eq!(built.len(), chapters.len(), "every solution is built");
    let named = |(chapter, path): (Chapter, _)| (chapter.solution_package(), path);
    built.into_iter().map(named).collect()
}

fn attack(name: &str, program: &Path, requests: usize, seed: u64) {
    let site = hostile_site();
    let check = Check::new(program, name, "Hostile requests do no harm");
    let server = check.start(&["--root", &site.arg()]);
    let begin = Instant::now();
    let mut tally = Tally::default();
    let (mut connections, mut sent) = (0, 0);
    while sent < requests {
        // Each connection has a generator of its own, so that it can be repeated
        // alone.
        let mut random = generator(seed, connections);
        let visit = Visit::random(&mut random, &site.root(), requests - sent);
        sent += visit.well_formed.len() + 1;
        if let Err(problem) = visit.make(server.addr(), &mut random, &mut tally) {
            check.fail(
                format!(
                    "{problem}\nconnection {connections} of COURSE_SEED={seed} \
                     sent:\n{}",
                    visit.bytes().escape_ascii(),
                ),
                "see the report of the panic, if there is one.",
            );
        }
        connections += 1;
    }
    let took = begin.elapsed().as_secs_f64();
    server.must_not_have_panicked("one of these requests made it panic.");
    let stopped = "it serves no page any more.";
    server.ask("/page.html").must_get(200, "page", stopped);
    server.must_still_run();
    note(&format!(
        "{name}: {} on {} in {took:.1} s: {tally:?}",
        count(sent, "request"),
        count(connections as usize, "connection"),
    ));
}

/// Files and folders with ordinary and odd names, links out of the root, and a secret
/// beside it.
fn hostile_site() -> Site {
    let site = Site::new();
    for (path, content) in [
        ("index.html", "home"),
        ("page.html", "page"),
        ("example.com/page.html", "page"),
        ("a b/c/index.html", "deep"),
        ("empty/folder/file", ""),
        ("100%", "percent"),
    ] {
        site.file(path, content);
    }
    for path in ["secret.txt", "site-b/secret.txt", "site-b/index.html"] {
        site.outside(path, SECRET);
    }
    #[cfg(unix)]
    {
        for (path, target) in [
            ("link.txt", "../secret.txt"),
            ("up", ".."),
            ("beside", "../site-b"),
            ("loop", "loop"),
            ("inside.html", "page.html"),
            ("zero", "/dev/zero"),
            ("empty/index.html", "../../secret.txt"),
        ] {
            site.link(path, target.as_ref());
        }
        site.file("odd\r\nname: x/index.html", "odd");
    }
    site
}

fn has(received: &[u8], text: &str) -> bool {
    let mut places = received.windows(text.len());
    places.any(|place| place == text.as_bytes())
}

/// What came of the requests: how often each status came, and how many had no answer,
/// because the connection was closed, was reset, or the client left.
#[derive(Debug, Default)]
struct Tally {
    statuses: BTreeMap<u16, usize>,
    closed: usize,
    reset: usize,
    left: usize,
}

/// One connection: requests in good form for strange targets, and then one that may
/// be anything.
struct Visit {
    well_formed: Vec<Request>,
    last: Vec<u8>,
    leaves_early: bool,
}

/// A request that follows the grammar, and so must be answered.
struct Request {
    bytes: Vec<u8>,
    is_head: bool,
}

impl Visit {
    fn random(random: &mut Random, root: &Path, most: usize) -> Visit {
        let number = random.below(8).min(most - 1);
        Visit {
            well_formed: (0..number).map(|_| Request::random(random, root)).collect(),
            last: mutated(random, root),
            leaves_early: random.below(40) == 0,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let requests = self.well_formed.iter().map(|request| &request.bytes[..]);
        let all: Vec<&[u8]> = requests.chain([&self.last[..]]).collect();
        all.concat()
    }

    /// Sends all requests at once or in two pieces, and reads until the connection
    /// ends.
    fn make(
        &self,
        addr: SocketAddr,
        random: &mut Random,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let connected = TcpStream::connect_timeout(&addr, DEADLINE);
        let mut stream =
            connected.map_err(|error| format!("no connection: {error}"))?;
        let prepared = stream
            .set_read_timeout(Some(DEADLINE))
            .and_then(|()| stream.set_write_timeout(Some(DEADLINE)))
            .and_then(|()| stream.set_nodelay(true));
        prepared.map_err(|error| format!("the socket cannot be set up: {error}"))?;
        let bytes = self.bytes();
        let cut = match random.below(8) {
            0 => random.below(bytes.len() + 1),
            _ => bytes.len(),
        };
        let (first, second) = bytes.split_at(cut);
        // Where the server has closed meanwhile, what it said before is still to be
        // read.
        let _ = stream
            .write_all(first)
            .and_then(|()| stream.write_all(second))
            .and_then(|()| stream.shutdown(Shutdown::Write));
        if self.leaves_early {
            tally.left += 1;
            return Ok(());
        }
        let begin = Instant::now();
        let mut received = Vec::new();
        match stream.read_to_end(&mut received) {
            Ok(_) => self.judge(&received, tally).map_err(|why| {
                let shown = received[..received.len().min(2000)].escape_ascii();
                format!("{why}: {shown}")
            }),
            Err(_) if begin.elapsed() >= DEADLINE => Err(format!(
                "neither an answer nor a close within {DEADLINE:?}, only: {}",
                received.escape_ascii()
            )),
            // A reset: what had been sent before it may be lost.
            Err(_) => {
                tally.reset += 1;
                Ok(())
            }
        }
    }

    fn judge(&self, received: &[u8], tally: &mut Tally) -> Result<(), String> {
        for (words, problem) in [
            (SECRET, "the secret came"),
            ("\r\nLocation: //", "a redirect leads to another server"),
            ("\nname: x", "a field came in through a name"),
        ] {
            if has(received, words) {
                return Err(problem.into());
            }
        }
        let mut rest = received;
        for (at, request) in self.well_formed.iter().enumerate() {
            let read = tally.read(rest, !request.is_head);
            let (answer, behind) = read.map_err(|why| {
                format!("{why}, after {}", request.bytes.escape_ascii())
            })?;
            rest = behind;
            if answer.closes() {
                // What had not arrived by then is not served: clients ask for it
                // again.
                tally.closed += self.well_formed.len() - at;
                return match rest {
                    [] => Ok(()),
                    _ => Err("more came after the last answer".into()),
                };
            }
        }
        if rest.is_empty() {
            tally.closed += 1;
            return Ok(());
        }
        // Whether this is an answer to HEAD cannot be told from outside.
        tally.read(rest, false).map(drop)
    }
}

impl Tally {
    /// Reads the first answer in these bytes, and counts it.
    fn read<'a>(
        &mut self,
        bytes: &'a [u8],
        has_content: bool,
    ) -> Result<(Answer, &'a [u8]), String> {
        const EXPECTED: [u16; 10] =
            [200, 301, 400, 403, 404, 405, 414, 431, 501, 505];
        let (answer, rest) = Answer::first(bytes, has_content)?;
        if !EXPECTED.contains(&answer.status()) {
            return Err("a status came that no request deserves".into());
        }
        *self.statuses.entry(answer.status()).or_default() += 1;
        Ok((answer, rest))
    }
}

impl Request {
    fn random(random: &mut Random, root: &Path) -> Request {
        let method = pick(
            random,
            &[
                "GET", "GET", "GET", "GET", "GET", "GET", "HEAD", "HEAD", "PATCH",
            ],
        );
        let target = target(random, root);
        let host = pick(random, &["Host: a", "host:a", "HOST: \t127.0.0.1:80 "]);
        let mut text = format!("{method} {target} HTTP/1.1\r\n{host}\r\n");
        for _ in 0..random.below(3) {
            let name = random.word(8);
            text += &format!("{name}: {}\r\n", visible(random, 20));
        }
        text.push_str("\r\n");
        Request {
            bytes: text.into_bytes(),
            is_head: method == "HEAD",
        }
    }
}

/// A target of visible ASCII that tries to be something else than it seems.
fn target(random: &mut Random, root: &Path) -> String {
    const BEGINS: &str =
        "/ / / / /  // http://a/ http://a HTTP://a:1/ file:// //example.com/";
    const GOOD: &str = "/ /empty/ //example.com /page.html?q=1 /a%20b/c /a%20b//c/ \
                        /empty/folder/file /beside /100%25 http://a/empty/.";
    // The first is empty: two slashes in a row.
    const PARTS: &str = " . .. ... %2e %2e%2e .%2E %252e%252e ..%2f %2f %5c ..\\ \
                         %00 %ff %c0%ae % %4 %zz %+1 a%20b c page.html \
                         index.html empty folder file 100%25 link.txt up beside \
                         loop inside.html zero secret.txt site site-b \
                         odd%0d%0aname:%20x ~ C: con nul.txt page.html::$DATA \
                         page.html. %E2%80%AE * ?q=/../x #a http:";
    let one_of = |random: &mut Random, words: &'static str| -> &str {
        pick(random, &words.split(' ').collect::<Vec<_>>())
    };
    let mut target = one_of(random, BEGINS).to_owned();
    match random.below(20) {
        0 => {
            target.push_str(&root.with_file_name("secret.txt").display().to_string())
        }
        1 => target.push_str(&"x".repeat(random.below(7000))),
        2 => target.push_str(&"../".repeat(random.below(50))),
        3 => target.push_str(&visible(random, 60)),
        4..8 => return one_of(random, GOOD).to_owned(),
        _ => {
            for _ in 0..random.below(6) {
                target.push_str(one_of(random, PARTS));
                target.push('/');
            }
        }
    }
    match random.below(3) {
        0 => target.push_str(one_of(random, PARTS)),
        1 => target.push_str("secret.txt"),
        _ => {}
    }
    // The path of the folder may have spaces in it; a target never has.
    match target.replace(' ', "%20") {
        target if target.is_empty() => "*".to_owned(),
        target => target,
    }
}

/// A request with a few faults, or no request at all.
fn mutated(random: &mut Random, root: &Path) -> Vec<u8> {
    const TOKENS: &[u8] =
        b"\r\n|\n|\r|\0| |\t|:|\r\n\r\n|HTTP/1.1|HTTP/1.0|HTTP/9.9|GET |/|%|..|\
        Host: a\r\n|Content-Length: 5\r\n|Content-Length: -1\r\n|\
        Content-Length: 99999999999999999999\r\n|Transfer-Encoding: chunked\r\n|\
        Connection: close\r\n|Connection: keep-alive\r\n|Expect: 100-continue\r\n|\
        \x20folded: x\r\n|\xff\xfe|\xf0\x9f\xa6\x80|\x7f";
    let tokens: Vec<&[u8]> = TOKENS.split(|&byte| byte == b'|').collect();
    if random.below(12) == 0 {
        let len = random.below(3000);
        return random.bytes(len);
    }
    let mut bytes = Request::random(random, root).bytes;
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = at + random.below(bytes.len() - at + 1).min(30);
        let few = random.below(4);
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.splice(at..at, random.bytes(few))),
            2 => drop(bytes.drain(at..end)),
            3 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            4 | 5 => drop(bytes.splice(at..at, pick(random, &tokens).to_vec())),
            6 => bytes.truncate(at),
            _ if random.below(20) == 0 => {
                let long = vec![b'a'; pick(random, &[8_000, 9_000, 40_000])];
                drop(bytes.splice(at..at, long));
            }
            _ => {}
        }
    }
    bytes
}

/// A generator of its own for each connection.
fn generator(seed: u64, connection: u64) -> Random {
    Random::seeded(seed ^ connection.wrapping_mul(0xd134_2543_de82_ef95))
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len())]
}

/// Visible ASCII.
fn visible(random: &mut Random, len: usize) -> String {
    let letters = random.bytes(len).into_iter();
    letters.map(|byte| char::from(b'!' + byte % 94)).collect()
}
