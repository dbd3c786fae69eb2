//! Trouble that comes from the system: a program that is stopped for a while, that
//! has no file descriptor left, or whose client is gone before it is accepted.

use std::thread;
use std::time::{Duration, Instant};

use crate::sockets::queues;
use crate::{Client, DEADLINE, PROC, Program};

impl Program {
    /// Stops the program (SIGSTOP), does something, and lets it go on: whatever was
    /// done then meets the program all at once. On Windows, which has no such
    /// signals, the program isn't stopped.
    pub fn while_stopped<T>(&self, work: impl FnOnce() -> T) -> T {
        self.stop();
        let done = work();
        self.go_on();
        done
    }

    /// Connects a client right behind another one that tears its connection down at
    /// once (RST), both while the program is stopped: when it accepts the first, that
    /// one is gone. `None` where this can't be done.
    #[cfg(not(target_os = "linux"))]
    pub fn connect_behind_one_that_is_gone(&self) -> Option<Client> {
        None
    }

    /// Connects a client right behind another one that tears its connection down at
    /// once (RST), both while the program is stopped: when it accepts the first, that
    /// one is gone. `None` where this can't be done.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn connect_behind_one_that_is_gone(&self) -> Option<Client> {
        self.check()
            .step("stop the program, connect, and reset that connection");
        self.while_stopped(|| {
            let stream = std::net::TcpStream::connect_timeout(&self.addr(), DEADLINE);
            let gone = stream.is_ok_and(reset);
            let next = gone.then(|| self.connect());
            self.check().step("let the program go on");
            next
        })
    }

    /// How many file descriptors the program has open, where the system tells.
    pub fn open_descriptors(&self) -> Option<usize> {
        Some(
            std::fs::read_dir(format!("{PROC}/{}/fd", self.id()))
                .ok()?
                .count(),
        )
    }

    /// Checks that the program comes to hold fewer than `count` file descriptors.
    /// Call it once all clients have seen the end: a program may close a moment
    /// later.
    #[track_caller]
    pub fn must_hold_fewer_descriptors_than(&self, count: usize, likely: &str) {
        self.check().step("count its open files and sockets");
        let until = Instant::now() + DEADLINE;
        while self.open_descriptors().is_some_and(|open| open >= count) {
            if Instant::now() > until {
                self.check().fail(
                    "All connections have ended, and the program closed none of \
                     them.",
                    likely,
                );
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Connects a client, leaves the program no file descriptor to accept it with,
    /// and gives it descriptors again once it has met the failure. `None` where this
    /// machine can't do that.
    #[cfg(not(target_os = "linux"))]
    pub fn connect_without_descriptors(&self) -> Option<Client> {
        None
    }

    /// Connects a client, leaves the program no file descriptor to accept it with,
    /// and gives it descriptors again once it has met the failure. `None` where this
    /// machine can't do that: it takes `prlimit`, of util-linux.
    ///
    /// A call of accept that waits already has its descriptor: then this client is
    /// still accepted, and the next call fails.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn connect_without_descriptors(&self) -> Option<Client> {
        let (open, before) = self.descriptors()?;
        let (mut switches, mut cpu) = (None, None);
        // The client waits in the backlog before anything fails.
        let client = self.while_stopped(|| {
            let client = self.connect();
            self.check().step("leave the program no file descriptor");
            (switches, cpu) = (self.waits(), self.cpu_time());
            self.limit_descriptors(open).then_some(client)
        })?;
        self.check().step(
            "wait until it has met the failure, then give it descriptors \
                   again",
        );
        // It has ended; or it tries again and again, for longer than it takes to end;
        // or it has been awake, and rests.
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            let state = self.state();
            let spun = self.cpu_time().zip(cpu);
            if state == 'Z'
                || spun.is_some_and(|(now, then)| {
                    now - then >= Duration::from_millis(30)
                })
                || state == 'S' && self.waits() > switches
            {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.limit_descriptors(before).then_some(client)
    }

    /// Has the program wait within a write of which a part is sent already, when it
    /// has read all that this client has sent. Returns how much of `data` that was;
    /// `None` if it doesn't come to that, as outside of Linux, where the system
    /// doesn't tell.
    pub fn waits_within_a_write(
        &self,
        client: &mut Client,
        data: &[u8],
    ) -> Option<usize> {
        self.check().step(
            "send without reading, until the program has read all and is in the \
             middle of a write",
        );
        let until = Instant::now() + 2 * DEADLINE;
        // Once a byte has come back, the program waits for the next one.
        let mut sent = client.fill_quietly(data.get(..1)?);
        client.read_some(1);
        let reading = self.calls_at_rest(None)?;
        // How much the program could write, beyond what this client has read, before
        // it had to wait.
        let mut room = usize::MAX;
        // The last steps are small, so that the program reads each at once.
        let mut small = 4093;
        let mut steps = 0;
        while Instant::now() < until {
            let step = match room.saturating_sub(sent - client.received()) {
                1_500_000.. => 256 * 1024,
                100_000.. => 64 * 1024,
                _ => small,
            };
            // Buffers grow meanwhile.
            steps = if step == small { steps + 1 } else { 0 };
            if steps == 60 {
                room += 300_000;
            }
            let piece = data.get(sent..sent + step)?;
            let before = self.waits();
            sent += client.fill_quietly(piece);
            while Instant::now() < until {
                let calls = self.calls_at_rest(before)?;
                let is_new = |call: &&Call| {
                    !reading.iter().any(|old| old.number == call.number)
                };
                let Some(writing) = calls.iter().find(is_new) else {
                    break;
                };
                let (unread, arrived) = traffic(client)?;
                let held = sent.saturating_sub(arrived);
                if unread == 0 && 0 < held && held < writing.len {
                    return Some(sent);
                }
                small = small.min(writing.len.saturating_sub(3)).max(16);
                // With a tiny buffer it would take thousands of steps.
                if writing.len < 1000 {
                    return None;
                }
                // It can't go on writing until there is room again.
                room = arrived - client.received();
                client.read_some(200_000);
            }
        }
        None
    }

    /// The calls of the system in which the program's threads wait, once all of them
    /// do, and have begun to wait more often than `before`.
    fn calls_at_rest(&self, before: Option<u64>) -> Option<Vec<Call>> {
        let begin = Instant::now();
        while begin.elapsed() < DEADLINE {
            // One that can't go on writing may have noticed nothing of a new piece.
            let patience = Duration::from_millis(10);
            let woke = self.waits() > before || begin.elapsed() > patience;
            if woke && self.state() == 'S' {
                return calls(self.id());
            }
            thread::sleep(Duration::from_micros(50));
        }
        None
    }

    /// The lowest descriptor that isn't in use, and the limit.
    #[cfg(target_os = "linux")]
    fn descriptors(&self) -> Option<(u64, u64)> {
        let folder = format!("{PROC}/{}", self.id());
        let open: Vec<u64> = std::fs::read_dir(format!("{folder}/fd"))
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        let lowest = (0..).find(|descriptor| !open.contains(descriptor))?;
        let limits = std::fs::read_to_string(format!("{folder}/limits")).ok()?;
        let limit = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))?;
        let soft = limit.split_whitespace().next()?.parse().ok()?;
        Some((lowest, soft))
    }

    #[cfg(target_os = "linux")]
    fn limit_descriptors(&self, limit: u64) -> bool {
        std::process::Command::new("prlimit")
            .args([
                "--pid",
                &self.id().to_string(),
                &format!("--nofile={limit}:"),
            ])
            .stderr(std::process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// `S` if every thread of the program waits, `Z` if the program has ended, and
    /// otherwise the state of one that does something, see proc(5).
    fn state(&self) -> char {
        let threads = std::fs::read_dir(format!("{PROC}/{}/task", self.id()));
        let states = threads
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|thread| {
                let stat =
                    std::fs::read_to_string(thread.path().join("stat")).ok()?;
                stat.rsplit(')').next()?.trim_start().chars().next()
            });
        let mut last = 'Z';
        for state in states {
            if state != 'S' && state != 'Z' {
                return state;
            }
            if state == 'S' {
                last = 'S';
            }
        }
        last
    }
}

/// A call of the system in which a thread waits.
struct Call {
    number: u64,
    /// Its third argument: for one that writes, how many bytes.
    len: usize,
}

/// What all threads of a process wait in: `/proc/PID/task/TID/syscall`, see proc(5).
fn calls(id: u32) -> Option<Vec<Call>> {
    let threads = std::fs::read_dir(format!("{PROC}/{id}/task")).ok()?;
    let calls = threads.flatten().map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("syscall")).ok()?;
        let mut fields = text.split_whitespace();
        let number = fields.next()?.parse().ok()?;
        let len = fields.nth(2)?.strip_prefix("0x")?;
        let len = usize::from_str_radix(len, 16).ok()?;
        Some(Call { number, len })
    });
    calls.collect()
}

