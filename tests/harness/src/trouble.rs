//! Trouble that comes from the system: a program that is stopped for a while, that
//! has no file descriptor left, or whose client is gone before it is accepted.

use std::thread;
use std::time::{Duration, Instant};

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
    #[cfg(target_os = "linux")]
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

/// Closes a connection with RST.
#[cfg(target_os = "linux")]
fn reset(stream: std::net::TcpStream) -> bool {
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
