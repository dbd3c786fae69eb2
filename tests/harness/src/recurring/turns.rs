//! What a thread that serves many clients gives each of them: from chapter 16 on.

use crate::{Check, Likely, Program, Site, get};

impl Check {
    /// Checks that a client that asks and never reads takes no memory. `stops` says what
    /// is likely if others aren't served meanwhile, `pile` if it takes memory.
    #[track_caller]
    pub fn leaves_floods_in_the_kernel(
        &self,
        stops: &'static str,
        pile: &'static str,
        usual: Likely,
    ) {
        leaves_floods_in_the_kernel(self, stops, pile, usual);
    }

    /// Checks that a client that has sent much doesn't keep another one waiting until all
    /// of it is read.
    #[track_caller]
    pub fn gives_each_client_its_turn(&self, starved: &'static str, usual: Likely) {
        gives_each_client_its_turn(self, starved, usual);
    }

    /// Checks that idle clients cost no thread and hold nobody up.
    #[track_caller]
    pub fn serves_two_hundred_clients(&self, held_up: &'static str) {
        serves_two_hundred_clients(self, held_up);
    }

    /// Checks that a client that asked to close is let go after its answer, although
    /// that was too large to be sent at once, and that nothing is answered after it.
    /// `stays` says what is likely if the connection goes on.
    #[track_caller]
    pub fn ends_after_a_large_answer(&self, stays: &'static str) {
        ends_after_a_large_answer(self, stays);
    }

    /// Checks that handlers wait at the same time, and keep nobody waiting. `sleeps` says
    /// what is likely if they do, `order` if answers change places, `met` if handlers
    /// don't meet, and `kept` if a finished answer waits for the next one.
    #[track_caller]
    pub fn lets_handlers_wait(
        &self,
        sleeps: &'static str,
        order: &'static str,
        met: &'static str,
        kept: &'static str,
    ) {
        lets_handlers_wait(self, sleeps, order, met, kept);
    }

    /// Checks that a handler whose client has torn its connection down leaves no seat
    /// taken. `taken` says what is likely if one is, `half_closed` if a client is taken
    /// for gone that has closed its sending half.
    #[track_caller]
    pub fn gives_seats_back(&self, taken: &'static str, half_closed: &'static str) {
        gives_seats_back(self, taken, half_closed);
    }
}

#[track_caller]
fn leaves_floods_in_the_kernel(
    check: &Check,
    stops: &'static str,
    pile: &'static str,
    usual: Likely,
) {
    let site = Site::with_a_home();
    site.file("page", "x".repeat(50_000));
    let server = check.start_pool(&site, 1);
    server.ask("/").must_get(200, "home", usual.silent);
    let before = server.allocated_memory();
    let mut greedy = server.connect();
    greedy.fill(get("/page").repeat(8_000).as_bytes());
    server.comes_to_rest();
    server.ask("/").must_get(200, "home", stops);
    takes_no_memory(
        &server,
        before,
        "A client sent thousands of requests and read nothing",
        pile,
    );
    let mut waits = server.connect();
    waits.send(get("/app/wait/10000"));
    waits.fill(get("/").repeat(400_000).as_bytes());
    server.comes_to_rest();
    server.ask("/").must_get(200, "home", stops);
    takes_no_memory(
        &server,
        before,
        "A client's handler waited, and the client sent thousands of requests",
        "nothing is read from a client whose handler waits: the rest stays in the \
         kernel, until that is full and the client has to wait. (To see whether a \
         client is still there, nothing needs to be read.)",
    );
    let answer = greedy.answer(usual);
    greedy.expect_status(&answer, &[200], usual.differs);
}

/// Expects the program to have little more memory than before.
#[track_caller]
fn takes_no_memory(server: &Program, before: Option<u64>, when: &str, likely: &str) {
    const MUCH: u64 = 4 << 20;
    let now = server.allocated_memory();
    let grown = before.zip(now).map(|(a, b)| b.saturating_sub(a));
    if let Some(grown @ MUCH..) = grown {
        server.check().fail(
            format!("{when}, and the program took {} MB for it.", grown >> 20),
            likely,
        );
    }
}

#[track_caller]
fn gives_each_client_its_turn(check: &Check, starved: &'static str, usual: Likely) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut greedy = server.connect();
    greedy.send("\r\n").until_read();
    let mut other = server.connect();
    other.send("\r\n").until_read();
    // All of this is there when the program opens its eyes again.
    server.while_stopped(|| {
        greedy.send("\r\n".repeat(30_000) + &get("/app/visit"));
        other.send(get("/app/visit"));
    });
    let theirs = other.answer(Likely::always(starved));
    let first = greedy.answer(usual);
    if cfg!(unix) && theirs.body() != b"1\n" {
        check.fail(
            "One client had sent 60,000 bytes, and one behind it a request. The first one \
             was read to its end before the second one was looked at.",
            starved,
        );
    }
    greedy.expect_status(&first, &[200], starved);
}

