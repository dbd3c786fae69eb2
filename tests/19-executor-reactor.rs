//! Milestone of chapter 17: the server asks the kernel which clients have something
//! for it, and sleeps until then. All that chapters 10 to 16 promised still holds.

use std::time::Duration;

use harness::{Check, ContentHints, Likely, Program, Site, after, get};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "how-long-to-wait",
    "names-that-are-not-used-again",
    "interest-follows-the-state",
    "one-clients-turn",
    "when-no-one-can-come-in",
    "handlers-that-nobody-wakes",
    "the-bell",
    "the-bell",
];

const NO_ANSWER: Likely = Likely {
    silent: "the loop sleeps although there is something to do. Is each socket \
             watched for what its conversation waits for now, also after its state \
             has changed? And is each event's client given a turn?",
    closed: "the server closed the connection: only Outcome::Over is the end, and a \
             hang-up while no one reads or writes.",
    reset: "the server closed the connection while bytes that the client had sent \
            were unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so \
              that the next one begins in the wrong place.",
};

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";

/// What is likely where the files that this chapter leaves alone have all that's
/// needed.
const SAME: &str = "it did in chapter 16: git diff chapters/17-readiness shows what \
                    has changed. A state in which the program sleeps needs an event \
                    or a deadline that ends it.";

/// How long a program is watched that should have nothing to do.
const WHILE: Duration = Duration::from_millis(60);

/// Expects the program to use no processor time while nothing happens.
#[track_caller]
fn must_rest(check: &Check, server: &Program, when: &str, likely: &str) {
    if let Some(used) = server.spins(WHILE) {
        check.fail(
            format!(
                "{when}, and there was nothing to do. The program was busy all the \
                 time: it used {used:.1?} of processor time."
            ),
            likely,
        );
    }
}

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 16").read("one-clients-turn");
    check.still_serves_files(NO_ANSWER, SAME);
}

#[test]
fn check_02_one_request_after_the_other() {
    after(check_01_still_serves_files);
    let check = check!("one connection serves many requests")
        .read("interest-follows-the-state")
        .causes_panics(ASKED_TO)
        .by_hand("curl -v http://{addr}/app/visit http://{addr}/app/visit");
    check.serves_one_request_after_the_other(NO_ANSWER, SAME);
}

#[test]
fn check_03_it_sleeps() {
    after(check_01_still_serves_files);
    let check = check!(
        "150 idle connections cost no processor time, and little \
                        memory"
    )
    .read("interest-follows-the-state")
    .by_hand(
        "for i in $(seq 150); do (sleep 9 | nc 127.0.0.1 {port}) & done; sleep \
             2\nfor i in 1 2; do grep voluntary /proc/$(pgrep -x {package})/status; \
             sleep 2; done",
    );
    const CLIENTS: usize = 150;
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    server.ask("/").must_get(200, "home", NO_ANSWER.silent);
    server.comes_to_rest();
    let before = server.allocated_memory();
    let mut idle: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    for client in &mut idle {
        client.send(get("/app/visit"));
    }
    for client in &mut idle {
        client.answer(NO_ANSWER);
    }
    must_rest(
        &check,
        &server,
        &format!("{CLIENTS} connections were idle"),
        "room to write is almost always there: ask for it only while answers are \
         left to send. And a timeout of zero is for handlers that have just got on.",
    );
    if let Some(wakes @ 1..) = server.wakes(Duration::from_millis(250)) {
        check.clone().read("how-long-to-wait").fail(
            format!(
                "{CLIENTS} connections were idle, and the program woke up at least \
                 {wakes} times in each quarter of a second."
            ),
            "nothing happens and nothing is due, so nothing should end the wait: the \
             timeout is the time to the nearest deadline, which is seconds away, and \
             not a tick.",
        );
    }
    // What one read takes is 16 KiB.
    const MUCH: u64 = 4 << 10;
    let each =
        |(before, now): (u64, u64)| now.saturating_sub(before) / CLIENTS as u64;
    if let Some(each @ MUCH..) = before.zip(server.allocated_memory()).map(each) {
        check.clone().read("what-an-idle-connection-costs").fail(
            format!(
                "Each of {CLIENTS} idle connections takes {each} bytes \
                     of memory."
            ),
            "an idle connection needs no buffers. They are lent to it when it has a \
             turn, and taken back when nothing is left in them.",
        );
    }
}