/// How many of this client's bytes the program has not read yet, and how many it has
/// written: those that the client has read, those that wait for it to read them, and
/// those on the way.
fn traffic(client: &Client) -> Option<(u64, usize)> {
    let (server, here) = client.addrs()?;
    let [on_the_way, unread] = queues(server, here)?;
    let [_, waiting] = queues(here, server)?;
    let written = client.received() + usize::try_from(on_the_way + waiting).ok()?;
    Some((unread, written))
}

/// Closes a connection with RST.
#[cfg(target_os = "linux")]
pub(crate) fn reset(stream: std::net::TcpStream) -> bool {
    use std::ffi::{c_int, c_void};
    use std::os::fd::AsRawFd;
    const SOL_SOCKET: c_int = 1;
    const SO_LINGER: c_int = 13;
    unsafe extern "C" {
        fn setsockopt(
            fd: c_int,
            level: c_int,
            name: c_int,
            value: *const c_void,
            len: u32,
        ) -> c_int;
    }
    // `struct linger { int l_onoff; int l_linger; }`: on, for no time at all.
    let linger: [c_int; 2] = [1, 0];
    let len = size_of_val(&linger) as u32;
    // SAFETY: the descriptor is open as long as `stream` is there, and the pointer
    // leads to `len` bytes that the call only reads.
    let failed = unsafe {
        setsockopt(
            stream.as_raw_fd(),
            SOL_SOCKET,
            SO_LINGER,
            linger.as_ptr().cast(),
            len,
        )
    };
    failed == 0
}
