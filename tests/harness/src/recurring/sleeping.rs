//! A thread that sleeps until the kernel has something for it: from chapter 17 on.

use std::time::Duration;

use crate::{Check, Likely, Program, Site, get};

/// How long a program is watched that should have nothing to do.
const WHILE: Duration = Duration::from_millis(60);

/// What is likely where idle connections cost something.
pub struct IdleHints {
    /// The usual reasons why an answer doesn't come.
    pub usual: Likely,
    /// The program is busy.
    pub spins: &'static str,
    /// It wakes up now and then, which this section explains.
    pub tick: (&'static str, &'static str),
    /// Connections keep their buffers, which this section explains.
    pub buffers: (&'static str, &'static str),
}

/// What is likely where something comes while a handler waits.
pub struct InputHints {
    /// Input that's left for later keeps the program busy.
    pub spins: &'static str,
    /// It isn't read later, or the program is busy then.
    pub again: &'static str,
    /// The end of the input keeps the program busy.
    pub half_closed: &'static str,
    /// A client that has closed its sending half gets no answer.
    pub waits: &'static str,
}

/// What is likely where a client reads slowly.
pub struct SlowHints {
    /// Part of an answer isn't sent, or not as it is.
    pub cut: &'static str,
    /// Other clients wait for this one.
    pub meanwhile: &'static str,
    /// A full socket keeps the program busy.
    pub full: &'static str,
    /// The next request isn't read, or the program is busy then.
    pub again: &'static str,
}

impl Program {
    /// Expects the program to use no processor time while nothing happens.
    #[track_caller]
    pub fn must_rest(&self, when: &str, likely: &str) {
        if let Some(used) = self.spins(WHILE) {
            self.check().fail(
                format!(
                    "{when}, and there was nothing to do. The program was busy all the \
                     time: it used {used:.1?} of processor time."
                ),
                likely,
            );
        }
    }

    /// How often handlers that wait have been asked so far, as `/app/polls` counts.
    #[track_caller]
    pub fn polls(&self) -> u64 {
        const COUNTS: &str = "/app/polls answers with a number: how often any handler \
                              that waits has been asked.";
        let mut client = self.ask("/app/polls");
        let answer = client.answer(Likely::always(COUNTS));
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        let Ok(polls) = text.trim_end().parse() else {
            self.check()
                .fail(format!("/app/polls says {text:?}."), COUNTS);
        };
        polls
    }
}

impl Check {
    /// Checks that idle connections cost no processor time, and little memory.
    #[track_caller]
    pub fn sleeps_while_clients_are_idle(&self, hints: &IdleHints) {
        sleeps_while_clients_are_idle(self, hints);
    }

    /// Checks that a deadline ends a wait in which nothing happens: a handler's and
    /// those of clients. `slept` says what is likely if it doesn't.
    #[track_caller]
    pub fn wakes_up_for_deadlines(&self, slept: &'static str) {
        wakes_up_for_deadlines(self, slept);
    }

    /// Checks that meetings are completed by the last to come, in a chain too.
    /// `forgotten` says what is likely if one isn't, `busy` if the program goes on
    /// afterwards.
    #[track_caller]
    pub fn lets_handlers_help_each_other(
        &self,
        forgotten: &'static str,
        busy: &'static str,
    ) {
        lets_handlers_help_each_other(self, forgotten, busy);
    }

    /// Checks that what a client sends while its handler waits is left for later.
    #[track_caller]
    pub fn leaves_input_for_later(&self, hints: &InputHints) {
        leaves_input_for_later(self, hints);
    }

    /// Checks that nothing is left of a client that resets its connection while its
    /// handler waits.
    #[track_caller]
    pub fn notices_a_reset(&self, usual: Likely, stays: &'static str) {
        notices_a_reset(self, usual, stays);
    }

    /// Checks that the news of several clients aren't mixed up that come in one turn.
    #[track_caller]
    #[cfg(unix)]
    pub fn keeps_clients_apart(&self, usual: Likely, mixed: &'static str) {
        keeps_clients_apart(self, usual, mixed);
    }

