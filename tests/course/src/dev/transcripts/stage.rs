//! Where a transcript is played: its servers and commands, its ports, and the end of
//! them all.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use std::{env, io, process, thread};

/// What Linux tells about sockets, read as the milestones read it.
#[allow(dead_code, reason = "the milestones use the rest")]
#[path = "../../../../harness/src/sockets.rs"]
mod sockets;

const PROC: &str = "/proc";

use super::{Item, Programs, Transcript, compare};
use crate::Result;
use crate::dev::answers;
use crate::dev::fold::{WIDTH, folded};
use crate::layout::{Chapter, Course};
use crate::process::Process;
use crate::starters::is_edited;
use crate::work::Scratch;

/// How long a command may take unless the transcript says otherwise.
const DEADLINE: Duration = Duration::from_secs(20);

/// How long we wait at the end for a server to say what it is expected to say.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Where a server listens when the reader names no address.
const USUAL_ADDR: &str = "127.0.0.1:7878";

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
        ports: Vec::new(),
        servers: Vec::new(),
        background: Vec::new(),
        status: 0,
        prefix: match transcript.orders("needs").contains(&"privileged-ports") {
            true => unprivileged().unwrap_or_default(),
            false => "",
        },
    };
    let mut outputs = vec![None; transcript.items.len()];
    for (at, item) in transcript.items.iter().enumerate() {
        match item {
            Item::Line(line) if line == "^C" => {
                let Some((mut server, item)) = stage.servers.pop() else {
                    let came: String = outputs.into_iter().flatten().collect();
                    return Err(format!(
                        "^C, and no server runs; so far came:\n{came}"
                    ));
                };
                server.signal("INT");
                let ended = server.wait(stage.deadline);
                stage.status = code(ended.ok_or("^C, and the server runs on")?);
                outputs[item] = Some(stage.fit_for_a_page(&server.printed()));
            }
            Item::Line(line) => {
                line.strip_prefix('@')
                    .map_or(Ok(()), |order| stage.obey(order))?;
            }
            Item::Typed { lines, .. } => {
                let command = joined(lines);
                let came = stage.type_in(&command, at);
                outputs[at] = came.map_err(|what| format!("`{command}`: {what}"))?;
            }
        }
    }
    let until = Instant::now() + LAST_WORDS;
    while let Some((server, item)) = stage.servers.pop() {
        let Item::Typed { output, .. } = &transcript.items[item] else {
            continue;
        };
        outputs[item] = Some(loop {
            let heard = stage.fit_for_a_page(&server.printed());
            if compare::difference(output, &heard).is_none() || Instant::now() > until
            {
                break heard;
            }
            thread::sleep(Duration::from_millis(10));
        });
    }
    Ok(outputs)
}

/// The command of a few lines: `\` at the end joins, `> ` in front is the shell's.
fn joined(lines: &[String]) -> String {
    let line = |line: &String| {
        let typed = line.strip_prefix("$ ").or(line.strip_prefix("> "));
        let line = typed.unwrap_or(line);
        line.strip_suffix('\\').unwrap_or(line).to_owned()
    };
    lines.iter().map(line).collect()
}

struct Stage<'a> {
    course: &'a Course,
    programs: &'a Programs,
    /// Programs that stand for those of their chapters: `@wrong`.
    wrong: Programs,
    program: Option<String>,
    deadline: Duration,
    folder: Option<Scratch>,
    ports: Vec<Port>,
    /// The servers, and the items that started them.
    servers: Vec<(Process, usize)>,
    background: Vec<Process>,
    /// The exit code of the last command.
    status: i32,
    /// What runs a server without the privilege that root has for low ports, where
    /// that is asked for.
    prefix: &'static str,
}

