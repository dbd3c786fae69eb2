//! Servers with a pool of threads: what the milestones from chapter 07 on check again
//! and again.
//!
//! A milestone says what is likely where the same mistake means something else in its
//! chapter.

use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use predicates::prelude::*;

use crate::{Check, Client, DEADLINE, Likely, Program, Random, Run, Site, get};

/// Why a server with a pool prints no line.
const NO_LINE: &str = "main prints its line after ThreadPool::new() has returned. Does new() wait? \
                       join() waits until a thread has ended, and recv() until something is sent: what \
                       a worker waits for, it must wait for in its own thread. Or the line itself is \
                       missing, goes to stderr (eprintln!), or stands after the loop that accepts \
                       connections.";
/// Why a client that goes on is not answered.
const GOES_ON: &str = "the rest of its request has come at last.";

/// A number of threads that no program can know beforehand, and more than it takes by
/// default.
///
/// It is the same for all checks of a run: a check must not fail where the one that
/// it rests on has passed with another number.
pub fn some_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| 5 + Random::default().below(3))
}

impl Check {
    /// Starts the program with this site and so many threads.
    #[track_caller]
    pub fn start_pool(&self, site: &Site, threads: usize) -> Program {
        self.start_command(
            Command::new(self.exe()),
            Stdio::null(),
            &["--root", &site.arg(), "--threads", &threads.to_string()],
            NO_LINE,
        )
    }

    /// Checks that clients get a file, one after the other. `answer` says what is
    /// likely where none comes, `other` where it is not the file.
    #[track_caller]
    pub fn still_serves_files(&self, answer: Likely, other: &str) {
        let site = Site::with_a_home();
        let server = self.start_pool(&site, 2);
        for _ in 0..5 {
            let mut client = server.ask("/");
            let home = client.answer(answer);
            client.expect_status(&home, &[200], other);
            client.expect_body(&home, b"home", other);
            client.hang_up();
        }
    }

    /// Checks that while N threads wait for their clients, one client more waits too,
    /// and that all are served in the end.
    #[track_caller]
    pub fn serves_no_more_than_threads(
        &self,
        more: &'static str,
        served: &'static str,
    ) {
        let site = Site::with_a_home();
        let threads = some_threads();
        let server = self.start_pool(&site, threads);
        let busy = server.ask_halves(threads);
        let mut one_more = server.ask("/");
        server.comes_to_rest();
        one_more.expect_nothing_yet(more);
        for (mut client, rest) in busy {
            client.send(rest);
            client.must_get(200, "home", GOES_ON);
        }
        one_more.must_get(200, "home", served);
    }

    /// Checks that while all threads but one are held up, nobody waits.
    #[track_caller]
    pub fn serves_all_while_one_thread_is_free(&self, held_up: &'static str) {
        let site = Site::with_a_home();
        let threads = some_threads();
        let server = self.start_pool(&site, threads);
        // The first one says nothing at all: nobody may wait for its first byte
        // either.
        let mut stalled = vec![(server.connect(), get("/"))];
        let mut one_more = server.ask("/");
        if !one_more.is_read_within(DEADLINE) {
            self.fail(
                "A client has connected and says nothing, and nobody reads from the next one.",
                "the thread that accepts waits for what the first client says: everything that can \
                 wait for a client belongs into the job. Or the second client's job waits behind \
                 the first one's, although other workers are free.",
            );
        }
        one_more.must_get(200, "home", held_up);
        stalled.extend(server.ask_halves(threads - 2));
        for _ in 0..20 {
            server.ask("/").must_get(200, "home", held_up);
        }
        for (mut client, rest) in stalled.into_iter().rev() {
            client.send(rest);
            client.must_get(200, "home", GOES_ON);
        }
    }

