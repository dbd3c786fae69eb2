//! The program under test: started on a free port, watched, and always ended.

use std::fmt::Display;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{
    Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio,
};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking as http;

use crate::check::Failure;
use crate::client::LOOP_ENDED;
use crate::{Check, Client, DEADLINE};

/// Why a program prints no line.
pub(crate) const NO_LINE: &str = "the line is missing, has no line end, goes to stderr (eprintln!), or stands after \
                       the loop that accepts connections. Print it after bind and before the first \
                       accept.";

/// A running program. It is killed when this value is dropped.
pub struct Program {
    check: Check,
    watched: Arc<Watched>,
    addr: SocketAddr,
    /// The writing end of its stdin, where it has one.
    stdin: Option<ChildStdin>,
}

/// A child process and what it has printed on stderr.
pub(crate) struct Watched {
    child: Mutex<Child>,
    stderr: Arc<Mutex<Vec<u8>>>,
}

impl Watched {
    /// The exit status, where the process has ended. Waits a moment for a process
    /// that is ending.
    pub(crate) fn exited(&self) -> Option<ExitStatus> {
        let until = Instant::now() + Duration::from_millis(150);
        loop {
            let status = self.child.lock().expect("a child").try_wait();
            if let Ok(Some(status)) = status {
                // What it printed last may still be on its way through the pipe.
                thread::sleep(Duration::from_millis(20));
                return Some(status);
            }
            if Instant::now() > until {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the process has printed on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().expect("output")).into_owned()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let child = self.child.get_mut().expect("a child");
        // Both fail only where the process has already gone.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Check {
    /// Starts the program on a free port of 127.0.0.1 with these further arguments,
    /// and waits for its `listening on` line.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> Program {
        self.start_command(Command::new(self.exe()), Stdio::null(), args, NO_LINE)
    }

    /// Like [`Check::start`], with a stdin that stays open until
    /// [`Program::close_stdin`].
    #[track_caller]
    pub fn start_with_stdin(&self, args: &[&str]) -> Program {
        self.start_command(Command::new(self.exe()), Stdio::piped(), args, NO_LINE)
    }

    /// Like [`Check::start`], with a stderr that nobody reads any more: whoever
    /// writes there learns it as an error.
    #[track_caller]
    pub fn start_unheard(&self, args: &[&str]) -> Program {
        self.step("close the other end of its stderr");
        let (_, stderr) = std::io::pipe().expect("a pipe");
        let streams = [Stdio::null(), stderr.into()];
        self.start_with_streams(Command::new(self.exe()), streams, args, NO_LINE)
    }

    /// Like [`Check::start`], for a program that may have at most so many files and
    /// sockets open.
    #[cfg(unix)]
    #[track_caller]
    pub fn start_with_few_files(&self, files: u32, args: &[&str]) -> Program {
        self.step(format!("allow {files} open files"));
        let mut command = Command::new("sh");
        command.args(["-c", r#"ulimit -n "$0" && exec "$@""#, &files.to_string()]);
        command.arg(self.exe());
        self.start_command(command, Stdio::null(), args, NO_LINE)
    }

    #[track_caller]
    pub(crate) fn start_command(
        &self,
        command: Command,
        stdin: Stdio,
        args: &[&str],
        no_line: &str,
    ) -> Program {
        self.start_with_streams(command, [stdin, Stdio::piped()], args, no_line)
    }

    #[track_caller]
    fn start_with_streams(
        &self,
        mut command: Command,
        [stdin, stderr]: [Stdio; 2],
        args: &[&str],
        no_line: &str,
    ) -> Program {
        let shown = [&[self.name(), "127.0.0.1:0"], args].concat().join(" ");
        self.step(format!("start {shown}"));
        let mut child = command
            .arg("127.0.0.1:0")
            .args(args)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| {
                let exe = self.exe().display();
                self.fail(
                    format!("The program {exe} cannot be started: {error}."),
                    "COURSE_PROGRAM must name a program that may be executed.",
                )
            });
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("a piped stdout");
        let stderr = child.stderr.take().map(collect).unwrap_or_default();
        let child = Mutex::new(child);
        let watched = Arc::new(Watched { child, stderr });
        self.watch(Arc::clone(&watched));
        let addr = self.listening_line(&first_line(stdout), no_line);
        let check = self.clone();
        Program {
            check,
            watched,
            addr,
            stdin,
        }
    }

    #[track_caller]
    fn listening_line(&self, line: &Receiver<String>, no_line: &str) -> SocketAddr {
        self.step("wait for its first line on stdout");
        let line = match line.recv_timeout(DEADLINE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => self.fail(
                format!("The program printed no line on stdout within {DEADLINE:?}."),
                no_line,
            ),
            Err(RecvTimeoutError::Disconnected) => self.fail(
                "The program closed its stdout without a line on it.",
                "main returned, or the line went to stderr (eprintln!) instead of stdout.",
            ),
        };
        let addr = line
            .strip_prefix("listening on http://")
            .and_then(|addr| addr.trim_end().parse::<SocketAddr>().ok());
        match addr {
            Some(addr) if addr.port() != 0 => addr,
            Some(_) => self.report(Failure {
                problem: "The program says that it listens on port 0, which no one can connect to."
                    .to_owned(),
                got: line,
                likely: "the line shows the address that was asked for. Port 0 asks the system to \
                         choose: ask the listener which port it got, with local_addr()."
                    .to_owned(),
                ..Failure::default()
            }),
            None if line.contains("Ok(") => self.report(Failure {
                problem: "The first line on stdout is not the one that was agreed on.".to_owned(),
                got: format!("{line}\nwanted: listening on http://127.0.0.1:PORT"),
                likely: "this is a whole Result, in the form for programmers, {:?}. local_addr() \
                         returns a Result: take the address out of it with ?, and print it with {}."
                    .to_owned(),
                ..Failure::default()
            }),
            None => self.report(Failure {
                problem: "The first line on stdout is not the one that was agreed on.".to_owned(),
                got: format!("{line}\nwanted: listening on http://127.0.0.1:PORT"),
                likely: "a word is spelled differently, or something else is printed first."
                    .to_owned(),
                ..Failure::default()
            }),
        }
    }
}

impl Program {
    /// The address on which the program says that it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connects a raw client.
    #[track_caller]
    pub fn connect(&self) -> Client {
        self.check.step("connect");
        match TcpStream::connect_timeout(&self.addr, DEADLINE) {
            Ok(stream) => Client::new(self.check.clone(), stream),
            Err(error) => self.check.fail(
                format!("No connection to {}: {error}.", self.addr),
                LOOP_ENDED,
            ),
        }
    }

    /// Fetches a path with a real HTTP client (reqwest), which does not follow
    /// redirects.
    #[track_caller]
    pub fn get(&self, path: &str) -> Fetched {
        self.check.step(format!("GET {path} with reqwest"));
        let url = format!("http://{}{path}", self.addr);
        let fetched = browser().and_then(|client| {
            let response = client.get(&url).send()?;
            Ok(Fetched {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: response.bytes()?.to_vec(),
            })
        });
        fetched.unwrap_or_else(|error| {
            self.check.fail(
                format!("reqwest, a well-behaved HTTP client, refused the answer: {}.", causes(&error)),
                "look at the bytes with curl -v: a status line, field lines that end in \\r\\n, a \
                 blank line, and exactly Content-Length bytes. A reset means that the server closed \
                 before it had read the whole request.",
            )
        })
    }

    /// Closes the program's stdin: it reads EOF there.
    pub fn close_stdin(&mut self) {
        self.check.step("close its stdin");
        self.check.may_end();
        self.stdin = None;
    }

    /// Sends a signal that asks the program to end: `INT`, as Ctrl-C does, or `TERM`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        self.check.step(format!("send it SIG{name}"));
        self.check.may_end();
        signal(self.watched.child.lock().expect("a child").id(), name);
    }

    /// Waits until the program has ended, which must be with this exit code.
    #[track_caller]
    pub fn must_end(&mut self, code: i32, likely: &str) {
        let status = self.ended(likely);
        if status.code() != Some(code) {
            self.check.fail(
                format!("The program ended with {status}, not with exit code {code}."),
                match status.code() {
                    Some(_) => {
                        "an end that was asked for is no error. When everything is answered, main \
                         returns ExitCode::SUCCESS; what ends the program before that, because the \
                         grace is over, gives process::exit() a 0 as well."
                    }
                    None => "nobody handled the signal, and so it ended the program by itself.",
                },
            );
        }
    }

    /// Waits until the program has ended, which must not look like success: with an
    /// exit code other than 0, or by a signal.
    #[track_caller]
    pub fn must_end_without_success(&mut self, likely: &str, success: &str) {
        if self.ended(likely).success() {
            self.check
                .fail("The program ended with exit code 0.", success);
        }
    }

    /// Waits until the program, which has ended, has said something on stderr.
    #[track_caller]
    pub fn must_have_said_why(&self, likely: &str) {
        self.check.step("look for words on stderr");
        let until = Instant::now() + Duration::from_secs(1);
        // What it printed last may still be on its way through the pipe.
        while self.watched.stderr().trim().is_empty() {
            if Instant::now() > until {
                self.check
                    .fail("The program said nothing on stderr.", likely);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[track_caller]
    fn ended(&self, likely: &str) -> ExitStatus {
        self.check.step("wait until it has ended");
        let until = Instant::now() + DEADLINE;
        loop {
            let status = self.watched.child.lock().expect("a child").try_wait();
            if let Ok(Some(status)) = status {
                return status;
            }
            if Instant::now() > until {
                self.check.fail(
                    format!("The program was asked to end, and still ran {DEADLINE:?} later."),
                    likely,
                );
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Tries to connect until the connection is refused.
    #[track_caller]
    pub fn must_refuse(&self, likely: &str) {
        self.check.step("connect until that is refused");
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.check.fail(
                    format!("New connections were not refused within {DEADLINE:?}."),
                    likely,
                );
            }
            // A listener whose queue is full does not refuse: connecting takes too
            // long then.
            match TcpStream::connect_timeout(&self.addr, left) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                _ => thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Stops the program for a moment and lets it go on (SIGSTOP, SIGCONT), as a
    /// shell does with Ctrl-Z and `fg`. Before that it waits until the program waits;
    /// on Linux, the kernel tells.
    ///
    /// A write that has sent a part of its bytes and waits for room then returns
    /// early, with the number of bytes that it has sent. On Windows, which has no
    /// such signals, nothing happens.
    pub fn stop_and_go_on(&self) {
        let id = self.watched.child.lock().expect("a child").id();
        until_all_threads_are(id, 'S');
        self.stop();
        self.go_on();
    }

    /// Stops the program, and waits until it is stopped.
    pub(crate) fn stop(&self) {
        let id = self.watched.child.lock().expect("a child").id();
        signal(id, "STOP");
        until_all_threads_are(id, 'T');
    }

    /// Lets a program that was stopped go on.
    pub(crate) fn go_on(&self) {
        signal(self.watched.child.lock().expect("a child").id(), "CONT");
    }

    /// Waits until every thread of the program waits for something; `false` if they
    /// stay busy.
    ///
    /// On Linux the kernel tells; elsewhere a pause has to do.
    pub fn comes_to_rest(&self) -> bool {
        self.check.step("wait until the program has nothing to do");
        if !std::path::Path::new("/proc/self/task").exists() {
            thread::sleep(Duration::from_millis(30));
        }
        let id = self.watched.child.lock().expect("a child").id();
        until_all_threads_are(id, 'S')
    }

    /// The most memory that the program has had in use so far, in bytes, where the
    /// system tells: on Linux as `VmHWM` in `/proc/PID/status`, see proc(5).
    pub fn peak_memory(&self) -> Option<u64> {
        Some(self.status("VmHWM:")? * 1024)
    }

    /// How much processor time the program has used, where the system tells.
    pub fn cpu_time(&self) -> Option<Duration> {
        let id = self.watched.child.lock().expect("a child").id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name in parentheses may contain spaces; utime and stime are fields 14
        // and 15 of proc(5), in hundredths of a second on every Linux that Rust runs
        // on.
        let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks()? + ticks()?) * 10))
    }

    /// Whether the program keeps a core busy while it should wait: watches it for
    /// this long, and returns how much processor time it used, if that is most of
    /// what it could get. `None` where it rests, or where the system does not tell.
    ///
    /// What counts is its share of the time in which it did not wait for a core. So a
    /// busy machine neither hides that it spins nor makes it look as if it did.
    pub fn spins(&self, wait: Duration) -> Option<Duration> {
        self.check
            .step(format!("look for {wait:?} whether it rests"));
        let (begin, before) = (Instant::now(), self.scheduled()?);
        loop {
            thread::sleep(Duration::from_millis(20));
            let wall = begin.elapsed();
            let now = self.scheduled()?;
            let used = now.0.saturating_sub(before.0);
            let kept_waiting = now.1.saturating_sub(before.1);
            let share =
                used.as_secs_f64() / wall.saturating_sub(kept_waiting).as_secs_f64();
            if used >= wait / 4 && share > 0.25 {
                return Some(used);
            }
            // One that gets hardly any time is watched for longer.
            let rests = used + kept_waiting < wall / 2;
            if wall >= wait && rests || wall >= 8 * wait {
                return None;
            }
        }
    }

    /// How often the program's threads wake up by themselves while nothing happens:
    /// the fewest times of several spans of this length, because whatever happens
    /// once is no habit. `None` where the system does not tell.
    pub fn wakes(&self, span: Duration) -> Option<u64> {
        self.check
            .step(format!("count for {span:?} how often it wakes up"));
        let mut fewest = u64::MAX;
        for _ in 0..3 {
            let before = self.switches()?;
            thread::sleep(span);
            fewest = fewest.min(self.switches()?.saturating_sub(before));
            if fewest == 0 {
                break;
            }
        }
        Some(fewest)
    }

    /// How often all threads of the program have begun to wait so far, see proc(5).
    pub(crate) fn switches(&self) -> Option<u64> {
        let id = self.watched.child.lock().expect("a child").id();
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{id}/task"))
            .ok()?
            .flatten()
        {
            // A thread that has no such file has ended meanwhile.
            let status = std::fs::read_to_string(thread.path().join("status"))
                .unwrap_or_default();
            let mut lines = status.lines();
            let value =
                lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            sum += value
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(0);
        }
        Some(sum)
    }

    /// How long all threads of the program have run so far, and how long they have
    /// waited for a core: the first two numbers in `/proc/PID/task/TID/schedstat`, in
    /// nanoseconds.
    fn scheduled(&self) -> Option<(Duration, Duration)> {
        let id = self.watched.child.lock().expect("a child").id();
        let mut sums = (Duration::ZERO, Duration::ZERO);
        for thread in std::fs::read_dir(format!("/proc/{id}/task"))
            .ok()?
            .flatten()
        {
            let stat =
                std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let mut numbers = stat.split_whitespace().map(str::parse);
            let mut next = || Some(Duration::from_nanos(numbers.next()?.ok()?));
            sums.0 += next()?;
            sums.1 += next()?;
        }
        Some(sums)
    }

    /// How many bytes of addresses the program has taken, where the system tells.
    #[cfg(target_os = "linux")]
    pub(crate) fn addresses(&self) -> Option<u64> {
        Some(self.status("VmSize:")? * 1024)
    }

    pub(crate) fn id(&self) -> u32 {
        self.watched.child.lock().expect("a child").id()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn check(&self) -> &Check {
        &self.check
    }

    /// How many threads the program has, where the system tells.
    pub fn threads(&self) -> Option<usize> {
        self.status("Threads:")?.try_into().ok()
    }

    /// A number from `/proc/PID/status`, see proc(5).
    fn status(&self, name: &str) -> Option<u64> {
        let id = self.watched.child.lock().expect("a child").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        value.split_whitespace().next()?.parse().ok()
    }

    /// Checks that the program still runs.
    #[track_caller]
    pub fn must_still_run(&self) {
        self.must_still_run_after(
            "one client's error ended the loop that serves all the others.",
        );
    }

    /// Checks that the program still runs; says what the likely reason is if it does
    /// not.
    #[track_caller]
    pub fn must_still_run_after(&self, likely: &str) {
        self.check.step("look whether the program still runs");
        let ended = self.watched.child.lock().expect("a child").try_wait();
        if let Ok(Some(_)) = ended {
            self.check.fail("The program is gone.", likely);
        }
    }

    /// Checks that the program has printed no panic. Call it after an event that
    /// shows that whatever might have panicked is over.
    #[track_caller]
    pub fn must_not_have_panicked(&self, likely: &str) {
        self.check.step("look for panics on stderr");
        // What it printed last may still be on its way through the pipe.
        thread::sleep(Duration::from_millis(10));
        if self.watched.stderr().contains(" panicked at ") {
            self.check.fail("The program panicked.", likely);
        }
    }
}

/// Sends a signal. Where that is impossible, the program is merely not disturbed.
fn signal(id: u32, name: &str) {
    if cfg!(windows) {
        return;
    }
    // Not every machine has a program `kill`, but every shell has a command of that
    // name.
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{name} {id}")])
        .status();
}

/// Waits until each thread of a process is in this state: `S` for asleep, `T` for
/// stopped. Tells whether it has come to that.
///
/// Only Linux tells (proc(5)); elsewhere this returns at once.
fn until_all_threads_are(id: u32, state: char) -> bool {
    let until = Instant::now() + DEADLINE;
    while Instant::now() < until {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{id}/task")) else {
            return true;
        };
        let all = threads.flatten().all(|thread| {
            // `ID (NAME) STATE …`; a thread that has no such file, or is in state Z,
            // has ended meanwhile.
            let stat = std::fs::read_to_string(thread.path().join("stat"))
                .unwrap_or_default();
            let rest = stat.rsplit(')').next().unwrap_or_default();
            stat.is_empty() || rest.trim_start().starts_with([state, 'Z'])
        });
        if all {
            return true;
        }
        thread::sleep(Duration::from_micros(500));
    }
    false
}

/// What reqwest made of an answer.
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    headers: reqwest::header::HeaderMap,
}

impl Fetched {
    /// A field's value; empty where it is missing or is no text.
    pub fn field(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

fn browser() -> reqwest::Result<http::Client> {
    http::Client::builder()
        .timeout(DEADLINE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // A sequential server cannot serve a second connection while the first one
        // idles.
        .pool_max_idle_per_host(0)
        .build()
}

/// An error and what caused it: reqwest hides the interesting part in the sources.
fn causes(error: &dyn std::error::Error) -> impl Display + use<> {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Sends the first line of the program's stdout, then reads on so that the pipe never
/// fills.
fn first_line(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        if let Ok(1..) = reader.read_until(b'\n', &mut line) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            // The check may have given up waiting.
            let _ = sender.send(line);
        }
        drop(sender);
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    });
    receiver
}

fn collect(mut stderr: ChildStderr) -> Arc<Mutex<Vec<u8>>> {
    let collected = Arc::new(Mutex::new(Vec::new()));
    let output = Arc::clone(&collected);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stderr.read(&mut buffer) {
            output
                .lock()
                .expect("output")
                .extend_from_slice(&buffer[..read]);
        }
    });
    collected
}
