//! How the program under test is started, and the line on which it says where it
//! listens.

use std::fs;
use std::io::{BufReader, Read};
use std::net::SocketAddr;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use crate::check::judges_another_program;
use crate::deadline::Deadline;
use crate::machine::{Fault, while_descriptors_are_short};
use crate::report::{Failure, Symptom};
use crate::watched::{Stderr, Watched};
use crate::{Check, DEADLINE, PROC, Program, show, sockets};

/// Why a program prints no line.
pub(crate) const NO_LINE: &str = "the line is missing, has no line end, goes to \
                                  stderr (eprintln!), or comes after the loop that \
                                  accepts connections. Print it after bind and \
                                  before the first accept.";

/// Whether this very program ignores SIGINT. Only Linux tells: see proc(5).
fn ignores_ctrl_c() -> bool {
    const SIGINT: u64 = 2;
    let status = fs::read_to_string(format!("{PROC}/self/status"));
    let status = status.unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (SIGINT - 1) & 1 == 1)
}

/// The same command, begun by a program that lets SIGINT be heard and then becomes
/// what was to be started.
fn with_default_ctrl_c(command: &Command) -> Command {
    let mut env = Command::new("env");
    env.arg("--default-signal=INT");
    env.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => env.env(name, value),
            None => env.env_remove(name),
        };
    }
    env
}

/// What the program's standard streams are.
struct Streams {
    stdin: Stdio,
    /// Whether anyone reads its stderr.
    is_heard: bool,
}