    /// Checks that a signal that interrupts a wait changes nothing.
    #[track_caller]
    #[cfg(unix)]
    pub fn outlives_interruptions(&self, ended: &'static str) {
        outlives_interruptions(self, ended);
    }

    /// Checks that a client that reads slowly gets all of its answer, and costs no
    /// processor time meanwhile.
    #[track_caller]
    pub fn waits_for_a_slow_reader(&self, hints: &SlowHints) {
        waits_for_a_slow_reader(self, hints);
    }

    /// Checks that a server without descriptors serves those who are in, and rests.
    /// `kept` says what is likely if there's none for a file.
    #[track_caller]
    #[cfg(unix)]
    pub fn rests_without_descriptors(
        &self,
        ended: &'static str,
        kept: &'static str,
        spins: &'static str,
    ) {
        rests_without_descriptors(self, ended, kept, spins);
    }

    /// Checks that clients beyond the limit are told 503, and keep no descriptor.
    #[track_caller]
    pub fn turns_clients_away(&self, same: &'static str, lingers: &'static str) {
        turns_clients_away(self, same, lingers);
    }

    /// Checks that a client's failure, or that of its handler, ends nobody else.
    #[track_caller]
    pub fn outlives_garbage_and_resets(&self, gone: &'static str) {
        outlives_garbage_and_resets(self, gone);
    }

    /// Checks that a server that stops sleeps until its last handler is ready.
    #[track_caller]
    #[cfg(unix)]
    pub fn sleeps_while_it_stops(&self, busy: &'static str, first: &'static str) {
        sleeps_while_it_stops(self, busy, first);
    }
}

#[track_caller]
fn sleeps_while_clients_are_idle(check: &Check, hints: &IdleHints) {
    const CLIENTS: usize = 150;
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    server.ask("/").must_get(200, "home", hints.usual.silent);
    server.comes_to_rest();
    let before = server.allocated_memory();
    let mut idle: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    for client in &mut idle {
        client.send(get("/app/visit"));
    }
    for client in &mut idle {
        client.answer(hints.usual);
    }
    server.must_rest(&format!("{CLIENTS} connections were idle"), hints.spins);
    if let Some(wakes @ 1..) = server.wakes(Duration::from_millis(250)) {
        let (section, likely) = hints.tick;
        check.clone().read(section).fail(
            format!(
                "{CLIENTS} connections were idle, and the program woke up at least \
                 {wakes} times in each quarter of a second."
            ),
            likely,
        );
    }
    // What one read takes is 16 KiB.
    const MUCH: u64 = 4 << 10;
    let each =
        |(before, now): (u64, u64)| now.saturating_sub(before) / CLIENTS as u64;
    if let Some(each @ MUCH..) = before.zip(server.allocated_memory()).map(each) {
        let (section, likely) = hints.buffers;
        check.clone().read(section).fail(
            format!(
                "Each of {CLIENTS} idle connections takes {each} bytes of memory."
            ),
            likely,
        );
    }
}

#[track_caller]
fn wakes_up_for_deadlines(check: &Check, slept: &'static str) {
    let likely = Likely::always(slept);
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--patience", "150"];
    let server = check.start(&args);
    let waits = server.ask("/app/wait/250");
    waits.must_get(200, "waited 250 ms\n", slept);
    let mut silent = server.connect();
    silent.expect_end(likely);
    let (mut half, _) = server.ask_half("/");
    let answer = half.answer(likely);
    half.expect_status(&answer, &[408], slept);
}

