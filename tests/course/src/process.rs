//! Running other programs: always with a deadline, and with output that a stray
//! grandchild cannot hold open.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended.
pub struct Ended {
    /// Its exit status, or `None` if it had to be stopped at the deadline.
    pub status: Option<ExitStatus>,
    /// What it printed, as text; what is not UTF-8 is replaced.
    pub output: String,
    pub took: Duration,
}

impl Ended {
    /// Whether it ended by itself, and well.
    pub fn well(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// What becomes of the program's stderr.
#[derive(Clone, Copy)]
pub enum Stderr<'a> {
    Dropped,
    /// It stands in `output`, between the lines of stdout.
    Kept,
    /// This is called with each line, and now and then without one, while the program
    /// runs.
    Watched(&'a dyn Fn(Option<&str>)),
}

/// How to run a program.
pub struct Run<'a> {
    /// A folder for the files that collect the output.
    pub scratch: PathBuf,
    pub deadline: Duration,
    pub stderr: Stderr<'a>,
    /// Whether the programs that it started are stopped with it. Ctrl-C does not
    /// reach them then.
    pub with_children: bool,
}

impl Run<'_> {
    /// Runs the program to its end, or to the deadline.
    pub fn run(&self, command: &mut Command) -> io::Result<Ended> {
        fs::create_dir_all(&self.scratch)?;
        // Files, not pipes: a pipe stays open as long as any grandchild has it.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let [out, err] = ["output", "stderr"].map(|name| {
            let name = format!("{name}-{}-{number}", std::process::id());
            self.scratch.join(name)
        });
        let ended = self.run_into(&out, &err, command);
        for path in [out, err] {
            // On Windows a grandchild can keep a file from being removed. It is only
            // scratch.
            let _ = fs::remove_file(path);
        }
        ended
    }

    fn run_into(
        &self,
        out: &Path,
        err: &Path,
        command: &mut Command,
    ) -> io::Result<Ended> {
        let file = File::create(out)?;
        let mut watched = None;
        command.stdin(Stdio::null());
        command.stderr(match self.stderr {
            Stderr::Dropped => Stdio::null(),
            Stderr::Kept => Stdio::from(file.try_clone()?),
            Stderr::Watched(tell) => {
                let written = File::create(err)?;
                watched = Some(Lines::of(File::open(err)?, tell));
                Stdio::from(written)
            }
        });
        command.stdout(Stdio::from(file));
        if self.with_children {
            lead_a_group(command);
        }
        let begin = Instant::now();
        let mut child = command.spawn()?;
        let status = self.wait(&mut child, begin, &mut watched);
        let took = begin.elapsed();
        if let Some(lines) = &mut watched {
            lines.tell_the_rest()?;
        }
        let output = String::from_utf8_lossy(&fs::read(out)?).into_owned();
        Ok(Ended {
            status: status?,
            output,
            took,
        })
    }

    fn wait(
        &self,
        child: &mut Child,
        begin: Instant,
        watched: &mut Option<Lines<'_>>,
    ) -> io::Result<Option<ExitStatus>> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if begin.elapsed() >= self.deadline {
                if self.with_children {
                    stop_group(child);
                }
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            if let Some(lines) = watched {
                lines.tell()?;
                (lines.to)(None);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

/// The lines of a file that grows.
struct Lines<'a> {
    file: File,
    begun: Vec<u8>,
    to: &'a dyn Fn(Option<&str>),
}

impl<'a> Lines<'a> {
    fn of(file: File, to: &'a dyn Fn(Option<&str>)) -> Lines<'a> {
        Lines {
            file,
            begun: Vec::new(),
            to,
        }
    }

    /// Tells the lines that have come to their end since.
    fn tell(&mut self) -> io::Result<()> {
        self.file.read_to_end(&mut self.begun)?;
        let Some(end) = self.begun.iter().rposition(|&byte| byte == b'\n') else {
            return Ok(());
        };
        let whole: Vec<u8> = self.begun.drain(..=end).collect();
        for line in String::from_utf8_lossy(&whole).lines() {
            (self.to)(Some(line));
        }
        Ok(())
    }

    fn tell_the_rest(&mut self) -> io::Result<()> {
        self.tell()?;
        if !self.begun.is_empty() {
            (self.to)(Some(&String::from_utf8_lossy(&self.begun)));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn lead_a_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn lead_a_group(_command: &mut Command) {}

fn stop_group(child: &Child) {
    let id = child.id();
    let mut command = if cfg!(unix) {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &format!("-{id}")]);
        kill
    } else {
        let mut kill = Command::new("taskkill");
        kill.args(["/T", "/F", "/PID", &id.to_string()]);
        kill
    };
    // Should that fail, the caller still ends the child itself.
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
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
    let work_off = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = work.get(at) else {
                return;
            };
            let answer = act(piece);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((at, answer));
        }
    };
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(work_off);
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
        let scratch = std::env::temp_dir()
            .join(format!("course-process-{}", std::process::id()));
        let run = Run {
            scratch: scratch.clone(),
            deadline: Duration::from_millis(300),
            stderr: Stderr::Kept,
            with_children: true,
        };
        let ended =
            run.run(Command::new("sh").args([
                "-c",
                "echo begun; echo oops >&2; sleep 300 & echo $!; wait",
            ]))
            .expect("sh runs");
        assert!(ended.status.is_none());
        let lines: Vec<&str> = ended.output.lines().collect();
        assert_eq!(lines[..2], ["begun", "oops"]);
        let gone = !Command::new("kill")
            .args(["-0", lines[2]])
            .stderr(Stdio::null())
            .status()
            .expect("kill runs")
            .success();
        // A stopped process that nobody has waited for yet still has its number for a
        // moment.
        let dead = gone || {
            thread::sleep(Duration::from_millis(500));
            fs::read_to_string(format!("/proc/{}/stat", lines[2]))
                .map_or(true, |stat| stat.contains(") Z "))
        };
        assert!(dead, "the grandchild lives on");
        fs::remove_dir_all(&scratch).expect("scratch can be removed");
    }
}
