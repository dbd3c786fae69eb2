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
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use course::cargo::{self, Target};
use course::dev::server::Server;
use course::screen::{count, note};
use course::work::Scratch;
use course::{Chapter, Course};

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
        let scratch = Scratch::new("hostile").expect("a scratch folder");
        let root = scratch.path().join("site");
        make_site(&root);
        fs::create_dir(root.join("turns")).expect("a folder can be made");
        fs::write(root.join("turns/secret.txt"), "no secret")
            .expect("a file can be written");
        let server = start(&program, &root, &scratch.path().join("stderr"));
        let done = AtomicBool::new(false);
        let rename = |from: &str, to: &str| {
            fs::rename(root.join(from), root.join(to)).expect("it can be renamed");
        };
        let (mut asked, mut leaked) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    rename("turns", "away");
                    rename("beside", "turns");
                    rename("turns", "beside");
                    rename("away", "turns");
                }
            });
            let request =
                "GET /turns/secret.txt HTTP/1.1\r\nHost: a\r\n\r\n".repeat(30);
            let mut ask = || {
                let mut received = Vec::new();
                let mut stream = TcpStream::connect(server.addr)?;
                stream.write_all(request.as_bytes())?;
                stream.read_to_end(&mut received)?;
                asked += 30;
                leaked += String::from_utf8_lossy(&received).matches(SECRET).count();
                Ok::<(), std::io::Error>(())
            };
            let until = Instant::now() + Duration::from_secs(10);
            let mut outcome = Ok(());
            while outcome.is_ok() && Instant::now() < until {
                outcome = ask();
            }
            // Whatever came of it: the scope waits for the other thread.
            done.store(true, Ordering::Relaxed);
            outcome.expect("answers");
        });
        note(&format!(
            "{name}: the secret came {leaked} times in {asked}"
        ));
        assert_eq!(leaked, 0, "{name}");
    }
}

fn attack_all(requests: usize) {
    let setting = |name: &str| std::env::var(name).ok()?.parse().ok();
    let requests = setting("COURSE_REQUESTS").unwrap_or(requests as u64) as usize;
    let seed = setting("COURSE_SEED").unwrap_or(5);
    for (name, program) in programs() {
        attack(&name, &program, requests, seed);
    }
}

/// The programs to attack, with their names.
fn programs() -> Vec<(String, PathBuf)> {
    let course = Course::of_this_package();
    if let Some(program) = std::env::var_os("COURSE_PROGRAM") {
        // Tests run in their package's folder, and people type paths from the root.
        return vec![("COURSE_PROGRAM".to_owned(), course.root().join(program))];
    }
    let mut chapters = course.solutions();
    // Files, and so something to break out of, come with chapter 05.
    chapters.retain(|chapter| *chapter >= Chapter(5));
    let built = cargo::solutions(&course, &chapters, Target::Server);
    let built = built.expect("cargo runs");
    assert_eq!(built.len(), chapters.len(), "every solution is built");
    let named =
        |(chapter, path): (Chapter, PathBuf)| (chapter.solution_package(), path);
    built.into_iter().map(named).collect()
}

fn attack(name: &str, program: &Path, requests: usize, seed: u64) {
    let scratch = Scratch::new("hostile").expect("a scratch folder");
    let root = scratch.path().join("site");
    make_site(&root);
    let stderr = scratch.path().join("stderr");
    let mut server = start(program, &root, &stderr);
    let start = Instant::now();
    let mut tally = Tally::default();
    let mut connections = 0;
    let mut sent = 0;
    while sent < requests {
        // Each connection has a generator of its own, so that it can be repeated
        // alone.
        let mut random = Random::new(seed, connections);
        let visit = Visit::random(&mut random, &root, requests - sent);
        sent += visit.well_formed.len() + 1;
        if let Err(problem) = visit.make(server.addr, &mut random, &mut tally) {
            let said = last_words(&mut server, &stderr);
            panic!(
                "{}: {problem}\nconnection {connections} of COURSE_SEED={seed} sent:\n{}\n{said}",
                name,
                visit.bytes().escape_ascii(),
            );
        }
        connections += 1;
    }
    let took = start.elapsed();
    let said = last_words(&mut server, &stderr);
    assert!(said.is_empty(), "{}: {said}", name);
    let good = Visit {
        well_formed: Vec::new(),
        last: b"GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        leaves_early: false,
    };
    let mut last = Tally::default();
    let outcome = good.make(server.addr, &mut Random::new(seed, 0), &mut last);
    assert!(
        outcome.is_ok() && last.statuses.get("200") == Some(&1),
        "{} does not serve a page any more: {outcome:?}",
        name
    );
    note(&format!(
        "{}: {} on {} in {:.1} s: {tally}",
        name,
        count(sent, "request"),
        count(connections as usize, "connection"),
        took.as_secs_f64(),
    ));
}