    /// Checks that of clients who wait for the only thread, who came first is served
    /// first.
    #[track_caller]
    pub fn serves_in_order(&self) {
        let site = Site::with_a_home();
        let server = self.start_pool(&site, 1);
        let (mut stalled, rest) = server.ask_half("/");
        let clients = server.ask_often(12, "/app/visit");
        // Now all of them wait, wherever this program lets its clients wait.
        server.comes_to_rest();
        stalled.send(rest);
        stalled.must_get(200, "home", GOES_ON);
        for (before, client) in clients.into_iter().enumerate() {
            client.must_get(
                200,
                &format!("{}\n", before + 1),
                "the app counts visits, and the clients came in the order 1, 2, 3. Is a job lost \
                 where the queue is full? Is the newest one taken first, as from a stack? A queue \
                 is first in, first out.",
            );
        }
    }

    /// Checks that all threads are there before the first job, and that jobs make no
    /// other.
    #[track_caller]
    pub fn makes_its_threads_once(&self, served: &'static str) {
        let site = Site::with_a_home();
        // More than a pool has that stops at some number of its own, of eight or
        // twelve.
        let threads = 8 + some_threads();
        let server = self.start_pool(&site, threads);
        server.ask("/").must_get(200, "home", served);
        server.comes_to_rest();
        let Some(idle) = server.threads() else {
            return self
                .pass_over("only Linux tells here how many threads a program has");
        };
        if idle < threads {
            self.fail(
                format!(
                    "Nobody is being served, and with --threads {threads} there are {idle} threads."
                ),
                "the pool makes its threads in new(), all that it was asked for, and they stay. They \
                 are not made when a job comes.",
            );
        }
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
                format!("Without clients there were {idle} threads, and with them {with_clients}."),
                "neither execute() nor a worker makes a thread: the job is handed to one that is \
                 there, which runs it itself.",
            );
        }
    }

    /// Checks that a pool that waits for jobs uses no processor time.
    #[track_caller]
    pub fn rests_without_jobs(&self, served: &'static str) {
        let site = Site::with_a_home();
        let server = self.start_pool(&site, some_threads());
        server.ask("/").must_get(200, "home", served);
        if let Some(used) = server.spins(Duration::from_millis(200)) {
            self.fail(
                format!("Without a client, the program used {used:?} of processor time."),
                "a worker asks again and again whether there is a job, as with try_recv() in a \
                 loop. recv() waits: the system wakes the thread when there is one.",
            );
        }
        const SPAN: Duration = Duration::from_millis(200);
        server.comes_to_rest();
        // A thread that waits for something is woken by it, and here nothing happens.
        if let Some(wakes @ 5..) = server.wakes(SPAN) {
            self.fail(
                format!("Without a client, its threads woke up {wakes} times in {SPAN:?}."),
                "a worker sleeps a little, asks whether there is a job, and sleeps again, as with \
                 try_recv() and sleep(), or with recv_timeout() in a loop. recv() needs no clock: the \
                 system wakes the thread when there is a job.",
            );
        }
    }

    /// Checks that the program goes on where a job has panicked and its worker may
    /// have ended, by sending more such jobs to that worker. For pools that deal
    /// their jobs out in turn: what becomes of these jobs is free, as is what becomes
    /// of the worker.
    #[track_caller]
    pub fn outlives_jobs_that_panic(&self, gone: &'static str, served: &'static str) {
        let site = Site::with_a_home();
        let server = self.start_pool(&site, 2);
        server.ask("/app/panic").read_to_end(Likely::always(served));
        server.comes_to_rest();
        let mut clients = Vec::new();
        for _ in 0..3 {
            // The other worker's turn, and then that of the one that may have ended.
            clients.push(server.ask("/"));
            clients.push(server.ask("/app/panic"));
            if !server.comes_to_rest() {
                self.fail(
                    "Jobs have panicked, and the program does not come to rest.",
                    "a job that cannot be sent is sent again and again. A worker that has ended never \
                     takes one: let the job be dropped, or give it to each other worker once at most.",
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
        const GOES_ON: &str = "an error of spawn() is lost, and the pool has fewer threads than it was \
                               asked for. new() hands it on, with ?, and main ends.";
        let run = self.run_with_room_for_few_threads(
            &["127.0.0.1:0", "--threads", "500"],
            GOES_ON,
        );
        run.code_is_one_of(
            &[1, 2],
            "where new() fails, main says why and ends with 1.",
        );
        run.stderr(
            "say why",
            predicate::str::is_empty().not(),
            "main says on stderr that the pool could not be made, and why.",
        );
    }

    /// Checks that clients who leave without a word, or in the middle of their
    /// answer, take no thread away.
    #[track_caller]
    pub fn keeps_its_threads_when_clients_leave(&self, left: &'static str) {
        let site = Site::with_a_home();
        site.large_file("large", 10 << 20, b"end");
        let threads = some_threads();
        let server = self.start_pool(&site, threads);
        // Whether jobs go round or to whom is free, each thread has one of these.
        for _ in 0..threads {
            server.ask("/large").reset();
        }
        for _ in 0..threads {
            server.connect();
        }
        server.must_meet(threads, left);
    }

    /// Checks that an option is refused whose value is no number, or that has none.
    #[track_caller]
    pub fn wants_a_number_for(&self, option: &str) {
        for args in [&[option, "x"][..], &[option, "-1"], &[option]] {
            self.run(args).code(
                2,
                "by convention, exit code 2 means that the command line is wrong.",
            );
        }
    }

    /// Checks that reqwest gets what a raw client gets, and that requests are still
    /// read strictly.
    #[track_caller]
    pub fn serves_a_real_client(&self) {
        let site = Site::with_a_home();
        let server = self.start_pool(&site, 2);
        let fetched = server.get("/");
        if fetched.status != 200 || fetched.body != b"home" {
            self.fail(
                "reqwest got another answer than the raw client.",
                "see the earlier checks.",
            );
        }
        let mut client = server.connect();
        client.send("GET / HTTP/1.1\r\n\r\n");
        let answer = client.answer(Likely::default());
        client.expect_status(
            &answer,
            &[400],
            "chapter 04's parser still refuses what it refused.",
        );
    }
}

impl Run {
    /// Checks that a pool of no threads was refused, in words and in time. `why` says
    /// what is likely where the exit code is another one.
    #[track_caller]
    pub fn refuses_a_pool_of_nothing(&self, why: &str) {
        self.code_is_one_of(&[1, 2], why);
        self.stdout(
            "stay without a listening line",
            predicate::str::contains("listening").not(),
            "the pool is made too late: nobody may be told to come before it is there.",
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

impl Program {
    /// Has so many handlers meet: all of them must run at once.
    #[track_caller]
    pub fn must_meet(&self, size: usize, likely: &'static str) {
        let clients = self.ask_often(size, &format!("/app/meet/{size}/3000"));
        for client in clients.into_iter().rev() {
            client.must_get(200, &format!("{size} met\n"), likely);
        }
    }

    /// Has so many handlers try to meet, who must not: so many must never run at
    /// once.
    #[track_caller]
    pub fn must_not_meet(&self, size: usize, likely: &'static str) {
        let clients = self.ask_often(size, &format!("/app/meet/{size}/150"));
        // Where the others met nobody, the last one would only wait alone, once more
        // as long.
        for client in clients.into_iter().take(size - 1) {
            client.must_get(503, &format!("fewer than {size} came\n"), likely);
        }
    }

    // Loops, because a report names the line of whoever called, and closures hide
    // that.

    #[track_caller]
    fn ask_often(&self, count: usize, target: &str) -> Vec<Client> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(self.ask(target));
        }
        clients
    }

    #[track_caller]
    fn ask_halves(&self, count: usize) -> Vec<(Client, String)> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(self.ask_half("/"));
        }
        clients
    }
}
