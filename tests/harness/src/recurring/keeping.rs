//! What a server does with connections that stay open: from chapter 12 on.

use std::time::{Duration, Instant};

use crate::{Check, Likely, Site, get};

impl Check {
    /// Checks that requests that are sent without waiting are answered in order. `lost`
    /// says what is likely if one isn't, `kept` if the answer before half a request
    /// doesn't come.
    #[track_caller]
    pub fn answers_in_order(&self, lost: Likely, kept: &'static str) {
        in_order(self, lost, kept);
    }

    /// Checks that one connection serves one request after the other, those of HEAD
    /// and one whose handler panics among them. `answer` says what is likely if an
    /// answer doesn't come, `head` if one to HEAD has content.
    #[track_caller]
    pub fn serves_one_request_after_the_other(
        &self,
        answer: Likely,
        head: &'static str,
    ) {
        let likely = answer;
        let site = Site::with_a_home();
        let server = self.start_pool(&site, 1);
        let mut client = server.connect();
        let mut soonest = Duration::MAX;
        for visit in 1..=10 {
            let asked = Instant::now();
            client.send(get("/app/visit"));
            let answer = client.answer(likely);
            soonest = soonest.min(asked.elapsed());
            client.expect_status(
                &answer,
                &[200],
                "each request is one like any other.",
            );
            client.expect_body(
                &answer,
                format!("{visit}\n").as_bytes(),
                "this is another answer.",
            );
            if answer.closes() {
                self.fail(
                    "The answer says \"Connection: close\", which the client had not \
                     asked for.",
                    "HTTP/1.1 connections persist unless one side has a reason to \
                     end them.",
                );
            }
        }
        // A busy machine is slow, but not ten times in the same way.
        if soonest > Duration::from_millis(90) {
            self.fail(
                format!(
                    "Each of ten answers took {} ms or longer.",
                    soonest.as_millis()
                ),
                "answers are sent once the server has waited for more: send what is \
                 finished before each read that may wait, not after it.",
            );
        }
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.answer_to_head(likely);
        client.send(get("/"));
        let answer = client.answer(likely);
        client.expect_body(
            &answer,
            b"home",
            "the answer to HEAD before it had content.",
        );
        client.send("HEAD /app/panic HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = client.answer_to_head(likely);
        client.expect_status(
            &answer,
            &[500],
            "a handler that panics is answered with 500.",
        );
        if answer.closes() {
            client.expect_end(Likely::always(head));
        } else {
            client.send(get("/"));
            let answer = client.answer(Likely {
                differs: head,
                ..likely
            });
            client.expect_body(&answer, b"home", head);
        }
    }

    /// Checks that a server that is told to stop sends the answers that it owes, and
    /// says in the last one that it is the last. `same` says why it might not, `last`
    /// why it might not say so.
    #[cfg(unix)]
    #[track_caller]
    pub fn stops_though_connections_stay(
        &self,
        answer: Likely,
        same: &'static str,
        last: &'static str,
    ) {
        let likely = answer;
        let site = Site::with_a_home();
        // Neither the end of the grace nor that of the patience may end it.
        let root = site.arg();
        let mut args = vec!["--root", &root, "--threads", "3"];
        args.extend(["--grace", "60000", "--patience", "60000"]);
        let mut server = self.start(&args);
        let mut idle = server.ask("/");
        idle.answer(likely);

        // The server is in the middle of an answer while it learns that it has to
        // stop, and has read two other requests already.
        site.large_file("large", 16 << 20, b"the end");
        let mut running = server.connect();
        running.send(get("/large") + &get("/").repeat(2));
        running.read_some(1);
        let mut of_1_0 = server.connect();
        let asks_to_stay = " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
        of_1_0.send(format!("GET /large{asks_to_stay}GET /{asks_to_stay}"));
        of_1_0.read_some(1);
        server.signal("TERM");
        server.must_refuse(same);
        running.answer(Likely::always(same));
        let owed = Likely {
            closed: "requests that have been read before stopping began are \
                     answered, all of them (chapter 11): has_more() tells whether \
                     there is another one.",
            ..Likely::always(same)
        };
        running.answer(owed);
        let answer = running.answer(owed);
        running.expect_body(&answer, b"home", same);
        let by_hand = |request: &str| {
            let sends = crate::printf(request.as_bytes());
            format!(
                "{sends} | nc 127.0.0.1 {{port}} & \
                 sleep 0.2; kill -TERM $(pgrep -n {{package}})"
            )
        };
        if !answer.closes() {
            self.clone()
                .by_hand(&by_hand(&get("/app/wait/1000")))
                .fail("The last answer does not say \"Connection: close\".", last);
        }
        let keeps = |answer: &crate::Answer| {
            let value = answer.field("connection");
            value.is_some_and(|value| value.eq_ignore_ascii_case("keep-alive"))
        };
        let answer = of_1_0.answer(Likely::always(same));
        if keeps(&answer) && keeps(&of_1_0.answer(Likely::always(same))) {
            self.clone()
                .by_hand(&by_hand(&format!("GET /app/wait/1000{asks_to_stay}")))
                .fail(
                    "The last answer says \"Connection: keep-alive\" to a client \
                     that speaks HTTP/1.0, and the connection ends.",
                    last,
                );
        }
        server.must_end(0, same);
    }
}

#[track_caller]
fn in_order(check: &Check, lost: Likely, kept: &'static str) {
    let site = Site::with_a_home();
    site.large_file("large", 300_000, b"the end");
    let server = check.start_pool(&site, 1);
    let mut client = server.connect();
    let mut requests = String::new();
    for _ in 0..50 {
        requests += &(get("/app/visit") + &get("/large"));
    }
    client.send(&requests);
    for visit in 1..=50 {
        let answer = client.answer(lost);
        client.expect_body(
            &answer,
            format!("{visit}\n").as_bytes(),
            "the answers are out of order.",
        );
        let answer = client.answer(lost);
        if answer.body().len() != 300_000 {
            check.fail(
                "A large file between small answers came in part.",
                lost.differs,
            );
        }
    }
    // A whole request, and the beginning of the next one.
    let (first, rest) = (get("/"), get("/app/visit"));
    let (half, rest) = rest.split_at(9);
    client.send(first + half);
    let answer = client.answer(Likely {
        silent: kept,
        ..lost
    });
    client.expect_body(&answer, b"home", lost.silent);
    client.send(rest);
    let answer = client.answer(lost);
    client.expect_body(&answer, b"51\n", lost.silent);
}
