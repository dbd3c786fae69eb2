//! How long a server waits for a client, and what else it outlives: from chapter 10
//! on.

use std::thread;
use std::time::{Duration, Instant};

use crate::{Check, DEADLINE, Likely, Program, Site, get};

impl Check {
    /// Checks that a client that stops in the middle of a head is told so. `forever` says
    /// what is likely if it isn't, `untold` if its connection ends instead, and `other`
    /// if it's told something else.
    #[track_caller]
    pub fn refuses_half_a_head(
        &self,
        forever: &'static str,
        untold: &'static str,
        other: &'static str,
    ) {
        refuses_half_a_head(self, forever, untold, other);
    }

    /// Checks that a head has one deadline, whatever comes of it. `each` says what is
    /// likely if a byte now and then keeps it alive, `empty` if empty lines do.
    #[track_caller]
    pub fn refuses_a_head_that_trickles(
        &self,
        each: &'static str,
        empty: &'static str,
    ) {
        refuses_a_head_that_trickles(self, each, empty);
    }

    /// Checks that the deadlines are for the client, not for the handler. `one_for_all`
    /// says what is likely if there is one for a whole conversation, `next_head` if the
    /// next head's begins too early, which `section` explains.
    #[track_caller]
    pub fn lets_handlers_take_their_time(
        &self,
        one_for_all: &'static str,
        next_head: &'static str,
        section: &str,
    ) {
        lets_handlers_take_their_time(self, one_for_all, next_head, section);
    }

    /// Checks that a client that reads slowly, but steadily, gets all of a large file.
    #[track_caller]
    pub fn serves_a_steady_reader(&self, steady: &'static str) {
        serves_a_steady_reader(self, steady);
    }

    /// Checks that a client that doesn't read its answer keeps nobody else waiting.
    #[track_caller]
    pub fn gives_up_on_one_that_does_not_read(&self, forever: &'static str) {
        gives_up_on_one_that_does_not_read(self, forever);
    }

    /// Checks that a server that has no descriptor left waits for one. `spins` says what
    /// is likely if it doesn't rest meanwhile, `ended` if it serves no one afterwards,
    /// and `paused` if it's slow afterwards.
    #[track_caller]
    #[cfg(unix)]
    pub fn waits_for_descriptors(
        &self,
        spins: &'static str,
        ended: &'static str,
        paused: &'static str,
    ) {
        waits_for_descriptors(self, spins, ended, paused);
    }
}

/// Starts a server that waits this many milliseconds for a client, and no longer.
#[track_caller]
fn start(check: &Check, site: &Site, threads: usize, patience: u32) -> Program {
    let (threads, patience) = (threads.to_string(), patience.to_string());
    let args = ["--threads", &threads, "--patience", &patience];
    check.start(&[&["--root", &site.arg()], &args[..]].concat())
}

#[track_caller]
fn refuses_half_a_head(
    check: &Check,
    forever: &'static str,
    untold: &'static str,
    other: &'static str,
) {
    let site = Site::with_a_home();
    let server = start(check, &site, 2, 100);
    let (mut half, _) = server.ask_half("/");
    let mut silent = server.connect();
    let answer = half.answer(Likely {
        silent: forever,
        ..Likely::always(untold)
    });
    half.expect_status(&answer, &[408], other);
    half.hang_up();
    // The second one has sent nothing: it may be told so or not.
    if !silent.ends_at_once() {
        let answer = silent.answer(Likely::always(forever));
        silent.expect_status(&answer, &[408], other);
    }
}

#[track_caller]
fn refuses_a_head_that_trickles(
    check: &Check,
    each: &'static str,
    empty: &'static str,
) {
    let site = Site::with_a_home();
    let patience = Duration::from_millis(150);
    let server = start(check, &site, 1, 150);
    for (first, again, likely) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nX: ", "x", each),
        ("\r\n", "\r\n", empty),
    ] {
        let mut client = server.connect();
        for _ in 0..10 {
            client.send(first);
            let Some(silence) =
                client.trickle(again.as_bytes(), Duration::from_millis(10))
            else {
                check.fail(
                    format!(
                        "The client sent a little every 10 ms for {} s, and was \
                         never refused.",
                        DEADLINE.as_secs()
                    ),
                    likely,
                );
            };
            // On a busy machine the client itself may have paused for too long: that
            // proves nothing.
            if silence < patience {
                break;
            }
            client.hang_up();
            client = server.connect();
        }
        if again == "x" {
            let answer = client.answer(Likely::always(likely));
            client.expect_status(&answer, &[408], likely);
        } else {
            // Nothing was asked: to close, in whatever way, is as good as to say so.
            let all = client.read_to_end(Likely::always(likely));
            if !all.is_empty() && !all.starts_with(b"HTTP/1.1 408") {
                check.fail(
                    "Nothing but empty lines came, and the answer is not 408.",
                    likely,
                );
            }
        }
        client.hang_up();
    }
    server.ask("/").must_get(200, "home", each);
}

