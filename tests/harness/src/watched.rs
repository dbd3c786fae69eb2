//! A child process: what it printed on stderr, and whether it has ended.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::vitals;

/// Written into the pipe by the test itself: once this comes out, everything that the
/// program wrote before has come out as well.
const MARK: &[u8] = b"\0\x01all that came before has been read\x01\0";
/// How much of what a program prints on stderr is kept, from its beginning and from
/// its end.
const KEPT: usize = 128 * 1024;

/// A running program; killed when this value is dropped.
pub(crate) struct Watched {
    pub(crate) child: Mutex<Child>,
    id: u32,
    stderr: Option<Stderr>,
}

impl Watched {
    pub(crate) fn new(child: Child, stderr: Option<Stderr>) -> Watched {
        let id = child.id();
        let child = Mutex::new(child);
        Watched { child, id, stderr }
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Whether a thread of the process runs, or waits for a core. On Linux the kernel
    /// tells; elsewhere this is never known.
    pub(crate) fn is_busy(&self) -> bool {
        vitals::all_threads_are(self.id, 'S') == Some(false)
    }

    /// How many bytes the process has printed on stderr so far.
    pub(crate) fn printed(&self) -> usize {
        self.stderr
            .as_ref()
            .map(Stderr::printed)
            .unwrap_or_default()
    }

    /// The exit status, if the process has ended by now.
    pub(crate) fn exited(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().expect("a child");
        child.try_wait().ok().flatten()
    }

    /// The exit status, if the process has ended or is about to: waits until it
    /// rests, for a moment at least, and not for long.
    ///
    /// On Linux the kernel tells whether a process rests. Elsewhere a pause has to
    /// do.
    pub(crate) fn settles(&self) -> Option<ExitStatus> {
        let at_least = match cfg!(target_os = "linux") {
            true => Duration::from_millis(150),
            false => Duration::from_millis(400),
        };
        self.settles_after(at_least)
    }

    /// Like [`Watched::settles`], and doesn't wait at all for a process that rests.
    pub(crate) fn settles_soon(&self) -> Option<ExitStatus> {
        let at_least = match cfg!(target_os = "linux") {
            true => Duration::ZERO,
            false => Duration::from_millis(30),
        };
        self.settles_after(at_least)
    }

    fn settles_after(&self, at_least: Duration) -> Option<ExitStatus> {
        const AT_MOST: Duration = Duration::from_secs(1);
        let begin = Instant::now();
        let mut rested = 0;
        loop {
            let status = self.exited();
            if status.is_some() {
                return status;
            }
            rested = match vitals::all_threads_are(self.id, 'S') {
                Some(false) => 0,
                _ => rested + 1,
            };
            let waited = begin.elapsed();
            if rested >= 3 && waited >= at_least || waited > AT_MOST {
                return None;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// All that the process has printed on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.as_ref().map(Stderr::text).unwrap_or_default()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let child = self.child.get_mut().expect("a child");
        // Both fail only if the process has already gone.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// What comes through a pipe, collected by a thread.
pub(crate) struct Stderr {
    collected: Arc<(Mutex<Collected>, Condvar)>,
    marks: Mutex<(PipeWriter, usize)>,
}

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    /// How many bytes have come in all, marks included.
    in_all: usize,
    /// How many marks have come out of the pipe.
    marks: usize,
    /// Nothing more can come.
    at_end: bool,
}

impl Stderr {
    /// Collects what comes out of the pipe; `writer` is another writing end of it.
    pub(crate) fn collect(mut reader: PipeReader, writer: PipeWriter) -> Stderr {
        let collected = Arc::new((Mutex::default(), Condvar::new()));
        let shared = Arc::clone(&collected);
        thread::spawn(move || {
            let (collected, news): &(Mutex<Collected>, Condvar) = &shared;
            let mut buffer = [0; 16 * 1024];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                collected.lock().expect("output").add(&buffer[..read]);
                news.notify_all();
            }
            collected.lock().expect("output").at_end = true;
            news.notify_all();
        });
        let marks = Mutex::new((writer, 0));
        Stderr { collected, marks }
    }

    /// All that was written into the pipe before this call.
    fn text(&self) -> String {
        self.see(|collected| String::from_utf8_lossy(&collected.bytes).into_owned())
    }

    /// How many bytes were written into the pipe before this call.
    fn printed(&self) -> usize {
        self.see(|collected| collected.in_all)
    }

    /// Waits until all has come out of the pipe that was written before.
    fn see<T>(&self, look: impl FnOnce(&Collected) -> T) -> T {
        const AT_MOST: Duration = Duration::from_secs(1);
        let mut marks = self.marks.lock().expect("a pipe");
        let (collected, news) = &*self.collected;
        if marks.0.write_all(MARK).is_ok() {
            marks.1 += 1;
        }
        let wanted = marks.1;
        let behind =
            |collected: &mut Collected| collected.marks < wanted && !collected.at_end;
        let collected = collected.lock().expect("output");
        let waited = news.wait_timeout_while(collected, AT_MOST, behind);
        let (collected, _) = waited.expect("output");
        look(&collected)
    }
}

impl Collected {
    fn add(&mut self, bytes: &[u8]) {
        self.in_all += bytes.len();
        // A mark may come in two pieces.
        let from = self.bytes.len().saturating_sub(MARK.len());
        self.bytes.extend_from_slice(bytes);
        while let Some(at) =
            (self.bytes[from..].windows(MARK.len())).position(|window| window == MARK)
        {
            self.bytes.drain(from + at..from + at + MARK.len());
            self.marks += 1;
        }
        if self.bytes.len() > 4 * KEPT {
            let to = self.bytes.len() - KEPT;
            self.bytes
                .splice(KEPT..to, *b"\n(much more was printed here)\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_written_is_there() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let stderr = Stderr::collect(reader, writer.try_clone().unwrap());
        assert_eq!(stderr.text(), "");
        for count in 1..100 {
            writer.write_all(b"12345").unwrap();
            assert_eq!(stderr.text().len(), 5 * count);
        }
    }

    #[test]
    fn a_mark_in_two_pieces_is_taken_out() {
        let mut collected = Collected::default();
        collected.add(&[b"one ", &MARK[..9]].concat());
        assert_eq!(collected.marks, 0);
        collected.add(&[&MARK[9..], MARK, b"two"].concat());
        assert_eq!(collected.bytes, b"one two");
        assert_eq!(collected.marks, 2);
    }

    #[test]
    fn of_very_much_the_begin_and_the_end_are_kept() {
        let mut collected = Collected::default();
        collected.add(b"begin");
        for _ in 0..1000 {
            collected.add(&[b'x'; 4096]);
        }
        collected.add(b"end");
        assert!(collected.bytes.starts_with(b"begin"));
        assert!(collected.bytes.ends_with(b"end"));
        assert!(collected.bytes.len() <= 5 * KEPT);
    }
}