#[test]
fn check_04_deadlines() {
    after(check_01_still_serves_files);
    let check = check!("a deadline ends a wait in which nothing happens")
        .read("how-long-to-wait")
        .with_options("--patience 1000")
        .by_hand("time curl -s http://{addr}/app/wait/300; time nc 127.0.0.1 {port}");
    const SLEPT: &str = "nothing has happened to the socket, and the time was up. \
                         The timeout must end with the nearest deadline of any \
                         client, and then all that are due get a turn.";
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--patience", "150"];
    let server = check.start(&args);
    let waits = server.ask("/app/wait/250");
    waits.must_get(200, "waited 250 ms\n", SLEPT);
    let mut silent = server.connect();
    silent.expect_end(Likely {
        silent: SLEPT,
        ..NO_ANSWER
    });
    let (mut half, _) = server.ask_half("/");
    let answer = half.answer(Likely {
        silent: SLEPT,
        ..NO_ANSWER
    });
    half.expect_status(&answer, &[408], SLEPT);
}

#[test]
fn check_05_handlers_that_wait() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("a handler is asked again when another one may have helped it")
            .read("handlers-that-nobody-wakes")
            .by_hand(
                "curl -s http://{addr}/app/meet/2 & sleep 0.2; curl -s \
             http://{addr}/app/meet/2; wait",
            );
    const FORGOTTEN: &str = "the last one who came has completed the meeting, and \
                             nothing has happened to the sockets of the others. \
                             After each turn, ask all handlers that wait, and once \
                             more at once if any of them got on.";
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    server.must_meet(2, FORGOTTEN);
    server.must_meet(25, FORGOTTEN);
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
    let answer = last.answer(Likely::always(FORGOTTEN));
    last.expect_body(&answer, b"2 met\n", FORGOTTEN);
    for met in ["2 met\n", "3 met\n"] {
        let answer = chain.answer(Likely::always(FORGOTTEN));
        chain.expect_body(&answer, met.as_bytes(), FORGOTTEN);
    }
    for mut client in others {
        let answer = client.answer(Likely::always(FORGOTTEN));
        client.expect_body(&answer, b"3 met\n", FORGOTTEN);
    }
    must_rest(
        &check,
        &server,
        "All handlers had met",
        "the next wait takes no time if a handler got on in this turn, and only then: \
         forget in each turn what happened in the one before.",
    );
}

#[test]
fn check_06_and_only_then() {
    after(check_05_handlers_that_wait);
    let check = check!("handlers aren't asked while nothing happens")
        .read("handlers-that-nobody-wakes")
        .by_hand(
            "for i in $(seq 10); do curl -sm 5 http://{addr}/app/wait/9000 & done; \
             sleep 0.2\ncurl -s http://{addr}/app/polls; sleep 2; curl -s \
             http://{addr}/app/polls",
        );
    const COUNTS: &str = "/app/polls answers with a number: how often any handler \
                          that waits has been asked.";
    let server = check.start(&[]);
    let mut waiting: Vec<_> =
        (0..10).map(|_| server.ask("/app/wait/10000")).collect();
    for client in &mut waiting {
        client.until_read();
    }
    let polls = || -> u64 {
        let mut client = server.ask("/app/polls");
        let answer = client.answer(Likely::always(COUNTS));
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        let Ok(polls) = text.trim_end().parse() else {
            check.fail(format!("/app/polls says {text:?}."), COUNTS);
        };
        polls
    };
    let before = polls();
    if before < 10 {
        check.fail(
            format!("Ten handlers wait, and /app/polls says {before}."),
            "each of them has been asked once at least: count each call of poll().",
        );
    }
    must_rest(
        &check,
        &server,
        "Ten handlers were waiting for ten seconds to pass",
        "a handler that didn't get on needn't be asked again at once.",
    );
    let asked = polls() - before;
    // A turn or two for each of two clients, and ten polls in each turn.
    if asked > 200 {
        check.fail(
            format!(
                "Ten handlers were waiting, and two clients came. Handlers were \
                 asked {asked} times."
            ),
            "a handler is asked after a turn in which something has happened, or \
             when its time is up.",
        );
    }
}

