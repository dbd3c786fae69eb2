//! How a server stops: from chapter 11 on.

use std::time::Duration;

use crate::{Check, Client, Likely, Program, Site};

impl Check {
    /// Checks that requests that are being handled are answered before the end. `cut`
    /// says what is likely if they aren't, `pipelined` if one isn't that came with
    /// another.
    #[track_caller]
    pub fn answers_what_is_running(
        &self,
        cut: &'static str,
        pipelined: &'static str,
    ) {
        answers_what_is_running(self, cut, pipelined);
    }

    /// Checks that clients that have sent nothing, or half a request, don't delay the
    /// end. `delayed` says what is likely if they do, `told` if half a request isn't
    /// refused, and `left` if the server gives up on its clients.
    #[track_caller]
    pub fn does_not_wait_for_the_idle(
        &self,
        delayed: &'static str,
        told: &'static str,
        left: &'static str,
    ) {
        does_not_wait_for_the_idle(self, delayed, told, left);
    }

    /// Checks that a second signal ends the program at once. `waits` says what is likely
    /// if it doesn't, `succeeds` if the exit code is 0.
    #[track_caller]
    pub fn ends_at_a_second_signal(
        &self,
        waits: &'static str,
        succeeds: &'static str,
    ) {
        ends_at_a_second_signal(self, waits, succeeds);
    }

    /// Checks that clients are answered that the kernel has connected, and that nobody has
    /// accepted yet, when the server is asked to stop. `spins` says what is likely if it
    /// doesn't rest while it can accept nobody, `forgotten` if they aren't answered.
    #[track_caller]
    pub fn takes_who_is_connected(
        &self,
        spins: &'static str,
        forgotten: &'static str,
    ) {
        takes_who_is_connected(self, spins, forgotten);
    }
}

#[track_caller]
fn answers_what_is_running(
    check: &Check,
    cut: &'static str,
    pipelined: &'static str,
) {
    let site = with_much();
    let mut server = check.start_pool(&site, 3);
    let readers: Vec<_> = (0..2).map(|_| ask_for_much(&server)).collect();
    // Longer than anyone might wait by default, and much shorter than --grace.
    let mut waiting = server.connect();
    let second = format!(
        "GET /app/visit HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(6000)
    );
    waiting.send(crate::get("/app/wait/1200") + &second);
    server.comes_to_rest();
    stop(&server);
    let answer = waiting.answer(Likely::always(cut));
    waiting.expect_status(&answer, &[200], cut);
    waiting.expect_body(&answer, b"waited 1200 ms\n", cut);
    waiting.must_get(200, "1\n", pipelined);
    for reader in readers {
        reader.must_get(200, &much(), cut);
    }
    server.must_end(0, cut);
}

#[track_caller]
fn does_not_wait_for_the_idle(
    check: &Check,
    delayed: &'static str,
    told: &'static str,
    left: &'static str,
) {
    let site = Site::with_a_home();
    let args = ["--threads", "2", "--grace", "2500"];
    let mut server = check.start(&[&["--root", &site.arg()], &args[..]].concat());
    let half: Vec<_> = (0..2).map(|_| server.ask_half("/").0).collect();
    let idle: Vec<_> = (0..80).map(|_| server.connect()).collect();
    server.signal("TERM");
    server.must_end(0, delayed);
    for mut client in half {
        if !client.is_turned_away() {
            let answer = client.answer(Likely::always(told));
            client.expect_status(&answer, &[408], told);
        }
    }
    server.must_have_said_nothing(left);
    drop(idle);
}

#[track_caller]
fn ends_at_a_second_signal(
    check: &Check,
    waits: &'static str,
    succeeds: &'static str,
) {
    let site = Site::with_a_home();
    let mut server = check.start_pool(&site, 2);
    let mut client = server.ask("/app/wait/10000");
    client.until_read();
    server.signal("INT");
    server.must_refuse("after the first signal the listener must be closed.");
    client.expect_nothing_yet("one signal is no reason to cut an answer off.");
    server.signal("INT");
    server.must_end_without_success(waits, succeeds);
}

#[track_caller]
fn takes_who_is_connected(
    check: &Check,
    spins: &'static str,
    forgotten: &'static str,
) {
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--threads", "2"];
    let mut server = check.start_with_few_files(30, &args);
    // Two clients hold the workers, and others come until the server has no
    // descriptor left for them. So the last ones cannot have been accepted when the
    // signal comes.
    let half: Vec<_> = (0..2).map(|_| server.ask_half("/")).collect();
    let waiting: Vec<_> = (0..50).map(|_| server.ask("/app/visit")).collect();
    if let Some(used) = server.spins(Duration::from_millis(150)) {
        check.fail(
            format!(
                "While it could accept nobody, the program was busy: {used:?} of a \
                 core."
            ),
            spins,
        );
    }
    server.signal("TERM");
    let visits = waiting.into_iter().map(|client| client.visit(forgotten));
    check.visits_once(visits.collect());
    server.must_end(0, forgotten);
    drop(half);
}

/// What does not fit into the kernel's buffers: a worker that sends it works for as
/// long as the client does not read.
fn much() -> String {
    "so much!\n".repeat(1_000_000)
}

fn with_much() -> Site {
    let site = Site::with_a_home();
    site.file("much.txt", much());
    site
}

#[track_caller]
fn ask_for_much(server: &Program) -> Client {
    let mut client = server.ask("/much.txt");
    client.until_read();
    client
}

/// Asks the program to stop, and waits until it has done all it can while clients do
/// not read.
#[track_caller]
fn stop(server: &Program) {
    server.signal("TERM");
    server.must_refuse("after the signal the listener must be closed.");
    server.comes_to_rest();
}