#[track_caller]
fn serves_two_hundred_clients(check: &Check, held_up: &'static str) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    server.ask("/").must_get(200, "home", held_up);
    let before = server.threads();
    let mut idle: Vec<_> = (0..180).map(|_| server.connect()).collect();
    for (at, client) in idle.iter_mut().enumerate() {
        match at % 3 {
            0 => drop(client.send("GET / HT")),
            1 => drop(client.send(get("/"))),
            _ => {}
        }
    }
    let mut active = server.connect();
    for visit in 1..=20 {
        active.send(get("/app/visit"));
        let answer = active.answer(Likely::always(held_up));
        active.expect_body(&answer, format!("{visit}\n").as_bytes(), held_up);
    }
    for (at, client) in idle.iter_mut().enumerate() {
        if at % 3 == 1 {
            let answer = client.answer(Likely::always(held_up));
            client.expect_body(&answer, b"home", held_up);
        }
    }
    if server.threads() > before {
        check.fail(
            format!(
                "There were {before:?} threads, and with 181 clients {:?}.",
                server.threads()
            ),
            "one thread serves all clients.",
        );
    }
    // Two leave in one turn, and then all others, while the program has its eyes shut.
    server.while_stopped(|| idle.truncate(178));
    active.send(get("/app/visit"));
    let answer = active.answer(Likely::always(held_up));
    active.expect_body(&answer, b"21\n", held_up);
    server.while_stopped(|| idle.clear());
    server.ask("/").must_get(200, "home", held_up);
    server.must_not_have_panicked("clients that leave are nothing unusual.");
}

#[track_caller]
fn ends_after_a_large_answer(check: &Check, stays: &'static str) {
    let site = Site::with_a_home();
    site.large_file("large", 16 << 20, b"end");
    let server = check.start_pool(&site, 2);
    let mut client = server.connect();
    let last = "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.send(last.to_owned() + &get("/"));
    client.read_some(1);
    // By now the socket is full, and the rest of the answer waits.
    server.comes_to_rest();
    let answer = client.answer(Likely::always(stays));
    client.expect_status(&answer, &[200], stays);
    client.expect_last(&answer);
    client.expect_end(Likely::always(stays));
}

#[track_caller]
fn lets_handlers_wait(
    check: &Check,
    sleeps: &'static str,
    order: &'static str,
    met: &'static str,
    kept: &'static str,
) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    // This one waits until somebody comes, for as long as we like.
    let mut both = server.connect();
    both.send(get("/app/meet/2") + &get("/app/visit"));
    both.until_read();
    server.ask("/").must_get(200, "home", sleeps);
    let mut waits = server.ask("/app/wait/10000");
    waits.until_read();
    server.ask("/").must_get(200, "home", sleeps);
    both.expect_nothing_yet(order);
    server.ask("/app/visit").must_get(200, "1\n", sleeps);
    server.ask("/app/meet/2").must_get(200, "2 met\n", met);
    let answer = both.answer(Likely::always(met));
    both.expect_body(&answer, b"2 met\n", met);
    both.must_get(200, "2\n", order);
    waits.expect_nothing_yet(sleeps);
    waits.hang_up();
    server
        .ask("/app/wait/30")
        .must_get(200, "waited 30 ms\n", met);
    // What was answered before isn't kept until the handler is ready.
    let mut first = server.connect();
    first.send(get("/") + &get("/app/wait/10000"));
    let answer = first.answer(Likely::always(kept));
    first.expect_body(&answer, b"home", order);
    server.must_meet(25, met);
    let alone = server.ask("/app/meet/3/50");
    const TOO_FEW: &str = "a meeting to which too few come gives up with 503 once its \
                           time is up: that isn't a success.";
    alone.must_get(503, "fewer than 3 came\n", TOO_FEW);
}

#[track_caller]
fn gives_seats_back(check: &Check, taken: &'static str, half_closed: &'static str) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    // Closing the sending half is no reason to leave.
    let mut patient = server.ask("/app/meet/2");
    patient.until_read().half_close();
    server.ask("/").must_get(200, "home", half_closed);
    server
        .ask("/app/meet/2")
        .must_get(200, "2 met\n", half_closed);
    patient.must_get(200, "2 met\n", half_closed);
    // A meeting that has given up, and a meeting that has begun, leave nothing behind.
    server
        .ask("/app/meet/4/20")
        .must_get(503, "fewer than 4 came\n", taken);
    server.must_meet(4, taken);
    let mut gone = server.ask("/app/meet/3");
    gone.until_read();
    server.comes_to_rest();
    if gone.tear_down() {
        let mut first = server.ask("/app/meet/3");
        first.until_read();
        let mut second = server.ask("/app/meet/3");
        second.until_read();
        server.ask("/").must_get(200, "home", taken);
        server.comes_to_rest();
        first.expect_nothing_yet(taken);
        server.ask("/app/meet/3").must_get(200, "3 met\n", taken);
        for client in [first, second] {
            client.must_get(200, "3 met\n", taken);
        }
    }
}