#[test]
fn check_07_input_during_a_handler() {
    after(check_05_handlers_that_wait);
    let check = check!("what comes while a handler waits, waits as well")
        .read("interest-follows-the-state")
        .by_hand(
            "(printf 'GET /app/wait/3000 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; sleep \
             1; printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; sleep 3) | nc \
             127.0.0.1 {port} &\ntop -bn1 -d1 | grep {package}; wait",
        );
    const SPINS: &str = "input that no one reads ends each wait at once. While a \
                         handler waits, the socket is watched for nothing, or for \
                         room if answers are left.";
    const AGAIN: &str = "when the handler is ready, the conversation waits for a \
                         head again: the socket must be watched for that, and for \
                         that alone.";
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut client = server.ask("/app/meet/2");
    client.until_read();
    server.comes_to_rest();
    client.send(get("/"));
    must_rest(
        &check,
        &server,
        "A handler was waiting, and its client sent more",
        SPINS,
    );
    server.ask("/app/meet/2").must_get(200, "2 met\n", AGAIN);
    let answer = client.answer(Likely::always(AGAIN));
    client.expect_body(&answer, b"2 met\n", AGAIN);
    let answer = client.answer(Likely::always(AGAIN));
    client.expect_body(&answer, b"home", AGAIN);
    must_rest(&check, &server, "The client had all its answers", AGAIN);
    client.send(get("/app/visit"));
    client.must_get(200, "1\n", AGAIN);
    // The same with a client that won't send any more. It still wants its answer.
    let mut client = server.ask("/app/meet/2");
    client.until_read().half_close();
    must_rest(
        &check,
        &server,
        "A handler was waiting, and its client had closed its sending half",
        "that nothing more will come is there to be read, and stays there: watch for \
         nothing while a handler waits, not for RDHUP either.",
    );
    const WAITS: &str =
        "a client that has closed its sending half waits for its answer.";
    server.ask("/app/meet/2").must_get(200, "2 met\n", WAITS);
    client.must_get(200, "2 met\n", WAITS);
}

#[test]
fn check_08_hang_ups() {
    after(check_05_handlers_that_wait);
    let check =
        check!("a client that tears its connection down leaves nothing behind")
            .read("one-clients-turn")
            .by_hand(
                "timeout -s KILL 0.3 curl -s http://{addr}/app/wait/9000; ls \
             /proc/$(pgrep -x {package})/fd",
            );
    const STAYS: &str = "the poller reports a hang-up whatever the interest, and \
                         again in each wait. While a handler waits, nothing is read \
                         or written, so that nobody else notices: end the \
                         conversation.";
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    server.ask("/").must_get(200, "home", NO_ANSWER.silent);
    let before = server
        .comes_to_rest()
        .then(|| server.open_files())
        .flatten();
    let mut gone = server.ask("/app/meet/2");
    gone.until_read();
    server.comes_to_rest();
    if gone.tear_down() {
        must_rest(
            &check,
            &server,
            "A handler was waiting, and its client reset the connection",
            STAYS,
        );
        if let Some(before) = before {
            server.must_hold_fewer_descriptors_than(before + 1, STAYS);
        }
    }
    check.gives_seats_back(STAYS, STAYS);
}

#[test]
#[cfg(unix)]
fn check_09_all_in_one_turn() {
    after(check_08_hang_ups);
    let check = check!("many things may have happened before a turn")
        .read("names-that-are-not-used-again");
    const MIXED: &str = "the clients' news have been mixed up. A token is the name \
                         of one client: news for someone who has left is for nobody.";
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
            client.answer(NO_ANSWER);
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
            client.must_get(200, "home", MIXED);
        }
        last.must_get(200, "5 met\n", MIXED);
        for client in waiting {
            client.must_get(200, "5 met\n", MIXED);
        }
    }
    server.must_not_have_panicked(MIXED);
}

#[test]
#[cfg(unix)]
fn check_10_interrupted() {
    after(check_01_still_serves_files);
    const ENDED: &str = "a signal has interrupted the wait. That's no error: nothing \
                         has happened, and the wait begins again.";
    let check = check!("a wait that is interrupted is none that failed")
        .read("what-sys-gives-you")
        .if_it_ends(ENDED)
        .by_hand(
            "kill -STOP $(pgrep -x {package}); kill -CONT $(pgrep -x {package})\n\
             curl -s http://{addr}/app/visit",
        );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut stays = server.connect();
    for visit in 1..=3 {
        server.comes_to_rest();
        server.stop_and_continue();
        stays.send(get("/app/visit"));
        let answer = stays.answer(Likely::always(ENDED));
        stays.expect_body(&answer, format!("{visit}\n").as_bytes(), ENDED);
    }
    server.must_still_run_after(ENDED);
}