#[track_caller]
fn lets_handlers_help_each_other(
    check: &Check,
    forgotten: &'static str,
    busy: &'static str,
) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    server.must_meet(2, forgotten);
    server.must_meet(25, forgotten);
    // One that got on may help those that were asked before it.
    let server = check.start_pool(&site, 1);
    let mut others: Vec<_> = (0..2).map(|_| server.ask("/app/meet/3")).collect();
    for client in &mut others {
        client.until_read();
    }
    let mut chain = server.connect();
    chain.send(get("/app/meet/2") + &get("/app/meet/3"));
    server.comes_to_rest();
    // None of them leaves meanwhile: that would be an event.
    let mut last = server.ask("/app/meet/2");
    let answer = last.answer(Likely::always(forgotten));
    last.expect_body(&answer, b"2 met\n", forgotten);
    for met in ["2 met\n", "3 met\n"] {
        let answer = chain.answer(Likely::always(forgotten));
        chain.expect_body(&answer, met.as_bytes(), forgotten);
    }
    for client in &mut others {
        let answer = client.answer(Likely::always(forgotten));
        client.expect_body(&answer, b"3 met\n", forgotten);
    }
    server.must_rest("All handlers had met", busy);
}

#[track_caller]
fn leaves_input_for_later(check: &Check, hints: &InputHints) {
    let again = Likely::always(hints.again);
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut client = server.ask("/app/meet/2");
    client.until_read();
    server.comes_to_rest();
    client.send(get("/"));
    server.must_rest(
        "A handler was waiting, and its client sent more",
        hints.spins,
    );
    let last = server.ask("/app/meet/2");
    last.must_get(200, "2 met\n", hints.again);
    for body in ["2 met\n", "home"] {
        let answer = client.answer(again);
        client.expect_body(&answer, body.as_bytes(), hints.again);
    }
    server.must_rest("The client had all its answers", hints.again);
    client.send(get("/app/visit"));
    client.must_get(200, "1\n", hints.again);
    // The same with a client that won't send any more. It still wants its answer.
    let mut client = server.ask("/app/meet/2");
    client.until_read().half_close();
    server.must_rest(
        "A handler was waiting, and its client had closed its sending half",
        hints.half_closed,
    );
    let last = server.ask("/app/meet/2");
    last.must_get(200, "2 met\n", hints.waits);
    client.must_get(200, "2 met\n", hints.waits);
}

#[track_caller]
fn notices_a_reset(check: &Check, usual: Likely, stays: &'static str) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    server.ask("/").must_get(200, "home", usual.silent);
    let before = server
        .comes_to_rest()
        .then(|| server.open_files())
        .flatten();
    let mut gone = server.ask("/app/meet/2");
    gone.until_read();
    server.comes_to_rest();
    if gone.tear_down() {
        server.must_rest(
            "A handler was waiting, and its client reset the connection",
            stays,
        );
        if let Some(before) = before {
            server.must_hold_fewer_descriptors_than(before + 1, stays);
        }
    }
    check.gives_seats_back(stays, stays);
}

#[track_caller]
#[cfg(unix)]
fn keeps_clients_apart(check: &Check, usual: Likely, mixed: &'static str) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    for _ in 0..2 {
        let mut waiting: Vec<_> = (0..4).map(|_| server.ask("/app/meet/5")).collect();
        for client in &mut waiting {
            client.until_read();
        }
        let mut leaving: Vec<_> = (0..4).map(|_| server.connect()).collect();
        for client in &mut leaving {
            client.send(get("/"));
            client.answer(usual);
        }
        server.comes_to_rest();
        // While the program has its eyes shut, some leave, one completes the meeting,
        // and others come.
        let (last, new) = server.while_stopped(|| {
            drop(leaving);
            let last = server.ask("/app/meet/5");
            let new: Vec<_> = (0..4).map(|_| server.ask("/")).collect();
            (last, new)
        });
        for client in new {
            client.must_get(200, "home", mixed);
        }
        last.must_get(200, "5 met\n", mixed);
        for client in waiting {
            client.must_get(200, "5 met\n", mixed);
        }
    }
    server.must_not_have_panicked(mixed);
}

