//! Whole exchanges: a request, and the answer that must come.

use std::time::Instant;

use crate::{Check, Client, Likely, Program, Site};

/// A GET request for this target, in good form.
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

impl Site {
    /// A site whose home page is the word `home`.
    pub fn with_a_home() -> Site {
        let site = Site::new();
        site.file("index.html", "home");
        site
    }
}

impl Program {
    /// Connects, sends a GET request, and doesn't wait for the answer.
    #[track_caller]
    pub fn ask(&self, target: &str) -> Client {
        let mut client = self.connect();
        client.send(get(target));
        client
    }

    /// Connects and sends only the first bytes of a GET request; returns the others
    /// with the client. Waits until the program has read the first ones.
    #[track_caller]
    pub fn ask_half(&self, target: &str) -> (Client, String) {
        let mut client = self.connect();
        let mut first = get(target);
        let rest = first.split_off(8);
        client.send(first).until_read();
        (client, rest)
    }
}

impl Client {
    /// Reads the answer, which must have this status and this content, and hangs up.
    #[track_caller]
    pub fn must_get(mut self, status: u16, body: &str, likely: &'static str) {
        let answer = self.answer(Likely::always(likely));
        self.expect_status(&answer, &[status], likely);
        self.expect_body(&answer, body.as_bytes(), likely);
        self.hang_up();
    }
}

impl Program {
    /// Has this many handlers meet: all of them must run at once.
    #[track_caller]
    pub fn must_meet(&self, size: usize, likely: &'static str) {
        let clients = self.ask_often(size, &format!("/app/meet/{size}/3000"));
        for mut client in clients {
            let answer = client.answer(Likely::always(likely));
            if answer.status() == 503 {
                self.check().fail(
                    format!("{size} handlers wait for each other, and never meet."),
                    likely,
                );
            }
            client.expect_status(&answer, &[200], likely);
            client.expect_body(&answer, format!("{size} met\n").as_bytes(), likely);
            client.hang_up();
        }
    }

    /// Has this many handlers try to meet, in vain: that many must never run at once.
    #[track_caller]
    pub fn must_not_meet(&self, size: usize, likely: &'static str) {
        // How long they wait for each other, in milliseconds.
        let mut wait = 150;
        loop {
            let begin = Instant::now();
            let clients = self.ask_often(size, &format!("/app/meet/{size}/{wait}"));
            self.comes_to_rest();
            let begun = begin.elapsed();
            // If the others met no one, the last one would only wait alone, as long
            // again.
            for client in clients.into_iter().take(size - 1) {
                client.must_get(503, &format!("fewer than {size} came\n"), likely);
            }
            // That says something only if all that run at once began in time: on a
            // busy machine they need more.
            if begun.as_millis() < wait / 2 || wait > 1000 {
                break;
            }
            wait *= 3;
        }
    }

    /// Connects this many clients that each ask for the same.
    // A loop, because a report names the line of the caller, and a closure hides
    // that.
    #[track_caller]
    pub fn ask_often(&self, count: usize, target: &str) -> Vec<Client> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(self.ask(target));
        }
        clients
    }

    /// Connects this many clients that stop in the middle of a request.
    #[track_caller]
    pub(crate) fn ask_halves(&self, count: usize) -> Vec<(Client, String)> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(self.ask_half("/"));
        }
        clients
    }
}

impl Client {
    /// Reads the answer to `/app/visit`, which is a number, and hangs up.
    #[track_caller]
    pub fn visit(mut self, likely: &'static str) -> u32 {
        let answer = self.answer(Likely::always(likely));
        self.expect_status(&answer, &[200], likely);
        self.hang_up();
        let body = String::from_utf8_lossy(answer.body());
        body.trim().parse().unwrap_or(0)
    }
}

impl Check {
    /// Checks that the visits of this many clients are numbered without a gap.
    #[track_caller]
    pub fn visits_once(&self, mut visits: Vec<u32>) {
        visits.sort_unstable();
        if visits != Vec::from_iter(1..=visits.len() as u32) {
            self.fail(
                format!(
                    "The visits were counted as {visits:?}, not once each from 1 on."
                ),
                "a request was handled more than once, or not at all.",
            );
        }
    }
}
