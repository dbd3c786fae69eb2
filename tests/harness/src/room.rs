//! Programs that don't get another thread from the system: what becomes of clients
//! then.
//!
//! The system's limit is one of addresses. Rust's threads take as many of them for
//! their stacks as `RUST_MIN_STACK` says, unless the program asks for other stacks.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Check, Client, DEADLINE, Likely, Program, Run};

/// The stack of each thread.
const STACK: u64 = 100 << 20;
/// More threads than fit into 200 MB, even if each has the smallest stack there is:
/// 16 KB and a page to guard it.
pub(crate) const TOO_MANY: &str = "20000";

impl Check {
    /// Like [`Check::start`], for a program that may use at most 1 GB of addresses,
    /// of which each of its threads takes 100 MB: it has room for nine threads or so,
    /// and enough memory for the rest.
    #[track_caller]
    pub fn start_with_room_for_few_threads(&self, args: &[&str]) -> Program {
        self.step("leave room for about nine threads");
        let command = self.by_way_of_a_shell("ulimit -v 1000000");
        self.start_with_large_stacks(command, args)
    }

    /// Runs a program with 200 MB of addresses, which is too little for [`TOO_MANY`]
    /// threads.
    #[track_caller]
    pub(crate) fn try_with_room_for_few_threads(&self, args: &[&str]) -> Run {
        self.step("leave room for few threads");
        let mut command = self.by_way_of_a_shell("ulimit -v 200000");
        let_stacks_be_large(&mut command);
        self.try_command(command, args)
    }

    /// Starts the program with stacks so large that [`Program::has_room_for_threads`]
    /// can count them.
    #[track_caller]
    pub fn start_for_few_threads(&self, args: &[&str]) -> Program {
        self.start_with_large_stacks(Command::new(self.exe()), args)
    }

    #[track_caller]
    fn start_with_large_stacks(
        &self,
        mut command: Command,
        args: &[&str],
    ) -> Program {
        let_stacks_be_large(&mut command);
        self.start_command(command, args, crate::start::NO_LINE)
    }
}

fn let_stacks_be_large(command: &mut Command) {
    command.env("RUST_MIN_STACK", STACK.to_string());
    // glibc would give threads further memory to allocate from, 64 MB each.
    command.env("MALLOC_ARENA_MAX", "1");
}

impl Program {
    /// Leaves the running program room for this many threads more, or for any number
    /// with `None`. `false` if this machine can't do that: it takes `prlimit`, of
    /// util-linux.
    pub fn has_room_for_threads(&self, more: Option<u64>) -> bool {
        let limit = match (more, self.addresses()) {
            (None, _) => "unlimited".to_owned(),
            // What is left apart from the stacks is for memory of other kinds.
            (Some(more), Some(used)) => (used + more * STACK + STACK / 2).to_string(),
            (Some(_), None) => return false,
        };
        self.check().step(match more {
            Some(more) => format!("leave the program room for {more} threads more"),
            None => "leave it room for as many as it likes".to_owned(),
        });
        Command::new("prlimit")
            .args(["--pid", &self.id().to_string(), &format!("--as={limit}:")])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Has this many clients stall, and waits until all have been accepted or one
    /// must wait.
    #[track_caller]
    pub fn stall(&self, count: usize) -> Vec<Client> {
        self.check().step(format!("{count} clients stall"));
        let mut stalled = Vec::new();
        for _ in 0..count {
            let mut client = self.connect();
            client.send("GET /");
            stalled.push(client);
        }
        // They are accepted in order. A server may close on those for which it has no
        // thread, or let them wait.
        if let Some(last) = stalled.last_mut() {
            last.is_read_within(Duration::from_secs(1));
        }
        stalled
    }

    /// Asks for the home page until there is an answer. `silent` says what is likely
    /// if the server accepts a client, says nothing and doesn't close.
    #[track_caller]
    pub fn serves_again(&self, silent: &'static str) -> bool {
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            let mut client = self.connect();
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            if !client.read_to_end(Likely::always(silent)).is_empty() {
                return true;
            }
            // Threads take a moment to end.
            thread::sleep(Duration::from_millis(5));
        }
        false
    }
}
