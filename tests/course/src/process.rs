//! Running other programs: always with a deadline, and with output that a stray
//! grandchild cannot hold open.

use std::fs::{self, File};
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::work::Scratch;

/// A program under way. It is killed when this value is dropped.
pub struct Process {
    child: Child,
    /// What it prints on stdout and stderr is in a file there: a pipe would stay open
    /// as long as any grandchild has it.
    printed: Scratch,
    /// Whether the programs that it starts are signalled with it, and are killed even
    /// if it has ended. Ctrl-C does not reach them then.
    with_children: bool,
}

impl Process {
    /// Starts a program.
    pub fn start(command: &mut Command, with_children: bool) -> io::Result<Process> {
        let printed = Scratch::new("printed").map_err(io::Error::other)?;
        let file = File::create(printed.path().join("output"))?;
        command.stderr(file.try_clone()?).stdout(file);
        #[cfg(unix)]
        if with_children {
            std::os::unix::process::CommandExt::process_group(command, 0);
        }
        Ok(Process {
            child: command.spawn()?,
            printed,
            with_children,
        })
    }

    /// What it has printed so far, as text; what is not UTF-8 is replaced.
    pub fn printed(&self) -> String {
        let printed = fs::read(self.printed.path().join("output"));
        String::from_utf8_lossy(&printed.unwrap_or_default()).into_owned()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end, at most so long.
    pub fn wait(&mut self, deadline: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + deadline;
        let mut pause = Duration::from_millis(1);
        while self.ended().is_none() && Instant::now() < until {
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(16));
        }
        self.ended()
    }

    /// Signals it, and what it started, on Unix; Ctrl-C is `INT`.
    pub fn signal(&self, name: &str) {
        let group = if self.with_children { "-" } else { "" };
        let kill = format!("kill -s {name} -- {group}{}", self.child.id());
        // What has ended cannot be signalled, and need not be.
        let mut sh = Command::new("sh");
        let _ = sh.args(["-c", &kill]).stderr(Stdio::null()).status();
    }
}

/// Ends what a process has started, if it may not be signalled together with it:
/// first the process is stopped, so that it starts nothing else meanwhile.
#[cfg(unix)]
fn kill_children(id: u32) {
    let parent = |stat: String| -> Option<u32> {
        // `ID (NAME) STATE PARENT …`, see proc(5).
        let mut fields = stat.rsplit(')').next()?.split_whitespace();
        fields.nth(1)?.parse().ok()
    };
    let mut sh = Command::new("sh");
    let _ = sh.args(["-c", &format!("kill -s STOP {id}")]).status();
    let Ok(processes) = fs::read_dir("/proc") else {
        // Only Linux has this folder; other systems have this program.
        let mut pkill = Command::new("pkill");
        let _ = pkill.args(["-KILL", "-P", &id.to_string()]).status();
        return;
    };
    for process in processes.flatten() {
        let stat = fs::read_to_string(process.path().join("stat"));
        if stat.ok().and_then(parent) == Some(id) {
            let child = process.file_name();
            let kill = format!("kill -s KILL {}", child.to_string_lossy());
            let _ = Command::new("sh").args(["-c", &kill]).status();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        #[cfg(unix)]
        if !self.with_children && self.ended().is_none() {
            kill_children(self.child.id());
        }
        if self.with_children && cfg!(unix) {
            self.signal("KILL");
        } else if self.with_children && self.ended().is_none() {
            let mut kill = Command::new("taskkill");
            kill.args(["/T", "/F", "/PID", &self.child.id().to_string()]);
            let _ = kill.stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a program ended.
pub struct Ended {
    /// Its exit status, or `None` if it had to be stopped at the deadline.
    pub status: Option<ExitStatus>,
    /// What it printed.
    pub output: String,
}

/// Runs a program to its end, or to the deadline.
pub fn run(
    command: &mut Command,
    deadline: Duration,
    with_children: bool,
) -> io::Result<Ended> {
    let mut process = Process::start(command.stdin(Stdio::null()), with_children)?;
    let status = process.wait(deadline);
    let output = process.printed();
    Ok(Ended { status, output })
}

/// Does each piece of work, `at_once` at a time, and returns the answers in the order
/// of the work.
pub fn each<T: Sync, R: Send>(
    work: &[T],
    at_once: usize,
    act: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(piece) = work.get(at) else {
                        return;
                    };
                    let answer = act(piece);
                    let mut done =
                        done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((at, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|&(at, _)| at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_comes_back_in_order() {
        let work: Vec<u32> = (0..100).collect();
        let doubled = each(&work, 3, |n| n * 2);
        assert_eq!(doubled, work.iter().map(|n| n * 2).collect::<Vec<_>>());
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_stopped_with_its_children() {
        let script = "echo begun; echo oops >&2; sleep 300 & echo $!; wait";
        for with_children in [true, false] {
            let mut sh = Command::new("sh");
            let deadline = Duration::from_millis(300);
            let ended = run(sh.args(["-c", script]), deadline, with_children);
            let ended = ended.expect("sh runs");
            assert!(ended.status.is_none());
            let lines: Vec<&str> = ended.output.lines().collect();
            assert_eq!(lines[..2], ["begun", "oops"]);
            // A killed process has its number until somebody has waited for it.
            let lives =
                format!("kill -0 {0} && ! grep -q ') Z ' /proc/{0}/stat", lines[2]);
            let lives = || Command::new("sh").args(["-c", &lives]).output();
            let until = Instant::now() + Duration::from_secs(5);
            while lives().expect("sh runs").status.success() {
                assert!(Instant::now() < until, "the grandchild lives on");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