#[track_caller]
fn lets_handlers_take_their_time(
    check: &Check,
    one_for_all: &'static str,
    next_head: &'static str,
    section: &str,
) {
    let site = Site::with_a_home();
    let server = start(check, &site, 2, 400);
    let waits = server.ask("/app/wait/500");
    let mut two = server.connect();
    let second = get("/app/visit");
    let (begin, rest) = second.split_at(8);
    two.send(get("/app/wait/500") + begin);
    let answer = two.answer(Likely::always(one_for_all));
    two.expect_status(&answer, &[200], one_for_all);
    two.read(section).send(rest);
    two.must_get(200, "1\n", next_head);
    waits.must_get(200, "waited 500 ms\n", one_for_all);
}

#[track_caller]
fn serves_a_steady_reader(check: &Check, steady: &'static str) {
    let site = Site::with_a_home();
    const LEN: usize = 16 << 20;
    site.large_file("large", LEN as u64, b"end");
    let server = start(check, &site, 2, 300);
    // On a busy machine client or server may pause for too long: one time in five
    // must be enough.
    for _ in 0..5 {
        let mut slow = server.connect();
        slow.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let begin = Instant::now();
        let mut read = 0;
        while begin.elapsed() < Duration::from_millis(450) {
            // What it has missed it makes good: its pace is the same on a busy
            // machine.
            let due = begin.elapsed().as_millis() as usize * 2000;
            read = slow.read_some(due.saturating_sub(read)).len();
            thread::sleep(Duration::from_millis(5));
        }
        let got = slow.read_to_end(Likely::always(steady));
        if got.len() > LEN && got.ends_with(b"end") {
            return;
        }
    }
    check.fail(
        "A client that read 2 MB a second was cut off five times, by a server that \
         gives 64 KiB 300 ms.",
        steady,
    );
}

#[track_caller]
fn gives_up_on_one_that_does_not_read(check: &Check, forever: &'static str) {
    let site = Site::with_a_home();
    site.large_file("large", 64 << 20, b"end");
    let server = start(check, &site, 1, 100);
    let mut greedy = server.ask("/large");
    greedy.read_some(1);
    server.ask("/").must_get(200, "home", forever);
    greedy.hang_up();
}

#[cfg(unix)]
#[track_caller]
fn waits_for_descriptors(
    check: &Check,
    spins: &'static str,
    ended: &'static str,
    paused: &'static str,
) {
    let site = Site::with_a_home();
    let server =
        check.start_with_few_files(16, &["--root", &site.arg(), "--threads", "2"]);
    check.step("connect 40 times");
    let clients: Vec<_> = (0..40)
        .map_while(|_| std::net::TcpStream::connect(server.addr()).ok())
        .collect();
    if let Some(used) = server.spins(Duration::from_millis(150)) {
        check.fail(
            format!(
                "While it could accept nobody, the program was busy all the time: \
                 {used:?} of a core."
            ),
            spins,
        );
    }
    server.must_still_run_after(ended);
    drop(clients);
    server.ask("/").must_get(200, "home", ended);
    server.must_still_run_after(ended);
    // On a busy machine an answer may take longer than a pause, but not each of so
    // many.
    let until = Instant::now() + DEADLINE;
    loop {
        let takes_long = |_: &usize| {
            let begin = Instant::now();
            server.ask("/").must_get(200, "home", ended);
            begin.elapsed() > Duration::from_millis(8)
        };
        let late = (0..20).filter(takes_long).count();
        if late <= 10 {
            break;
        }
        if Instant::now() > until {
            check.fail(
                format!(
                    "{late} of 20 requests, one after the other, took more than 8 ms \
                     each."
                ),
                paused,
            );
        }
    }
}