/// Files and folders with ordinary and odd names, links out of the root, and a secret
/// beside it.
fn make_site(root: &Path) {
    let write = |path: &str, content: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder"))
            .expect("a folder can be made");
        fs::write(path, content).expect("a file can be written");
    };
    write("index.html", "home");
    write("page.html", "page");
    write("example.com/page.html", "page");
    write("a b/c/index.html", "deep");
    write("empty/folder/file", "");
    write("100%", "percent");
    write("../secret.txt", SECRET);
    write("../site-b/secret.txt", SECRET);
    write("../site-b/index.html", SECRET);
    #[cfg(unix)]
    {
        let link = |path: &str, target: &str| {
            std::os::unix::fs::symlink(target, root.join(path))
                .expect("a symbolic link");
        };
        link("link.txt", "../secret.txt");
        link("up", "..");
        link("beside", "../site-b");
        link("loop", "loop");
        link("inside.html", "page.html");
        link("zero", "/dev/zero");
        link("empty/index.html", "../../secret.txt");
        write("odd\r\nname: x/index.html", "odd");
    }
}

fn start(program: &Path, root: &Path, stderr: &Path) -> Server {
    let stderr = File::create(stderr).expect("a file can be made");
    let mut command = Command::new(program);
    command.arg("127.0.0.1:0").arg("--root").arg(root);
    Server::start(command.stdin(Stdio::null()).stderr(stderr)).expect("it starts")
}

/// What is wrong with the program: that it has ended, or has panicked.
fn last_words(server: &mut Server, stderr: &Path) -> String {
    let mut words = String::new();
    if let Ok(Some(status)) = server.child.try_wait() {
        words = format!("the program ended: {status}\n");
    }
    let stderr = fs::read(stderr).unwrap_or_default();
    let stderr = String::from_utf8_lossy(&stderr);
    if let Some(at) = stderr.find("panicked") {
        let begin = stderr[..at].rfind('\n').map_or(0, |end| end + 1);
        words.extend(stderr[begin..].chars().take(500));
    }
    words
}

/// What came of the requests.
#[derive(Default)]
struct Tally {
    statuses: BTreeMap<String, usize>,
    closed: usize,
    reset: usize,
    left: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (status, times) in &self.statuses {
            write!(f, "{status} {times} times, ")?;
        }
        write!(
            f,
            "closed without an answer {}, reset {}, left by the client {}",
            self.closed, self.reset, self.left
        )
    }
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
        let mut stream = TcpStream::connect_timeout(&addr, DEADLINE)
            .map_err(|error| format!("no connection: {error}"))?;
        let prepared = stream
            .set_read_timeout(Some(DEADLINE))
            .and_then(|()| stream.set_write_timeout(Some(DEADLINE)))
            .and_then(|()| stream.set_nodelay(true));
        prepared.map_err(|error| format!("the socket cannot be set up: {error}"))?;
        let bytes = self.bytes();
        let in_pieces = random.below(8) == 0;
        let cut = if in_pieces {
            random.below(bytes.len() + 1)
        } else {
            bytes.len()
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
        let mut received = Vec::new();
        match stream.read_to_end(&mut received) {
            Ok(_) => self.judge(&received, tally),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut
                ) =>
            {
                Err(format!(
                    "neither an answer nor a close within {DEADLINE:?}, only: {}",
                    received.escape_ascii()
                ))
            }
            // A reset: what had been sent before it may be lost.
            Err(_) => {
                tally.reset += 1;
                Ok(())
            }
        }
    }

    fn judge(&self, received: &[u8], tally: &mut Tally) -> Result<(), String> {
        let shown = || received[..received.len().min(2000)].escape_ascii();
        let has = |text: &str| {
            received
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        if has(SECRET) {
            return Err(format!("the secret came: {}", shown()));
        }
        if has("\r\nLocation: //") {
            return Err(format!("a redirect leads to another server: {}", shown()));
        }
        if has("\nname: x") {
            return Err(format!("a field came in through a name: {}", shown()));
        }
        let mut rest = received;
        for (at, request) in self.well_formed.iter().enumerate() {
            let answer = Answer::read(rest, request.is_head).map_err(|why| {
                format!("{why}, after {}: {}", request.bytes.escape_ascii(), shown())
            })?;
            *tally.statuses.entry(answer.status.to_owned()).or_default() += 1;
            rest = answer.behind;
            if answer.closes {
                // What had not arrived by then is not served: clients ask for it
                // again.
                tally.closed += self.well_formed.len() - at;
                return match rest {
                    [] => Ok(()),
                    _ => Err(format!("more came after the last answer: {}", shown())),
                };
            }
        }
        if rest.is_empty() {
            tally.closed += 1;
            return Ok(());
        }
        // Whether this is an answer to HEAD cannot be told from outside.
        let answer =
            Answer::read(rest, true).map_err(|why| format!("{why}: {}", shown()))?;
        *tally.statuses.entry(answer.status.to_owned()).or_default() += 1;
        Ok(())
    }
}