#[test]
fn check_11_a_slow_reader() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "a client that reads slowly gets all, and others are served meanwhile"
    )
    .read("interest-follows-the-state")
    .with_options("--root FOLDER-WITH-A-LARGE-FILE")
    .by_hand(
        "curl -s http://{addr}/large | (sleep 3; cmp - \
             FOLDER-WITH-A-LARGE-FILE/large && echo the same) &\n\
             curl -sm 1 http://{addr}/app/visit; wait",
    );
    let site = Site::with_a_home();
    // No two places are alike: what is sent twice, or left out, is seen.
    let large: String = (0..1 << 15).map(|line| format!("{line:511}\n")).collect();
    site.file("large", &large);
    let server = check.start_pool(&site, 2);
    const CUT: &str = "the rest of an answer waits for room in the socket. Watch for \
                       that as long as answers are left to send, whatever the state \
                       is.";
    const MEANWHILE: &str = "a client that reads slowly keeps the others waiting.";
    let mut late = server.ask("/large");
    late.read_some(300_000);
    late.send("GET /");
    must_rest(
        &check,
        &server,
        "A client read nothing, and its socket was full",
        "nothing is read from a client before it has its answers, so nothing that it \
         sends may end a wait: watch for room alone.",
    );
    for _ in 0..5 {
        server.ask("/").must_get(200, "home", MEANWHILE);
    }
    let answer = late.answer(Likely::always(CUT));
    late.expect_status(&answer, &[200], CUT);
    late.expect_body(&answer, large.as_bytes(), CUT);
    late.send(&get("/")["GET /".len()..]);
    const AGAIN: &str = "the answer has been sent, and the next head is awaited: the \
                         socket must be watched for that again, and for that alone.";
    let answer = late.answer(Likely::always(AGAIN));
    late.expect_body(&answer, b"home", AGAIN);
    must_rest(&check, &server, "A client had read everything", AGAIN);
}

#[test]
#[cfg(unix)]
fn check_12_no_descriptors_left() {
    after(check_01_still_serves_files);
    const ENDED: &str = "accepting fails while all descriptors are in use. That \
                         passes when clients leave.";
    let check = check!("when accepting fails, the server waits and goes on")
        .read("when-no-one-can-come-in")
        .if_it_ends(ENDED);
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--threads", "1"];
    let server = check.start_with_few_files(16, &args);
    // Those who are in are served, files too, although no one else can come in.
    let mut clients: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let inside = &mut clients[0];
    inside.send(get("/"));
    let answer = inside.answer(Likely::always(ENDED));
    inside.expect_body(
        &answer,
        b"home",
        "no descriptor was left for the file: the door keeps one in reserve, and \
         gives it up when accepting fails.",
    );
    must_rest(
        &check,
        &server,
        "Clients were waiting outside, and no descriptor was left",
        "a client that can't be let in ends each wait at once. Watch the listener \
         for nothing until someone leaves, or until it's time to try again.",
    );
    drop(clients);
    server.ask("/").must_get(200, "home", ENDED);
    server.must_still_run_after(ENDED);
}

#[test]
fn check_13_pipelined_requests() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("requests that are sent without waiting are answered in order")
            .read("interest-follows-the-state");
    const LOST: Likely = Likely {
        silent: "a request was lost. What has been read already is no longer in the \
                 socket, and ends no wait: it's answered before the loop sleeps.",
        ..NO_ANSWER
    };
    check.answers_in_order(
        LOST,
        "half of another request has come, and the answer to the first one is kept \
         until the other half comes: if there is output, write before you wait.",
    );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut client = server.connect();
    client.send(get("/app/visit").repeat(20)).half_close();
    for visit in 1..=20 {
        let answer = client.answer(LOST);
        client.expect_body(&answer, format!("{visit}\n").as_bytes(), LOST.closed);
    }
    client.expect_end(NO_ANSWER);
}

#[test]
fn check_14_floods() {
    after(check_13_pipelined_requests);
    let check = check!("a client that asks and doesn't read fills no memory")
        .read("interest-follows-the-state")
        .with_options("--root book/src");
    check.leaves_floods_in_the_kernel(SAME, SAME, NO_ANSWER);
    check.gives_each_client_its_turn(SAME, NO_ANSWER);
}