impl Check {
    /// Starts the program on a free port of 127.0.0.1 with these further arguments,
    /// and waits for its `listening on` line.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> Program {
        self.start_command(Command::new(self.exe()), args, NO_LINE)
    }

    /// Like [`Check::start`], with a stdin that stays open until
    /// [`Program::close_stdin`].
    #[track_caller]
    pub fn start_with_stdin(&self, args: &[&str]) -> Program {
        let streams = Streams {
            stdin: Stdio::piped(),
            is_heard: true,
        };
        self.start_with(Command::new(self.exe()), streams, args, NO_LINE)
    }

    /// Like [`Check::start`], with a stderr that no one reads any more: a program
    /// that writes there gets an error.
    #[track_caller]
    pub fn start_unheard(&self, args: &[&str]) -> Program {
        self.step("close the other end of its stderr");
        let streams = Streams {
            stdin: Stdio::null(),
            is_heard: false,
        };
        self.start_with(Command::new(self.exe()), streams, args, NO_LINE)
    }

    /// Like [`Check::start`], for a program that may have at most this many files and
    /// sockets open (`ulimit -n`). A loop over `accept` that ends or panics when
    /// descriptors run out shows it then; [`Program::open_files`] counts them.
    #[cfg(unix)]
    #[track_caller]
    pub fn start_with_few_files(&self, files: u32, args: &[&str]) -> Program {
        self.step(format!("allow {files} open files"));
        self.let_it_have_few_files();
        let command = self.by_way_of_a_shell(&format!("ulimit -n {files}"));
        self.start_command(command, args, NO_LINE)
    }

    /// Like [`Check::start`], for a program that ignores a signal from the start, as
    /// a script's `server &` ignores SIGINT. `signal` is its name without `SIG`.
    #[cfg(unix)]
    #[track_caller]
    pub fn start_ignoring(&self, signal: &str, args: &[&str]) -> Program {
        self.step(format!("let it ignore SIG{signal} from the start"));
        let command = self.by_way_of_a_shell(&format!("trap '' {signal}"));
        self.start_command(command, args, NO_LINE)
    }

    /// A shell that prepares itself, and then becomes the program: the process stays
    /// the same, and so does its id.
    #[cfg(unix)]
    pub(crate) fn by_way_of_a_shell(&self, preparation: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!(r#"{preparation} && exec "$0" "$@""#)]);
        command.arg(self.exe());
        command
    }

    /// Starts a command that ends up as the program. `no_line` says what is likely if
    /// it doesn't print its line.
    #[track_caller]
    pub(crate) fn start_command(
        &self,
        command: Command,
        args: &[&str],
        no_line: &str,
    ) -> Program {
        let streams = Streams {
            stdin: Stdio::null(),
            is_heard: true,
        };
        self.start_with(command, streams, args, no_line)
    }

    #[track_caller]
    fn start_with(
        &self,
        command: Command,
        streams: Streams,
        args: &[&str],
        no_line: &str,
    ) -> Program {
        let shown = [&[self.name(), "127.0.0.1:0"], args].concat().join(" ");
        self.step(format!("start {shown}"));
        let mut command = self.to_hear_ctrl_c(command);
        command
            .arg("127.0.0.1:0")
            .args(args)
            .stdin(streams.stdin)
            .stdout(Stdio::piped());
        let mut spawn = || {
            let (reader, writer) = std::io::pipe()?;
            command.stderr(writer.try_clone()?);
            // If no one is to hear it, both ends are dropped here.
            let ends = streams.is_heard.then_some((reader, writer));
            let child = command.spawn()?;
            Ok((
                child,
                ends.map(|(reader, writer)| Stderr::collect(reader, writer)),
            ))
        };
        let spawned = while_descriptors_are_short(&mut spawn);
        // The command keeps an end of the pipe open.
        drop(command);
        let (mut child, stderr) = match spawned {
            Ok(spawned) => spawned,
            Err(error) => self.not_started(&error),
        };
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("a piped stdout");
        let watched = Arc::new(Watched::new(child, stderr));
        self.watch(Arc::clone(&watched));
        let addr = self.listening_line(first_line(stdout), watched.id(), no_line);
        Program::new(self.clone(), watched, addr, stdin)
    }

    /// A program inherits that SIGINT is ignored: from `nohup`, or from a script that
    /// runs the milestone with `&`. This undoes it, and says so where it can't.
    fn to_hear_ctrl_c(&self, command: Command) -> Command {
        if !ignores_ctrl_c() {
            return command;
        }
        let mut env = Command::new("env");
        env.arg("--default-signal=INT");
        let undoes_it = env.arg("true").output();
        if undoes_it.is_ok_and(|output| output.status.success()) {
            return with_default_ctrl_c(&command);
        }
        self.step(
            "(SIGINT is ignored by whatever started this milestone, as nohup and & \
             have it, and so it is by the program.)",
        );
        command
    }

    #[track_caller]
    pub(crate) fn not_started(&self, error: &std::io::Error) -> ! {
        if let Some(fault) = Fault::of(error)
            && error.kind() != std::io::ErrorKind::PermissionDenied
        {
            self.report(fault.into_failure());
        }
        let exe = self.exe().display();
        self.fail(
            format!("The program {exe} can't be started: {error}."),
            "COURSE_PROGRAM must name a program that may be executed.",
        )
    }

    #[track_caller]
    fn listening_line(
        &self,
        pieces: Receiver<Vec<u8>>,
        id: u32,
        no_line: &str,
    ) -> SocketAddr {
        self.step("wait for its first line on stdout");
        let mut line = Vec::new();
        let mut deadline = Deadline::new(self);
        while !line.ends_with(b"\n") {
            let left = deadline.left().unwrap_or_default();
            match pieces.recv_timeout(left) {
                Ok(piece) => line.extend(piece),
                Err(RecvTimeoutError::Timeout) if deadline.left().is_some() => {}
                Err(end) => self.no_line(&line, end, id, no_line),
            }
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let addr = line
            .strip_prefix("listening on http://")
            .and_then(|addr| addr.parse::<SocketAddr>().ok());
        let (problem, likely) = match addr {
            Some(addr) if addr.port() != 0 => return addr,
            Some(_) => (
                "The program says that it listens on port 0, which no one can \
                 connect to.",
                "the line shows the address that was asked for. Port 0 asks the \
                 system to choose: ask the listener which port it got, with \
                 local_addr().",
            ),
            None if line.contains("Ok(") => (
                "The first line on stdout isn't the one that was agreed on.",
                "this is a whole Result, in the form for programmers, {:?}. \
                 local_addr() returns a Result: take the address out of it with ?, \
                 and print it with {}.",
            ),
            None => (
                "The first line on stdout isn't the one that was agreed on.",
                "a word is spelled differently, or something else is printed first.",
            ),
        };
        self.report(Failure {
            problem: problem.to_owned(),
            wanted: "listening on http://127.0.0.1:PORT".to_owned(),
            got: line,
            likely: likely.to_owned(),
            ..Failure::default()
        })
    }

    /// Ends the check: the line didn't come, at most a part of it.
    #[track_caller]
    fn no_line(
        &self,
        part: &[u8],
        end: RecvTimeoutError,
        id: u32,
        no_line: &str,
    ) -> ! {
        let problem = match end {
            RecvTimeoutError::Timeout if !part.is_empty() => {
                "The first line on stdout doesn't end.".to_owned()
            }
            RecvTimeoutError::Timeout => {
                format!("The program printed no line on stdout within {DEADLINE:?}.")
            }
            RecvTimeoutError::Disconnected => {
                "The program closed its stdout without a line on it.".to_owned()
            }
        };
        let likely = match end {
            RecvTimeoutError::Timeout if judges_another_program() => {
                let listens = match sockets::listening_port(id) {
                    Some(port) => format!("the program listens on port {port}, but"),
                    None => "maybe".to_owned(),
                };
                format!(
                    "{listens} its line is still in a buffer: stdout is a pipe here, \
                     and most languages collect what goes to a pipe. Flush it after \
                     the line, as with print(…, flush=True) in Python or \
                     fflush(stdout) in C. If it isn't that, {no_line}"
                )
            }
            RecvTimeoutError::Timeout => no_line.to_owned(),
            RecvTimeoutError::Disconnected => {
                "main returned, or the line went to stderr (eprintln!) instead of \
                 stdout."
                    .to_owned()
            }
        };
        self.report(Failure {
            problem,
            got: show(part),
            likely,
            symptom: Symptom::NotStarted,
            ..Failure::default()
        })
    }
}

/// Sends the first line of the program's stdout piece by piece, then reads on so that
/// the pipe never fills.
fn first_line(stdout: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut byte = [0];
        while let Ok(1) = reader.read(&mut byte) {
            // The check may have given up waiting.
            let _ = sender.send(byte.to_vec());
            if byte == [b'\n'] {
                break;
            }
        }
        drop(sender);
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    });
    receiver
}
