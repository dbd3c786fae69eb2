//! Where a transcript is played: its servers and commands, its ports, and the end of
//! them all.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, io, process};

/// What Linux tells about sockets, read as the milestones read it.
#[allow(dead_code, reason = "the milestones use the rest")]
#[path = "../../../../harness/src/sockets.rs"]
mod sockets;

const PROC: &str = "/proc";

use super::{Item, Programs, Transcript, compare};
use crate::Result;
use crate::dev::answers;
use crate::dev::fold::{WIDTH, folded};
use crate::layout::{Chapter, Course, cannot};
use crate::starters::{self, State};
use crate::work::Scratch;

/// How long a command may take unless the transcript says otherwise.
const DEADLINE: Duration = Duration::from_secs(20);

/// How long we wait at the end for a server to say what it is expected to say.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The port that a server listens on when the reader names none.
const USUAL_PORT: u16 = 7878;

/// Plays a transcript and returns for each of its items what came out, if it is a
/// command whose output is seen.
pub(super) fn play(
    transcript: &Transcript,
    course: &Course,
    programs: &Programs,
) -> Result<Vec<Option<String>>> {
    let mut stage = Stage {
        course,
        programs,
        wrong: Programs::new(),
        program: transcript.program(),
        deadline: DEADLINE,
        folder: None,
        curl_home: curl_home()?,
        ports: Vec::new(),
        servers: Vec::new(),
        background: Vec::new(),
        status: 0,
        unprivileged: transcript.orders("needs").contains(&"privileged-ports"),
    };
    let mut outputs = vec![None; transcript.items.len()];
    for (at, item) in transcript.items.iter().enumerate() {
        match item {
            Item::Kept(_) => {}
            Item::Order(order) => stage.obey(order)?,
            Item::Typed { lines, .. } => {
                let command = joined(lines);
                let came = stage.type_in(&command, at);
                outputs[at] = came.map_err(|what| format!("`{command}`: {what}"))?;
            }
            Item::Interrupt => {
                let mut server = stage.servers.pop().ok_or_else(|| {
                    let came: String = outputs.iter().flatten().cloned().collect();
                    format!("^C, and no server runs; so far came:\n{came}")
                })?;
                server.process.signal("INT");
                let code = server.process.wait(stage.deadline);
                stage.status = code.ok_or("^C, and the server runs on")?;
                outputs[server.item] =
                    Some(stage.fit_for_a_page(&server.process.heard()));
            }
        }
    }
    let until = Instant::now() + LAST_WORDS;
    while let Some(server) = stage.servers.pop() {
        let Item::Typed { output, .. } = &transcript.items[server.item] else {
            continue;
        };
        let mut heard = stage.fit_for_a_page(&server.process.heard());
        while compare::difference(output, &heard).is_some() && Instant::now() < until
        {
            thread::sleep(Duration::from_millis(10));
            heard = stage.fit_for_a_page(&server.process.heard());
        }
        outputs[server.item] = Some(heard);
    }
    Ok(outputs)
}

/// The command of a few lines: `\` at the end joins, `> ` in front is the shell's.
fn joined(lines: &[String]) -> String {
    let mut command = String::new();
    for line in lines {
        let line = line
            .strip_prefix("$ ")
            .or(line.strip_prefix("> "))
            .unwrap_or(line);
        command.push_str(line.strip_suffix('\\').unwrap_or(line));
    }
    command
}

struct Stage<'a> {
    course: &'a Course,
    programs: &'a Programs,
    /// Programs that stand for those of their chapters: `@wrong`.
    wrong: Programs,
    program: Option<String>,
    deadline: Duration,
    folder: Option<Scratch>,
    curl_home: Scratch,
    /// The ports as the reader sees them, and the real ones.
    ports: Vec<(u16, Port)>,
    servers: Vec<Server>,
    background: Vec<Process>,
    /// The exit code of the last command.
    status: i32,
    /// Whether servers run without the privilege that root has for low ports.
    unprivileged: bool,
}

struct Server {
    process: Process,
    /// The item that started it.
    item: usize,
}