#[track_caller]
#[cfg(unix)]
fn outlives_interruptions(check: &Check, ended: &'static str) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut stays = server.connect();
    for visit in 1..=3 {
        server.comes_to_rest();
        server.stop_and_continue();
        stays.send(get("/app/visit"));
        let answer = stays.answer(Likely::always(ended));
        stays.expect_body(&answer, format!("{visit}\n").as_bytes(), ended);
    }
    server.must_still_run_after(ended);
}

#[track_caller]
fn waits_for_a_slow_reader(check: &Check, hints: &SlowHints) {
    let site = Site::with_a_home();
    // No two places are alike: what is sent twice, or left out, is seen.
    let large: String = (0..1 << 15).map(|line| format!("{line:511}\n")).collect();
    site.file("large", &large);
    let server = check.start_pool(&site, 2);
    let mut late = server.ask("/large");
    late.read_some(300_000);
    late.send("GET /");
    server.must_rest("A client read nothing, and its socket was full", hints.full);
    for _ in 0..5 {
        server.ask("/").must_get(200, "home", hints.meanwhile);
    }
    let answer = late.answer(Likely::always(hints.cut));
    late.expect_status(&answer, &[200], hints.cut);
    late.expect_body(&answer, large.as_bytes(), hints.cut);
    late.send(&get("/")["GET /".len()..]);
    let answer = late.answer(Likely::always(hints.again));
    late.expect_body(&answer, b"home", hints.again);
    server.must_rest("A client had read everything", hints.again);
}

#[track_caller]
#[cfg(unix)]
fn rests_without_descriptors(
    check: &Check,
    ended: &'static str,
    kept: &'static str,
    spins: &'static str,
) {
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--threads", "1"];
    let server = check.start_with_few_files(20, &args);
    // Those who are in are served, files too, although no one else can come in.
    let mut clients: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let inside = &mut clients[0];
    inside.send(get("/"));
    let answer = inside.answer(Likely::always(ended));
    inside.expect_body(&answer, b"home", kept);
    server.must_rest(
        "Clients were waiting outside, and no descriptor was left",
        spins,
    );
    drop(clients);
    server.ask("/").must_get(200, "home", ended);
    server.must_still_run_after(ended);
}

#[track_caller]
fn turns_clients_away(check: &Check, same: &'static str, lingers: &'static str) {
    let server = check.start(&["--connections", "0"]);
    let before = server
        .comes_to_rest()
        .then(|| server.open_files())
        .flatten();
    for _ in 0..3 {
        let mut client = server.ask("/");
        let answer = client.answer(Likely::always(same));
        client.expect_status(&answer, &[503], same);
        client.expect_last(&answer);
        client.expect_lingering(same);
        client.expect_end(Likely::always(same));
    }
    let stay: Vec<_> = (0..30).map(|_| server.ask("/")).collect();
    if let Some(before) = before {
        server.must_hold_fewer_descriptors_than(before + 1, lingers);
    }
    drop(stay);
}

#[track_caller]
fn outlives_garbage_and_resets(check: &Check, gone: &'static str) {
    let site = Site::for_resets();
    let server = check.start_pool(&site, 1);
    for _ in 0..3 {
        server.connect();
        server.connect().half_close();
        server.connect().send(b"\x00\xff\r\n\r\n").half_close();
        let mut client = server.ask("/app/panic");
        let answer = client.answer(Likely::always(gone));
        client.expect_status(&answer, &[500], gone);
    }
    server.reset_in_a_read(get("/"), "GET / HT");
    server.reset_in_a_write(get("/large"));
    server.ask("/").must_get(200, "home", gone);
    server.must_still_run();
}

#[track_caller]
#[cfg(unix)]
fn sleeps_while_it_stops(check: &Check, busy: &'static str, first: &'static str) {
    let server = check.start(&[]);
    let mut waits = server.ask("/app/wait/900");
    waits.until_read();
    server.comes_to_rest();
    server.signal("TERM");
    server.must_rest("The server was stopping, and waited for a handler", busy);
    waits.must_get(200, "waited 900 ms\n", first);
}