impl Stage<'_> {
    fn obey(&mut self, order: &str) -> Result<()> {
        let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
        let rest = rest.trim();
        match verb {
            // Looked at before the play.
            "needs" | "only" => {}
            "folder" => self.folder = Some(Scratch::new("transcript")?),
            "deadline" => {
                let seconds = rest.parse().map_err(|e| format!("@{order}: {e}"))?;
                self.deadline = Duration::from_secs(seconds);
            }
            "run" => {
                let came = self.run_to_its_end(rest)?;
                match self.status {
                    0 => {}
                    code => {
                        return Err(format!("@{order}: exit code {code}\n{came}"));
                    }
                }
            }
            "wrong" => {
                let program = answers::wrong_program(self.course, rest)?;
                let folder = rest.split('/').next().unwrap_or_default();
                let chapter = Chapter::from_name(folder).map(Chapter::package);
                self.wrong.insert(chapter.unwrap_or_default(), program);
            }
            "server" => {
                let words = match (rest.starts_with("-p "), &self.program) {
                    (false, Some(program)) => format!("-q -p {program} {rest}"),
                    _ => format!("-q {rest}"),
                };
                if let Some(came) = self.run_program(words.trim(), usize::MAX)? {
                    return Err(format!("@{order}: it ended:\n{came}"));
                }
                // Its words are not shown: it is no more than a process in the
                // background.
                let started = self.servers.pop().map(|(process, _)| process);
                self.background.extend(started);
            }
            _ => return Err(format!("@{order}: there is no such order")),
        }
        Ok(())
    }

    /// Runs a command as if typed; what came out, unless it stays in the background.
    fn type_in(&mut self, command: &str, item: usize) -> Result<Option<String>> {
        if let Some(words) = command.strip_prefix("cargo run ")
            && !words.contains(" --example ")
        {
            return self.run_program(words, item);
        }
        let Some(typed) = command.strip_suffix('&') else {
            return self.run_to_its_end(command).map(Some);
        };
        let command = self.with_real_ports(typed.trim());
        let before = self.connections();
        let process = self.start(&command, Stdio::piped())?;
        self.background.push(process);
        if command != typed.trim() {
            self.wait_for_a_connection(before)?;
        }
        Ok(None)
    }

    fn run_to_its_end(&mut self, command: &str) -> Result<String> {
        let command = self.with_real_ports(command);
        // So that `echo $?` tells how the command before it ended.
        let command = format!("(exit {})\n{command}", self.status);
        let mut process = self.start(&command, Stdio::null())?;
        let ended = process.wait(self.deadline);
        let heard = process.printed();
        let seconds = self.deadline.as_secs();
        self.status = code(ended.ok_or_else(|| {
            format!("not done after {seconds} s; so far it said:\n{heard}")
        })?);
        Ok(self.fit_for_a_page(&heard))
    }

    /// Runs a chapter's program: to its end, or until it says where it listens.
    fn run_program(&mut self, words: &str, item: usize) -> Result<Option<String>> {
        let form = "expected `cargo run -q -p chapterNN [-- ARGUMENTS]`";
        let words = words.strip_prefix("-q -p ").ok_or(form)?;
        let (chapter, arguments) = words.split_once(" -- ").unwrap_or((words, ""));
        let chapter = chapter.trim();
        let program = self.wrong.get(chapter).or(self.programs.get(chapter));
        let program = program.ok_or_else(|| {
            let solution = chapter.replace("chapter", "solution");
            format!(
                "{chapter} has no solution, or it does not build: \
                 `cargo build -p {solution}`"
            )
        })?;
        let command = format!("exec {} '{}'", self.prefix, program.display());
        let arguments = arguments.trim();
        let command = match arguments.is_empty() || arguments.starts_with('-') {
            true => format!("{command} {USUAL_ADDR} {arguments}"),
            false => format!("{command} {arguments}"),
        };
        let command = self.with_real_ports(&command);
        let mut process = self.start(&command, Stdio::piped())?;
        let until = Instant::now() + self.deadline;
        loop {
            let ended = process.ended();
            let heard = process.printed();
            if let Some(ended) = ended {
                self.status = code(ended);
                return Ok(Some(self.fit_for_a_page(&heard)));
            }
            let listens = |line: &str| {
                line.starts_with("listening on http://") && line.ends_with('\n')
            };
            if heard.split_inclusive('\n').any(listens) {
                self.servers.push((process, item));
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
        let folder = self.folder.as_ref();
        let mut sh = shell();
        sh.args(["-c", &format!("exec 2>&1\n{command}")])
            .stdin(stdin);
        sh.current_dir(folder.map_or(self.course.root(), Scratch::path));
        sh.env("LC_ALL", "C").env("CARGO_TERM_COLOR", "never");
        // There curl is told to talk as it does to a terminal: without its progress.
        sh.env("CURL_HOME", self.course.root().join("tests/course"));
        let ours = "COURSE_PROGRAM RUST_BACKTRACE RUST_TEST_THREADS http_proxy";
        for name in ours.split(' ') {
            sh.env_remove(name);
        }
        Process::start(&mut sh, true).map_err(|e| format!("cannot run sh: {e}"))
    }

    /// The command with the ports that the reader sees replaced by the real ones.
    fn with_real_ports(&mut self, command: &str) -> String {
        swap_ports(command, |shown| {
            let known = self.ports.iter().find(|port| port.shown == shown);
            if let Some(port) = known {
                return Some(port.number);
            }
            self.ports
                .extend(free_port(shown).filter(|_| shown >= 1024));
            Some(self.ports.last().filter(|port| port.shown == shown)?.number)
        })
    }

    /// What came out, as the book shows it: with the reader's ports, and no path of
    /// this machine.
    fn fit_for_a_page(&self, output: &str) -> String {
        let mut text = swap_ports(output, |port| {
            let known = self.ports.iter().find(|real| real.number == port);
            known.map(|port| port.shown)
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
        let ports = self.ports.iter().map(|port| port.number);
        ports.map(sockets::connections).sum()
    }

    fn wait_for_a_connection(&self, before: Option<usize>) -> Result<()> {
        let Some(mut before) = before else {
            // No other way to see it here.
            thread::sleep(Duration::from_millis(300));
            return Ok(());
        };
        let until = Instant::now() + self.deadline;
        while let Some(now) = self.connections().filter(|now| *now <= before) {
            // Others may come to their end meanwhile.
            before = now;
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
    compare::replaced(text, |before, rest| {
        let length = compare::length("#", rest)?;
        let port = rest[..length].parse().ok();
        let port = port.filter(|_| compare::names_a_port(before));
        Some((other(port?)?.to_string(), length))
    })
}

/// A free port, kept free of others who play a transcript by the UDP socket of the
/// same number.
struct Port {
    /// The port that the reader sees.
    shown: u16,
    number: u16,
    _claim: UdpSocket,
}

/// A free port with as many digits as `shown`, so that nothing that counts bytes
/// changes, and below those that the system gives to clients.
fn free_port(shown: u16) -> Option<Port> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let (first, count) = match shown {
        ..10_000 => (2_000, 8_000),
        _ => (20_000, 12_000),
    };
    let begin = u64::from(process::id()) * 97;
    (0..1_000).find_map(|_| {
        let step = begin + u64::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let number = first + (step % count) as u16;
        let addr = (Ipv4Addr::LOCALHOST, number);
        let _claim = UdpSocket::bind(addr).ok()?;
        TcpListener::bind(addr).ok().filter(|_| number != shown)?;
        Some(Port {
            shown,
            number,
            _claim,
        })
    })
}

/// A shell that Ctrl-C can end.
///
/// Whoever starts the tests may have had SIGINT ignored: a shell without job control
/// does that to what it runs in the background. Programs inherit it, and only `env`
/// of the GNU tools undoes it.
fn shell() -> Command {
    static UNDOES_IT: LazyLock<bool> =
        LazyLock::new(|| succeeds("env --default-signal=INT true"));
    if !*UNDOES_IT {
        return Command::new("sh");
    }
    let mut sh = Command::new("env");
    sh.args(["--default-signal=INT", "sh"]);
    sh
}

/// Whether a shell succeeds with a command.
fn succeeds(command: &str) -> bool {
    let output = Command::new("sh").args(["-c", command]).output();
    output.is_ok_and(|output| output.status.success())
}

/// The exit code, as a shell would tell it.
fn code(status: ExitStatus) -> i32 {
    let signal = status.signal().unwrap_or_default();
    status.code().unwrap_or(128 + signal)
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
        let is_met = match need {
            "privileged-ports" => unprivileged().is_some(),
            "nc-N" => succeeds("nc -h 2>&1 | grep -q -e '-N.*Shutdown'"),
            tool => succeeds(&format!("command -v {tool}")),
        };
        if !is_met && need == "privileged-ports" {
            let why = "this machine lets anybody listen on port 80";
            return Ok(Some(why.to_owned()));
        } else if !is_met {
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
        if !strict && is_edited(course, chapter)? {
            return Ok(Some(format!("you have begun {}", chapter.name())));
        }
    }
    Ok(None)
}

/// The chapters whose starters a transcript looks at: what comes out holds for a
/// fresh clone.
fn starters_of(transcript: &Transcript, course: &Course) -> Vec<Chapter> {
    let commands = transcript.items.iter().filter_map(|item| match item {
        Item::Typed { lines, .. } => Some(joined(lines)),
        _ => None,
    });
    let starters = commands.flat_map(|command| {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["cargo", "test", "-p", name, ..] => {
                Chapter::from_package(name).into_iter().collect()
            }
            ["cargo", "course", "check", number, ..] => {
                number.parse().map(Chapter).into_iter().collect()
            }
            ["cargo", "course", ..] => course.chapters(),
            _ => Vec::new(),
        }
    });
    starters.collect()
}

/// What has to be before a command so that port 80 is refused to it: nothing where
/// this machine refuses it anyway. `None` where that is impossible.
fn unprivileged() -> Option<&'static str> {
    const DROP: &str = "setpriv --bounding-set=-net_bind_service";
    match TcpListener::bind((Ipv4Addr::LOCALHOST, 1)) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => return Some(""),
        _ => {}
    }
    let first_free = "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)";
    succeeds(&format!("{DROP} test {first_free} -gt 80")).then_some(DROP)
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
    fn ports_are_swapped_where_ports_are() {
        for (text, expected) in [
            (
                "curl http://127.0.0.1:7878/a7878",
                "curl http://127.0.0.1:4321/a7878",
            ),
            (
                "nc localhost 7878 | head -c 7878",
                "nc localhost 4321 | head -c 7878",
            ),
            (r"'Host: [::1]:7878\r\n'", r"'Host: [::1]:4321\r\n'"),
            ("Content-Length: 7878", "Content-Length: 7878"),
            ("Trying 127.0.0.1:7878...", "Trying 127.0.0.1:4321..."),
            ("127.0.0.1:78780 is no port", "127.0.0.1:78780 is no port"),
        ] {
            let swapped = swap_ports(text, |port| (port == 7878).then_some(4321));
            assert_eq!(swapped, expected);
        }
    }

    #[test]
    fn a_free_port_has_as_many_digits() {
        for shown in [7878, 54321] {
            let port = free_port(shown).expect("a free port");
            assert_eq!(port.number.to_string().len(), shown.to_string().len());
            assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, port.number)).is_err());
        }
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
