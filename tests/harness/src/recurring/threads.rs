//! The threads of a pool: how many there are, since when, and what they do without
//! work.

use std::time::Duration;

use predicates::prelude::*;

use crate::{Check, Likely, Run, Site, some_threads};

impl Check {
    /// Checks that all threads are there before the first client, that they stay, and
    /// that they use no processor time while they have no job.
    #[track_caller]
    pub fn has_threads_that_rest(&self) {
        let site = Site::with_a_home();
        let threads = many_threads();
        let server = self.start_pool(&site, threads);
        server.comes_to_rest();
        let Some(idle) = server.threads() else {
            return self
                .pass_over("only Linux tells here how many threads a program has");
        };
        if idle < threads {
            self.fail(
                format!(
                    "No client has come yet, and with --threads {threads} there are \
                     {idle} threads."
                ),
                "the pool makes its threads in new(), all that it was asked for, and \
                 they stay: each waits for its next job in a loop. They are not made \
                 when a job comes.",
            );
        }
        if let Some(used) = server.spins(Duration::from_millis(200)) {
            self.fail(
                format!(
                    "Without a client, the program used {used:?} of processor \
                         time."
                ),
                "a worker asks again and again whether there is a job, as with \
                 try_recv() in a loop, or as with try_recv() and sleep() for next to \
                 no time. recv() waits: the system wakes the thread when there's one.",
            );
        }
        // Longer than most naps. A thread that waits for something is woken by it,
        // and here nothing happens.
        const SPAN: Duration = Duration::from_millis(1100);
        server.comes_to_rest();
        let wakes = server.wakes(SPAN);
        let left = server.threads().unwrap_or(idle);
        if left < idle {
            self.fail(
                format!(
                    "Without a client, {} of {idle} threads have ended \
                     by themselves.",
                    idle - left
                ),
                "a worker goes home if nothing has come for a while, as with \
                 recv_timeout(). recv() waits as long as it takes.",
            );
        }
        if let Some(wakes @ 1..) = wakes {
            self.fail(
                format!(
                    "Without a client, its threads woke up {wakes} times in \
                         {SPAN:?}."
                ),
                "a worker sleeps a little, asks whether there is a job, and sleeps \
                 again, as with try_recv() and sleep(), or with recv_timeout() in a \
                 loop. If it holds the lock meanwhile, the others wait for the end \
                 of its nap. recv() needs no clock: the system wakes the thread when \
                 there is a job.",
            );
        }
    }

    /// Checks that clients don't make other threads than those that are there before.
    #[track_caller]
    pub fn makes_its_threads_once(&self, served: &'static str) {
        let site = Site::with_a_home();
        let threads = many_threads();
        let server = self.start_pool(&site, threads);
        server.ask("/").must_get(200, "home", served);
        if !server.comes_to_rest() {
            self.fail(
                "Its only client has been served, and the program doesn't come to \
                 rest.",
                "a worker that has run a job asks again and again for the next one. \
                 recv() waits: the system wakes the thread when there's one.",
            );
        }
        let Some(idle) = server.threads() else {
            return self
                .pass_over("only Linux tells here how many threads a program has");
        };
        // All are busy, and more clients wait: nothing about that makes another
        // thread.
        let busy = server.ask_halves(threads);
        let waiting = server.ask_often(threads, "/");
        server.comes_to_rest();
        let with_clients = server.threads().unwrap_or(idle);
        for (mut client, rest) in busy {
            client.send(rest);
            client.must_get(200, "home", served);
        }
        for client in waiting {
            client.must_get(200, "home", served);
        }
        if with_clients > idle {
            self.fail(
                format!(
                    "Without clients there were {idle} threads, and with them \
                         {with_clients}."
                ),
                "neither execute() nor a worker makes a thread: the job is handed to \
                 one that is there, which runs it itself.",
            );
        }
    }

    /// Checks that the program goes on if a job has panicked and its worker may
    /// have ended, by sending more such jobs to that worker. For pools that deal
    /// their jobs out in turn: what becomes of these jobs is free, as is what becomes
    /// of the worker.
    #[track_caller]
    pub fn outlives_jobs_that_panic(&self, gone: &'static str, served: &'static str) {
        let site = Site::with_a_home();
        let server = self.clone().if_it_ends(gone).start_pool(&site, 2);
        server.ask("/app/panic").read_to_end(Likely::always(served));
        server.comes_to_rest();
        let mut clients = Vec::new();
        for _ in 0..3 {
            // The other worker's turn, and then that of the one that may have ended.
            clients.push(server.ask("/"));
            clients.push(server.ask("/app/panic"));
            if !server.comes_to_rest() {
                self.fail(
                    "Jobs have panicked, and the program doesn't come to rest.",
                    "a job that can't be sent is sent again and again. A worker that \
                     has ended never takes one: let the job be dropped, or give it \
                     to each other worker once at most.",
                );
            }
            server.must_still_run_after(gone);
        }
    }

    /// Checks that a program that gets fewer threads than it was asked for ends, and
    /// says so.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn refuses_a_pool_it_cannot_have(&self) {
        const GOES_ON: &str = "an error of spawn() is lost, and the pool has fewer \
                               threads than it was asked for. new() hands it on, \
                               with ?, and main ends.";
        let run = self.try_with_room_for_few_threads(&[
            "127.0.0.1:0",
            "--threads",
            crate::room::TOO_MANY,
        ]);
        // Which of these runs out first, a stack, what Rust adds to it, or memory for
        // one of them, depends on the size of the stacks.
        let inside = [
            "failed to allocate an alternative stack",
            "Fatal glibc error",
            "memory allocation of",
        ];
        if inside.iter().any(|words| run.says(words)) {
            return self.pass_over(
                "its stacks are so small that there's room for them, but not for \
                 what Rust and the C library need in a new thread",
            );
        }
        run.has_ended_by_itself(GOES_ON);
        run.code_is_one_of(&[1, 2], "if new() fails, main says why and ends with 1.");
        run.stderr(
            "say why",
            predicate::str::is_empty().not(),
            "main says on stderr that the pool could not be made, and why.",
        );
    }

    /// Checks that an option is refused if its value isn't a number, or is missing.
    #[track_caller]
    pub fn wants_a_number_for(&self, option: &str) {
        for args in [&[option, "x"][..], &[option, "-1"], &[option]] {
            self.run(args).code(
                2,
                "by convention, exit code 2 means that the command line is wrong.",
            );
        }
    }
}

impl Run {
    /// Checks that a pool of no threads was refused, in words and in time. `why` says
    /// what is likely if the exit code is another one.
    #[track_caller]
    pub fn refuses_a_pool_of_nothing(&self, why: &str) {
        self.code_is_one_of(&[1, 2], why);
        self.stdout(
            "stay without a listening line",
            predicate::str::contains("listening").not(),
            "the pool is made too late: don't tell anyone to come before it's there.",
        );
        self.stderr(
            "say what is wrong",
            predicate::function(|text: &str| {
                let text = text.to_lowercase();
                ["thread", "pool", "usage"]
                    .iter()
                    .any(|word| text.contains(word))
            }),
            "say that a pool needs at least one thread.",
        );
    }
}

/// More threads than a pool has that stops at a number of its own, such as eight or
/// twelve.
fn many_threads() -> usize {
    8 + some_threads()
}