impl Stage<'_> {
    fn obey(&mut self, order: &str) -> Result<()> {
        let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
        match verb {
            // Looked at before the play.
            "needs" | "only" => Ok(()),
            "folder" => {
                self.folder = Some(Scratch::new("transcript")?);
                Ok(())
            }
            "deadline" => {
                let seconds = rest.trim().parse();
                let seconds = seconds
                    .map_err(|_| format!("@{order}: not a number of seconds"))?;
                self.deadline = Duration::from_secs(seconds);
                Ok(())
            }
            "run" => {
                let came = self.run_to_its_end(rest)?;
                match self.status {
                    0 => Ok(()),
                    code => Err(format!("@{order}: exit code {code}\n{came}")),
                }
            }
            "wrong" => {
                let program = answers::wrong_program(self.course, rest.trim())?;
                let folder = rest.trim().split('/').next().unwrap_or_default();
                let chapter = Chapter::from_name(folder).map(Chapter::package);
                self.wrong.insert(chapter.unwrap_or_default(), program);
                Ok(())
            }
            "server" => {
                let rest = rest.trim();
                let command = if rest.starts_with("-p ") {
                    format!("cargo run -q {rest}")
                } else {
                    let program = self.program.as_deref();
                    let program =
                        program.ok_or("@server: name its chapter, `-p chapterNN`")?;
                    format!("cargo run -q -p {program} {rest}")
                };
                let known = self.servers.len();
                let came = self.type_in(command.trim(), usize::MAX)?;
                match self.servers.pop() {
                    Some(server) if self.servers.len() == known => {
                        // Its words are not shown: it is no more than a process in
                        // the background.
                        self.background.push(server.process);
                        Ok(())
                    }
                    _ => Err(format!(
                        "@{order}: it ended:\n{}",
                        came.unwrap_or_default()
                    )),
                }
            }
            _ => Err(format!("@{order}: there is no such order")),
        }
    }

    /// Runs a command as if typed; what came out, unless it stays in the background.
    fn type_in(&mut self, command: &str, item: usize) -> Result<Option<String>> {
        let program = command.strip_prefix("cargo run ");
        if let Some(program) = program.filter(|words| !words.contains(" --example "))
        {
            return self.run_program(program, item);
        }
        if let Some(typed) = command.strip_suffix('&') {
            let command = self.with_real_ports(typed.trim())?;
            let before = self.connections();
            let process = self.start(&command, Stdio::piped())?;
            self.background.push(process);
            if command != typed.trim() {
                self.wait_for_a_connection(before)?;
            }
            return Ok(None);
        }
        self.run_to_its_end(command).map(Some)
    }

    fn run_to_its_end(&mut self, command: &str) -> Result<String> {
        let command = self.with_real_ports(command)?;
        // So that `echo $?` tells how the command before it ended.
        let command = format!("(exit {})\n{command}", self.status);
        let mut process = self.start(&command, Stdio::null())?;
        match process.wait(self.deadline) {
            Some(code) => {
                self.status = code;
                Ok(self.fit_for_a_page(&process.heard()))
            }
            None => {
                let heard = process.heard();
                let seconds = self.deadline.as_secs();
                Err(format!(
                    "not done after {seconds} s; so far it said:\n{heard}"
                ))
            }
        }
    }

    /// Runs a chapter's program: to its end, or until it says where it listens.
    fn run_program(&mut self, words: &str, item: usize) -> Result<Option<String>> {
        let form = "expected `cargo run -q -p chapterNN [-- ARGUMENTS]`";
        let words = words.strip_prefix("-q -p ").ok_or(form)?;
        let (chapter, arguments) = match words.split_once(" -- ") {
            Some((chapter, arguments)) => (chapter.trim(), arguments.trim()),
            None => (words.trim(), ""),
        };
        let program = self
            .wrong
            .get(chapter)
            .or_else(|| self.programs.get(chapter));
        let program = program.ok_or_else(|| {
            let solution = chapter.replace("chapter", "solution");
            format!("{chapter} has no solution, or it does not build: `cargo build -p {solution}`")
        })?;
        let program = program.display().to_string();
        let arguments = self.with_real_ports(arguments)?;
        let mut command = format!("exec '{program}'");
        if arguments.is_empty() || arguments.starts_with('-') {
            let port = self.real_port(USUAL_PORT)?;
            command.push_str(&format!(" 127.0.0.1:{port}"));
        }
        if self.unprivileged && can_take_low_ports() {
            command = command.replacen(
                "exec",
                "exec setpriv --bounding-set=-net_bind_service",
                1,
            );
        }
        let mut process =
            self.start(&format!("{command} {arguments}"), Stdio::piped())?;
        let until = Instant::now() + self.deadline;
        loop {
            let ended = process.ended();
            let heard = process.heard();
            if let Some(code) = ended {
                self.status = code;
                return Ok(Some(self.fit_for_a_page(&process.heard())));
            }
            let mut lines = heard.split_inclusive('\n');
            if lines.any(|line| {
                line.starts_with("listening on http://") && line.ends_with('\n')
            }) {
                self.servers.push(Server { process, item });
                return Ok(None);
            }
            if Instant::now() > until {
                return Err(format!(
                    "it neither listened nor ended; it said:\n{heard}"
                ));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn start(&self, command: &str, stdin: Stdio) -> Result<Process> {
        let folder = self
            .folder
            .as_ref()
            .map_or(self.course.root(), Scratch::path);
        let mut sh = shell();
        sh.current_dir(folder)
            .env("CURL_HOME", self.curl_home.path());
        Process::start(sh, command, stdin)
    }

    /// The command with the ports that the reader sees replaced by the real ones.
    fn with_real_ports(&mut self, command: &str) -> Result<String> {
        let mut refused = None;
        let command = swap_ports(command, |port| match self.real_port(port) {
            Ok(real) => Some(real),
            Err(e) => {
                refused = Some(e);
                None
            }
        });
        refused.map_or(Ok(command), Err)
    }

    /// The port that stands behind one that the reader sees.
    fn real_port(&mut self, shown: u16) -> Result<u16> {
        if shown < 1024 {
            return Ok(shown);
        }
        if let Some((_, real)) = self.ports.iter().find(|(seen, _)| *seen == shown) {
            return Ok(real.number);
        }
        let real = free_port(shown)?;
        let number = real.number;
        self.ports.push((shown, real));
        Ok(number)
    }

    /// What came out, as the book shows it: with the reader's ports, and no path of
    /// this machine.
    fn fit_for_a_page(&self, output: &str) -> String {
        let mut text = swap_ports(output, |port| {
            let shown = self.ports.iter().find(|(_, real)| real.number == port);
            shown.map(|(shown, _)| *shown)
        });
        // The solution stands for what the reader has written.
        for chapter in self.programs.keys() {
            text = text.replace(&chapter.replace("chapter", "solution"), chapter);
        }
        if let Ok(root) = self.course.root().canonicalize() {
            text = text.replace(&*root.to_string_lossy(), "~/from-bind-to-async");
        }
        if let Some(folder) = &self.folder {
            text = text.replace(&*folder.path().to_string_lossy(), "~/folder");
        }
        let lines = text.lines().map(|line| fit(last_overwritten(line)));
        let lines: Vec<String> = lines.collect();
        match lines.join("\n").trim_end() {
            "" => String::new(),
            text => format!("{text}\n"),
        }
    }

    /// How many connections there are to our ports, where the system tells.
    fn connections(&self) -> Option<usize> {
        let ports = self.ports.iter().map(|(_, port)| port.number);
        ports.map(sockets::connections).sum()
    }

    fn wait_for_a_connection(&self, before: Option<usize>) -> Result<()> {
        let Some(before) = before else {
            // No other way to see it here.
            thread::sleep(Duration::from_millis(300));
            return Ok(());
        };
        let until = Instant::now() + self.deadline;
        while self.connections().is_some_and(|now| now <= before) {
            if Instant::now() > until {
                return Err("it did not connect".to_owned());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// A line as the page has room for it. Whether that of a panic has to be folded must
/// not depend on how many digits its thread's number has today.
fn fit(line: &str) -> String {
    match line.split_once(") panicked at ") {
        Some((thread, place)) => {
            let name = thread.trim_end_matches(|c: char| c.is_ascii_digit());
            match name.len() + "12345) panicked at ".len() + place.len() > WIDTH {
                true => format!("{thread}) panicked at\n{place}"),
                false => line.to_owned(),
            }
        }
        None => folded(line),
    }
}

/// What a terminal still shows of a line in which the cursor went back.
fn last_overwritten(line: &str) -> &str {
    let line = line.trim_end_matches('\r');
    line.rsplit('\r').next().unwrap_or(line)
}

/// Replaces the ports in a text.
fn swap_ports(text: &str, mut other: impl FnMut(u16) -> Option<u16>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        let number = &rest[at..];
        let end = number
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        let whole = !after.starts_with(|c: char| c.is_ascii_alphanumeric());
        let port = number
            .parse()
            .ok()
            .filter(|_| whole && compare::names_a_port(&out));
        match port.and_then(&mut other) {
            Some(port) => out.push_str(&port.to_string()),
            None => out.push_str(number),
        }
        rest = after;
    }
    out + rest
}

/// A free port, kept free of others who play a transcript by the UDP socket of the
/// same number.
struct Port {
    number: u16,
    _claim: UdpSocket,
}

/// A free port with as many digits as `shown`, so that nothing that counts bytes
/// changes, and below those that the system gives to clients.
fn free_port(shown: u16) -> Result<Port> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let (first, count) = if shown < 10_000 {
        (2_000, 8_000)
    } else {
        (20_000, 12_000)
    };
    let begin = u64::from(process::id()) * 97;
    for _ in 0..1_000 {
        let step = begin + u64::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let number = first + (step % count) as u16;
        let Ok(claim) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) else {
            continue;
        };
        if number != shown && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok()
        {
            return Ok(Port {
                number,
                _claim: claim,
            });
        }
    }
    Err("there is no free port".to_owned())
}

/// A shell that Ctrl-C can end.
///
/// Whoever starts the tests may have had SIGINT ignored: a shell without job control
/// does that to what it runs in the background. Programs inherit it, and only `env`
/// of the GNU tools undoes it.
fn shell() -> Command {
    const SIGINT: u64 = 2;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    if ignored.is_none_or(|mask| mask & (1 << (SIGINT - 1)) == 0) {
        return Command::new("sh");
    }
    let mut sh = Command::new("env");
    sh.args(["--default-signal=INT", "sh"]);
    sh
}

/// A shell and what it started: one group, ended when dropped.
struct Process {
    shell: Child,
    /// What it has printed lies in a file there: a pipe would stay open as long as
    /// anything that it left behind.
    printed: Scratch,
    /// Held open: a terminal's input does not end.
    _stdin: Option<ChildStdin>,
    code: Option<i32>,
}

impl Process {
    fn start(mut sh: Command, command: &str, stdin: Stdio) -> Result<Process> {
        let printed = Scratch::new("printed")?;
        let path = printed.path().join("output");
        let file = fs::File::create(&path).map_err(|e| cannot("make", &path, &e))?;
        sh.arg("-c")
            .arg(format!("exec 2>&1\n{command}"))
            .stdin(stdin)
            .stdout(file)
            .stderr(Stdio::null())
            .env("LC_ALL", "C")
            .env("CARGO_TERM_COLOR", "never")
            .process_group(0);
        let ours = "COURSE_PROGRAM RUST_BACKTRACE RUST_TEST_THREADS http_proxy";
        for name in ours.split(' ') {
            sh.env_remove(name);
        }
        let mut shell = sh.spawn().map_err(|e| format!("cannot run sh: {e}"))?;
        let stdin = shell.stdin.take();
        Ok(Process {
            shell,
            printed,
            _stdin: stdin,
            code: None,
        })
    }

    fn heard(&self) -> String {
        let heard = fs::read(self.printed.path().join("output"));
        String::from_utf8_lossy(&heard.unwrap_or_default()).into_owned()
    }

    /// The exit code, as a shell would tell it, once it has ended.
    fn ended(&mut self) -> Option<i32> {
        if self.code.is_none() {
            let status = self.shell.try_wait().ok().flatten();
            let signal = |status: ExitStatus| Some(128 + status.signal()?);
            self.code =
                status.and_then(|status| status.code().or_else(|| signal(status)));
        }
        self.code
    }

    /// Waits for its end, and stops it if it takes too long.
    fn wait(&mut self, deadline: Duration) -> Option<i32> {
        let until = Instant::now() + deadline;
        while self.ended().is_none() && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        self.ended()
    }

    /// Signals it and what it started; Ctrl-C is `INT`.
    fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} -- -{}", self.shell.id());
        let mut sh = Command::new("sh");
        // A group that has ended cannot be signalled, and need not be.
        let _ = sh.args(["-c", &kill]).stderr(Stdio::null()).status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal("KILL");
        let _ = self.shell.wait();
    }
}

/// Settings for curl, so that it talks as it does to a terminal: without its
/// progress.
fn curl_home() -> Result<Scratch> {
    let home = Scratch::new("curl")?;
    let path = home.path().join(".curlrc");
    fs::write(&path, "no-progress-meter\n")
        .map_err(|e| cannot("write", &path, &e))?;
    Ok(home)
}

/// Why this machine cannot replay a transcript, if it cannot.
pub(super) fn passed_over(
    transcript: &Transcript,
    course: &Course,
    strict: bool,
) -> Result<Option<String>> {
    let systems = transcript.orders("only");
    if !systems.is_empty() && !systems.contains(&env::consts::OS) {
        return Ok(Some(format!("it is for {} only", systems.join(" and "))));
    }
    for need in transcript.orders("needs") {
        if need == "privileged-ports" {
            if can_take_low_ports() && !can_drop_the_privilege() {
                return Ok(Some(
                    "this machine lets anybody listen on port 80".to_owned(),
                ));
            }
        } else if !there_is(need) {
            let missing = format!("it needs {need}, which is not installed");
            // The nc of macOS does by itself what others do with -N.
            let never_there = need == "nc-N" && cfg!(target_os = "macos");
            return match strict && !never_there {
                true => Err(format!("{}.txt: {missing}", transcript.name)),
                false => Ok(Some(missing)),
            };
        }
    }
    for chapter in starters_of(transcript, course) {
        if !strict && starters::state(course, chapter)? == State::Edited {
            return Ok(Some(format!("you have begun {}", chapter.name())));
        }
    }
    Ok(None)
}

/// The chapters whose starters a transcript looks at: what comes out holds for a
/// fresh clone.
fn starters_of(transcript: &Transcript, course: &Course) -> Vec<Chapter> {
    let mut found = Vec::new();
    for item in &transcript.items {
        let Item::Typed { lines, .. } = item else {
            continue;
        };
        let command = joined(lines);
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["cargo", "test", "-p", name, ..] => {
                found.extend(Chapter::from_package(name))
            }
            ["cargo", "course", "check", number, ..] => {
                found.extend(number.parse().ok().map(Chapter));
            }
            ["cargo", "course", ..] => found.extend(course.chapters()),
            _ => {}
        }
    }
    found
}

