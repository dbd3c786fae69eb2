//! Whom a pool of threads serves, when, and in which order.

use std::process::Command;

use crate::{Check, DEADLINE, Likely, Program, Site, get, some_threads};

/// Why a server with a pool prints no line.
const NO_LINE: &str = "main prints its line after ThreadPool::new() has returned. \
                       Does new() wait? join() waits until a thread has ended, and \
                       recv() until something is sent: a worker must wait in its own \
                       thread for whatever it waits for. Or the line itself is \
                       missing, goes to stderr (eprintln!), or comes after the loop \
                       that accepts connections.";
/// Why a client that goes on isn't answered.
const GOES_ON: &str = "the rest of this request has arrived by now: does its \
                       worker read on, and answer?";

impl Check {
    /// Starts the program with this site and this many threads.
    #[track_caller]
    pub fn start_pool(&self, site: &Site, threads: usize) -> Program {
        self.start_command(
            Command::new(self.exe()),
            &["--root", &site.arg(), "--threads", &threads.to_string()],
            NO_LINE,
        )
    }

    /// Checks that clients get a file, one after the other. `answer` says what is
    /// likely if none comes, `other` if it isn't the file.
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

    /// Checks that no one waits while all threads but one are held up.
    #[track_caller]
    pub fn serves_all_while_one_thread_is_free(&self, held_up: &'static str) {
        let site = Site::with_a_home();
        let threads = some_threads();
        let server = self.start_pool(&site, threads);
        // The first one says nothing at all: nothing may wait for its first byte
        // either.
        let mut stalled = vec![(server.connect(), get("/"))];
        let mut one_more = server.ask("/");
        if !one_more.is_read_within(DEADLINE) {
            self.fail(
                "A client has connected and says nothing, and nothing reads from the \
                 next one.",
                "the thread that accepts waits for what the first client says: \
                 everything that can wait for a client belongs in the job. Or the \
                 second client's job waits for the first one to end, although other \
                 workers are free.",
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

    /// Checks that the clients that wait for the only thread are served in the order
    /// in which they came.
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
                "the app counts visits, and the clients came in the order 1, 2, 3. \
                 Is a job lost where the queue is full? Is the newest one taken \
                 first, as from a stack? A queue is first in, first out.",
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
