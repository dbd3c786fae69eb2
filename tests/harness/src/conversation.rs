//! Whole exchanges: what the milestones of the servers with many clients say over and
//! over.

use crate::{Client, Likely, Program, Site};

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
    /// Connects, sends a GET request, and does not wait for the answer.
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
