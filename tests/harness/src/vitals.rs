//! What Linux tells about a running program: its threads, memory, descriptors and
//! processor time, all from `/proc/PID`, see proc(5).
//!
//! Each method returns `None` on a system that doesn't tell; a check then passes the
//! question over.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::{DEADLINE, PROC, Program};

impl Program {
    /// The most memory that the program has had in use so far, in bytes: `VmHWM`.
    pub fn peak_memory(&self) -> Option<u64> {
        Some(self.status("VmHWM:")? * 1024)
    }

    /// How much memory the program has in use now, in bytes, without the pages of
    /// files: `RssAnon`, which is what it has allocated and touched, and its stacks.
    pub fn allocated_memory(&self) -> Option<u64> {
        Some(self.status("RssAnon:")? * 1024)
    }

    /// How many descriptors the program has open: files, sockets, pipes.
    pub fn open_files(&self) -> Option<usize> {
        Some(
            fs::read_dir(format!("{PROC}/{}/fd", self.id()))
                .ok()?
                .count(),
        )
    }

    /// How many threads the program has.
    pub fn threads(&self) -> Option<usize> {
        self.status("Threads:")?.try_into().ok()
    }

    /// How much processor time the program has used.
    pub fn cpu_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("{PROC}/{}/stat", self.id())).ok()?;
        // The name in parentheses may contain spaces; utime and stime are fields 14
        // and 15, in hundredths of a second on every Linux that Rust runs on.
        let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks()? + ticks()?) * 10))
    }

    /// How often all threads of the program together have begun to wait so far:
    /// `voluntary_ctxt_switches`.
    pub fn waits(&self) -> Option<u64> {
        let mut sum = 0;
        for thread in threads(self.id())? {
            // A thread that has no such file has ended meanwhile.
            let status =
                fs::read_to_string(thread.join("status")).unwrap_or_default();
            sum += number(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        }
        Some(sum)
    }

    /// Waits until every thread of the program waits for something; `false` if they
    /// stay busy.
    ///
    /// On Linux the kernel tells; elsewhere a pause has to do.
    pub fn comes_to_rest(&self) -> bool {
        self.check()
            .step("wait until the program has nothing to do");
        if !cfg!(target_os = "linux") {
            thread::sleep(Duration::from_millis(30));
        }
        until_all_threads_are(self.id(), 'S')
    }

    /// Lets this time pass while nothing happens. The program waits from its
    /// beginning on; a wait with a limit that ends meanwhile has ended, and what comes
    /// of it has happened, on a busy machine too.
    pub fn nothing_happens_for(&self, time: Duration) {
        self.comes_to_rest();
        self.check().step(format!("let {time:?} pass"));
        thread::sleep(time);
        self.comes_to_rest();
    }

    /// Whether every thread of the program waits for something at this moment.
    pub(crate) fn rests_now(&self) -> bool {
        all_threads_are(self.id(), 'S') != Some(false)
    }

    /// Whether the program keeps a core busy while it should wait: watches it for
    /// this long, and returns how much processor time it used, if that is most of
    /// what it could get, or if it went on printing all the time. `None` if it rests.
    ///
    /// What counts is its share of the time in which it didn't wait for a core. So a
    /// busy machine neither hides that it spins nor makes it look as if it did.
    pub fn spins(&self, wait: Duration) -> Option<Duration> {
        /// More than this isn't a word now and then.
        const MUCH: usize = 16 * 1024;
        self.check()
            .step(format!("look for {wait:?} whether it rests"));
        let watched = self.check().program()?;
        let printed = watched.printed();
        let (begin, before) = (Instant::now(), self.scheduled()?);
        let (mut used, mut share) = (Duration::ZERO, 0.0);
        loop {
            thread::sleep(Duration::from_millis(20));
            let wall = begin.elapsed();
            // `None` if it has ended meanwhile.
            let Some(now) = self.scheduled() else {
                break;
            };
            used = now.0.saturating_sub(before.0);
            let kept_waiting = now.1.saturating_sub(before.1);
            let could = wall.saturating_sub(kept_waiting).as_secs_f64();
            share = used.as_secs_f64() / could;
            if used >= wait / 4 && share > 0.25 {
                return Some(used);
            }
            // One that gets hardly any time is watched for longer: how long a thread
            // has waited for a core is told only when it gets one.
            let rests = self.rests_now() && used + kept_waiting < wall / 2;
            if wall >= wait && rests || wall >= DEADLINE {
                break;
            }
        }
        let was_busy = used >= Duration::from_millis(5) && share > 0.5;
        let went_on = watched.printed() - printed > MUCH;
        (was_busy || went_on).then_some(used)
    }

    /// How often the program's threads wake up by themselves while nothing happens:
    /// the fewest times of several spans of this length, because whatever happens
    /// once isn't a habit.
    pub fn wakes(&self, span: Duration) -> Option<u64> {
        self.check()
            .step(format!("count for {span:?} how often it wakes up"));
        let mut fewest = u64::MAX;
        for _ in 0..3 {
            let before = self.waits()?;
            thread::sleep(span);
            fewest = fewest.min(self.waits()?.saturating_sub(before));
            if fewest == 0 {
                break;
            }
        }
        Some(fewest)
    }

    /// How long all threads of the program have run so far, and how long they have
    /// waited for a core: the first two numbers of `schedstat`, in nanoseconds.
    fn scheduled(&self) -> Option<(Duration, Duration)> {
        let mut sums = (Duration::ZERO, Duration::ZERO);
        for thread in threads(self.id())? {
            // A thread that has no such file has ended meanwhile.
            let Ok(stat) = fs::read_to_string(thread.join("schedstat")) else {
                continue;
            };
            let mut numbers = stat.split_whitespace().map(str::parse);
            let mut next = || Some(Duration::from_nanos(numbers.next()?.ok()?));
            sums.0 += next()?;
            sums.1 += next()?;
        }
        Some(sums)
    }

    /// How many bytes of addresses the program has taken.
    #[cfg(target_os = "linux")]
    pub(crate) fn addresses(&self) -> Option<u64> {
        Some(self.status("VmSize:")? * 1024)
    }

    fn status(&self, name: &str) -> Option<u64> {
        let status =
            fs::read_to_string(format!("{PROC}/{}/status", self.id())).ok()?;
        number(&status, name)
    }
}

/// The number after this name, in a file such as `/proc/PID/status`.
fn number(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

/// The folders of a process's threads.
fn threads(id: u32) -> Option<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(format!("{PROC}/{id}/task")).ok()?;
    Some(entries.flatten().map(|entry| entry.path()).collect())
}

/// Whether each thread of a process is in this state: `S` for asleep, `T` for
/// stopped. `None` if the system doesn't tell, or the process is gone.
pub(crate) fn all_threads_are(id: u32, state: char) -> Option<bool> {
    let all = threads(id)?.iter().all(|thread| {
        // `ID (NAME) STATE …`; a thread that has no such file, or is in state Z or X,
        // has ended meanwhile.
        let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
        let rest = stat.rsplit(')').next().unwrap_or_default();
        stat.is_empty() || rest.trim_start().starts_with([state, 'Z', 'X'])
    });
    Some(all)
}

/// Waits until each thread of a process is in this state, and tells whether it has
/// come to that. Where the system doesn't tell, this returns at once.
pub(crate) fn until_all_threads_are(id: u32, state: char) -> bool {
    let until = Instant::now() + DEADLINE;
    while Instant::now() < until {
        if all_threads_are(id, state) != Some(false) {
            return true;
        }
        thread::sleep(Duration::from_micros(500));
    }
    false
}