fn there_is(tool: &str) -> bool {
    if tool == "nc-N" {
        let help = Command::new("nc").arg("-h").stdin(Stdio::null()).output();
        return help.is_ok_and(|help| {
            let said = [help.stdout, help.stderr].concat();
            String::from_utf8_lossy(&said).contains("-N\t\tShutdown")
        });
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

fn can_take_low_ports() -> bool {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, 1)) {
        Err(e) => e.kind() != io::ErrorKind::PermissionDenied,
        Ok(_) => true,
    }
}

/// Whether a program can be run here without the privilege, and port 80 is refused to
/// it then.
fn can_drop_the_privilege() -> bool {
    let first_free: PathBuf = "/proc/sys/net/ipv4/ip_unprivileged_port_start".into();
    let first_free = fs::read_to_string(first_free).ok();
    let first_free = first_free.and_then(|text| text.trim().parse::<u16>().ok());
    let mut dropped = Command::new("setpriv");
    dropped.args(["--bounding-set=-net_bind_service", "true"]);
    first_free.is_some_and(|port| port > 80)
        && dropped
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_folded_whatever_its_thread_is_called() {
        let place = "solutions/06-thread-per-request/src/app.rs:96:24:";
        for id in ["1", "12345678"] {
            let long = format!("thread '<unnamed>' ({id}) panicked at");
            assert_eq!(fit(&format!("{long} {place}")), format!("{long}\n{place}"));
            let short = format!("thread 'main' ({id}) panicked at src/app.rs:96:24:");
            assert_eq!(fit(&short), short);
        }
    }

    #[test]
    fn ports_are_swapped_where_ports_stand() {
        let swap = |text| swap_ports(text, |port| (port == 7878).then_some(4321));
        assert_eq!(
            swap("curl http://127.0.0.1:7878/a7878"),
            "curl http://127.0.0.1:4321/a7878"
        );
        assert_eq!(
            swap("nc -N localhost 7878 | head -c 7878"),
            "nc -N localhost 4321 | head -c 7878"
        );
        assert_eq!(swap(r"'Host: [::1]:7878\r\n'"), r"'Host: [::1]:4321\r\n'");
        assert_eq!(swap("Content-Length: 7878"), "Content-Length: 7878");
        assert_eq!(swap("Trying 127.0.0.1:7878..."), "Trying 127.0.0.1:4321...");
        assert_eq!(
            swap("127.0.0.1:78780 is no port"),
            "127.0.0.1:78780 is no port"
        );
    }

    #[test]
    fn a_free_port_has_as_many_digits() {
        let digits = |port: &Port| port.number.to_string().len();
        let four = free_port(7878).expect("a free port");
        let five = free_port(54321).expect("a free port");
        assert_eq!((digits(&four), digits(&five)), (4, 5));
        assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, four.number)).is_err());
    }

    #[test]
    fn a_command_may_have_several_lines() {
        let lines = ["$ printf 'a' \\", "> | cat"].map(str::to_owned);
        assert_eq!(joined(&lines), "printf 'a' | cat");
    }

    #[test]
    fn an_overwritten_line_shows_its_end() {
        assert_eq!(last_overwritten("10%\r100%\r"), "100%");
        assert_eq!(last_overwritten("Date: x\r"), "Date: x");
    }
}