/// An answer, taken apart.
struct Answer<'a> {
    status: &'a str,
    /// Whether it says that the connection ends here.
    closes: bool,
    behind: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Reads the first of these bytes.
    fn read(bytes: &'a [u8], is_head: bool) -> Result<Answer<'a>, &'static str> {
        const EXPECTED: [&str; 10] = [
            "200", "301", "400", "403", "404", "405", "414", "431", "501", "505",
        ];
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.ok_or("an answer is missing")? + 4;
        let head = str::from_utf8(&bytes[..end]).map_err(|_| "a head is not text")?;
        let status = head.strip_prefix("HTTP/1.1 ");
        let status = status.and_then(|rest| rest.get(..3));
        let status = status.ok_or("an answer does not begin with HTTP/1.1")?;
        if !EXPECTED.contains(&status) {
            return Err("a status came that no request deserves");
        }
        let field = |wanted: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(": "));
            let found = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value)
        };
        let length =
            field("Content-Length").and_then(|length| length.parse::<usize>().ok());
        let length = length.ok_or("an answer has no length")?;
        let content = if is_head { 0 } else { length };
        Ok(Answer {
            status,
            closes: field("Connection") == Some("close"),
            behind: bytes.get(end + content..).ok_or("an answer is cut off")?,
        })
    }
}

impl Request {
    fn random(random: &mut Random, root: &Path) -> Request {
        let method = random.pick(&[
            "GET", "GET", "GET", "GET", "GET", "GET", "HEAD", "HEAD", "PATCH",
        ]);
        let target = target(random, root);
        let host = random.pick(&["Host: a", "host:a", "HOST: \t127.0.0.1:80 "]);
        let mut text = format!("{method} {target} HTTP/1.1\r\n{host}\r\n");
        for _ in 0..random.below(3) {
            let name = random.word(8);
            text.push_str(&format!("{name}: {}\r\n", random.visible(20)));
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
    const GOOD: [&str; 10] = [
        "/",
        "/empty/",
        "//example.com",
        "/page.html?q=1",
        "/a%20b/c",
        "/a%20b//c/",
        "/empty/folder/file",
        "/beside",
        "/100%25",
        "http://a/empty/.",
    ];
    // The first is empty: two slashes in a row.
    const PARTS: &str = " . .. ... %2e %2e%2e .%2E %252e%252e ..%2f %2f %5c ..\\ %00 %ff %c0%ae % %4 \
                         %zz %+1 a%20b c page.html index.html empty folder file 100%25 link.txt up \
                         beside loop inside.html zero secret.txt site site-b odd%0d%0aname:%20x ~ \
                         C: con nul.txt page.html::$DATA page.html. %E2%80%AE * ?q=/../x #a http:";
    let parts: Vec<&str> = PARTS.split(' ').collect();
    let mut target = String::from(random.pick(&[
        "/",
        "/",
        "/",
        "/",
        "/",
        "//",
        "",
        "http://a/",
        "http://a",
        "HTTP://a:1/",
        "file://",
        "//example.com/",
    ]));
    match random.below(20) {
        0 => {
            target.push_str(&root.with_file_name("secret.txt").display().to_string())
        }
        1 => target.push_str(&"x".repeat(random.below(7000))),
        2 => target.push_str(&"../".repeat(random.below(50))),
        3 => target.push_str(&random.visible(60)),
        4..8 => return random.pick(&GOOD).to_owned(),
        _ => {
            for _ in 0..random.below(6) {
                target.push_str(random.pick(&parts));
                target.push('/');
            }
        }
    }
    match random.below(3) {
        0 => target.push_str(random.pick(&parts)),
        1 => target.push_str("secret.txt"),
        _ => {}
    }
    // The path of the folder may have spaces in it; a target never has.
    let target = target.replace(' ', "%20");
    if target.is_empty() {
        "*".to_owned()
    } else {
        target
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
            4 | 5 => drop(bytes.splice(at..at, random.pick(&tokens).to_vec())),
            6 => bytes.truncate(at),
            _ if random.below(20) == 0 => {
                let long = vec![b'a'; random.pick(&[8_000, 9_000, 40_000])];
                drop(bytes.splice(at..at, long));
            }
            _ => {}
        }
    }
    bytes
}

/// Of the milestones' generator: the same seed gives the same requests.
#[allow(dead_code, reason = "the milestones use the rest")]
#[path = "../../harness/src/random.rs"]
mod random;

use random::Random;

impl Random {
    /// A generator of its own for each connection.
    fn new(seed: u64, connection: u64) -> Random {
        Random::seeded(seed ^ connection.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Visible ASCII.
    fn visible(&mut self, len: usize) -> String {
        let visible = |random: &mut Random| char::from(b'!' + random.below(94) as u8);
        (0..len).map(|_| visible(self)).collect()
    }
}