#[test]
fn check_15_turned_away() {
    after(check_01_still_serves_files);
    let check = check!("beyond --connections, a client is told 503, and let go")
        .read("what-stays")
        .with_options("--connections 0");
    let server = check.start(&["--connections", "0"]);
    let before = server
        .comes_to_rest()
        .then(|| server.open_files())
        .flatten();
    for _ in 0..3 {
        let mut client = server.ask("/");
        let answer = client.answer(Likely::always(SAME));
        client.expect_status(&answer, &[503], SAME);
        client.expect_last(&answer);
        client.expect_lingering(SAME);
        client.expect_end(Likely::always(SAME));
    }
    let stay: Vec<_> = (0..30).map(|_| server.ask("/")).collect();
    if let Some(before) = before {
        server.must_hold_fewer_descriptors_than(
            before + 1,
            "a client that was turned away lingers for a second at most, whether it \
             leaves or not. That's a deadline, too.",
        );
    }
    drop(stay);
}

#[test]
fn check_16_hostile_heads_and_content() {
    after(check_04_deadlines);
    let check =
        check!("deadlines, content and smuggled requests are as in chapter 16")
            .read("what-stays");
    check.refuses_a_head_that_trickles(SAME, SAME);
    check.skips_content_by_length(ContentHints {
        usual: NO_ANSWER,
        kept: SAME,
        empty_line: SAME,
    });
    check.refuses_smuggled_requests(NO_ANSWER);
}

#[test]
fn check_17_garbage_and_resets() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("empty connections, garbage, resets and panics end nobody else")
            .read("one-clients-turn")
            .causes_panics(ASKED_TO);
    let site = Site::for_resets();
    let server = check.start_pool(&site, 1);
    const GONE: &str = "one client's error ends its own conversation, and no other.";
    for _ in 0..3 {
        server.connect();
        server.connect().half_close();
        server.connect().send(b"\x00\xff\r\n\r\n").half_close();
        let mut client = server.ask("/app/panic");
        let answer = client.answer(Likely::always(GONE));
        client.expect_status(&answer, &[500], GONE);
    }
    server.reset_in_a_read(get("/"), "GET / HT");
    server.reset_in_a_write(get("/large"));
    server.ask("/").must_get(200, "home", GONE);
    server.must_still_run();
}

#[test]
#[cfg(unix)]
fn check_18_still_stops() {
    after(check_05_handlers_that_wait);
    let check =
        check!("asked to stop, the server wakes up, answers what it has, and ends")
            .read("the-bell")
            .by_hand(
                "nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n {package})",
            );
    const SLEEPS: &str = "the loop sleeps, and no client will wake it. begin() sets \
                          the flag and then rings; the loop hears that, drains the \
                          bell, looks at the flag, and tells each conversation.";
    check.stops_though_connections_stay(NO_ANSWER, SLEEPS, SLEEPS);
    check.answers_what_is_running(SLEEPS, SLEEPS);
    check.does_not_wait_for_the_idle(SLEEPS, SAME, SLEEPS);
    check.ends_at_a_second_signal(SAME, SAME);
}

#[test]
#[cfg(unix)]
fn check_19_and_sleeps_while_it_stops() {
    after(check_18_still_stops);
    let check = check!("while it stops, the server sleeps as well").read("the-bell");
    let server = check.start(&[]);
    let mut waits = server.ask("/app/wait/900");
    waits.until_read();
    server.comes_to_rest();
    server.signal("TERM");
    must_rest(
        &check,
        &server,
        "The server was stopping, and waited for a handler",
        "the bell has been heard, and still ends each wait: drain it.",
    );
    waits.must_get(
        200,
        "waited 900 ms\n",
        "a request that was received is answered before the end.",
    );
}

#[test]
#[cfg(unix)]
fn check_20_connected_clients_are_taken() {
    after(check_18_still_stops);
    let check =
        check!("clients whom nobody accepted yet are answered before the end")
            .read("when-no-one-can-come-in");
    check.takes_who_is_connected(SAME, SAME);
}

#[test]
fn check_21_pictures() {
    after(check_01_still_serves_files);
    let check = check!("pictures are painted by the pool").read("what-stays");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    check.has_pictures(&server, SAME);
    server.leaves_must_meet(2, SAME);
}

#[test]
fn check_22_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_23_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.wants_a_number_for("--connections");
    check.starts_as_in_chapter_01();
}
