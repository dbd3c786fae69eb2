//! Milestone of chapter 19: each connection is a task that awaits its client, and one
//! thread polls all of them. All that chapters 10 to 18 promised still holds.

#[cfg(unix)]
use std::thread;
use std::time::{Duration, Instant};

use harness::{
    ContentHints, IdleHints, InputHints, Likely, Site, SlowHints, after, get,
};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "a-task",
    "poll-what-was-woken-then-wait",
    "a-socket-that-can-be-awaited",
    "news-and-whom-it-wakes",
    "one-of-two",
    "a-deadline-that-moves",
    "while-the-client-is-here",
    "straight-down-again",
];

const NO_ANSWER: Likely = Likely {
    silent: "a task that waits has left its waker with the reactor or with the \
             timers, and the executor polls it once it's woken. Which of the three \
             is missing?",
    closed: "a connection is closed when its task ends: converse ends when the \
             client is done, and an error or a panic ends its own task.",
    reset: "the server closed the connection while bytes that the client had sent \
            were unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so \
              that the next one begins in the wrong place.",
};

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";

/// What is likely where the files that this chapter leaves alone have all that's
/// needed.
const SAME: &str = "it did in chapter 18, in words of its own: chapter 13's \
                    conversation has them too. cargo course diff 19 shows what \
                    differs from our solution.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 18")
        .read("poll-what-was-woken-then-wait");
    check.still_serves_files(NO_ANSWER, SAME);
}

#[test]
fn check_02_one_request_after_the_other() {
    after(check_01_still_serves_files);
    let check = check!("one connection serves many requests")
        .read("poll-what-was-woken-then-wait")
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
    .read("poll-what-was-woken-then-wait")
    .by_hand(
        "for i in $(seq 150); do (sleep 9 | nc 127.0.0.1 {port}) & done; sleep \
             2\nfor i in 1 2; do grep voluntary /proc/$(pgrep -x {package})/status; \
             sleep 2; done",
    );
    check.sleeps_while_clients_are_idle(&IdleHints {
        usual: NO_ANSWER,
        spins: "the reactor may sleep when no task is woken: may_sleep() tells. And \
                where no one waits for an event, the poller has to be told, or each \
                wait ends at once.",
        tick: (
            "poll-what-was-woken-then-wait",
            "nothing happens and nothing is due, so nothing should end the wait.",
        ),
        buffers: (
            "where-an-idle-connection-keeps-nothing",
            "what a task has in its variables while it awaits something stays there. \
             Give the buffers back before you await the next bytes.",
        ),
    });
}

#[test]
fn check_04_a_moment() {
    after(check_01_still_serves_files);
    let check = check!("a handler that waits for a moment is answered then")
        .read("a-deadline-that-moves")
        .by_hand("time curl -s http://{addr}/app/wait/300");
    const LATE: &str = "whoever waits for a moment leaves a waker with the timers. \
                        The reactor waits no longer than until the next one is due, \
                        and then wakes those whose moment has come.";
    const EARLY: &str = "the answer came before its moment. An async function that \
                         is called and not awaited does nothing.";
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    for (at, wait) in [(0, 120), (1, 60), (2, 0)] {
        let (asked, text) = (Instant::now(), format!("waited {wait} ms\n"));
        let client = server.ask(&format!("/app/wait/{wait}"));
        client.must_get(200, &text, LATE);
        let took = asked.elapsed();
        if took < Duration::from_millis(wait) {
            check.fail(
                format!(
                    "/app/wait/{wait} was answered after {took:.1?} (wait {at})."
                ),
                EARLY,
            );
        }
    }
    // The first to be asked for is the last to be due.
    let waits =
        [140, 100, 60].map(|wait| (wait, server.ask(&format!("/app/wait/{wait}"))));
    for (wait, client) in waits.into_iter().rev() {
        client.must_get(200, &format!("waited {wait} ms\n"), LATE);
    }
    check.wakes_up_for_deadlines(LATE);
}

#[test]
fn check_05_no_one_is_kept_waiting() {
    after(check_04_a_moment);
    let check = check!("handlers that wait keep no one else waiting")
        .read("a-deadline-that-moves")
        .by_hand(
            "curl -s http://{addr}/app/wait/9000 & sleep 0.2; curl -sm 2 \
             http://{addr}/app/visit",
        );
    const BLOCKS: &str = "while a task is polled, all others wait. What isn't ready \
                          has to return Pending.";
    const ORDER: &str = "this handler waits for somebody who hasn't come. The next \
                         request of the same connection is read when it has been \
                         answered.";
    const MET: &str = "these handlers wait for each other: each of them belongs to a \
                       task, and the last to come wakes the others' tasks.";
    check.lets_handlers_wait(BLOCKS, ORDER, MET, SAME);
}

#[test]
fn check_06_handlers_wake_each_other() {
    after(check_05_no_one_is_kept_waiting);
    let check = check!("a handler is woken by the one that it waits for")
        .read("poll-what-was-woken-then-wait")
        .by_hand(
            "curl -s http://{addr}/app/meet/2 & sleep 0.2; curl -s \
             http://{addr}/app/meet/2; wait",
        );
    check.lets_handlers_help_each_other(
        "the last one who came has completed the meeting, and has woken the tasks of \
         those who wait for it. A task that's woken while others are polled is on \
         the list, and the executor doesn't sleep while anyone is on it.",
        "a future that isn't ready mustn't wake itself, and a list that was taken is \
         empty.",
    );
}

#[test]
fn check_07_no_one_else_is_polled() {
    after(check_06_handlers_wake_each_other);
    const WAITING: usize = 60;
    let check = check!("a handler that wasn't woken isn't polled")
        .read("poll-what-was-woken-then-wait")
        .by_hand(
            "for i in $(seq 60); do curl -sm 9 http://{addr}/app/wait/9000 & done; \
             sleep 1\ncurl -s http://{addr}/app/polls; for i in $(seq 10); do curl \
             -so /dev/null http://{addr}/app/visit; done; curl -s \
             http://{addr}/app/polls",
        );
    let server = check.start(&[]);
    let _waiting: Vec<_> = (0..WAITING)
        .map(|_| server.ask("/app/wait/10000"))
        .collect();
    server.comes_to_rest();
    let mut before = server.polls();
    for _ in 0..50 {
        // Where no one can tell that it rests, it may still be reading.
        if before >= WAITING as u64 {
            break;
        }
        before = server.polls();
    }
    if before < WAITING as u64 {
        check.fail(
            format!("{WAITING} handlers wait, and /app/polls says {before}."),
            "each of them is polled once to begin with: count each poll.",
        );
    }
    server.must_rest(
        &format!("{WAITING} handlers were waiting for ten seconds to pass"),
        "a handler that wakes itself in each poll is polled all the time. Leave the \
         waker with what it waits for.",
    );
    let asked = server.polls() - before;
    // Someone may count the requests for this number, too.
    if asked > 10 {
        check.fail(
            format!(
                "{WAITING} handlers were waiting and nothing happened. They were \
                 polled {asked} times."
            ),
            "a future is polled once when it's new, and then when it was woken.",
        );
    }
    let before = server.polls();
    for visit in 1..=10 {
        let likely = NO_ANSWER.silent;
        server
            .ask("/app/visit")
            .must_get(200, &format!("{visit}\n"), likely);
    }
    let asked = server.polls() - before;
    if asked > 30 {
        check.fail(
            format!(
                "{WAITING} handlers were waiting, and other clients made ten visits. \
                 Handlers were polled {asked} times for that."
            ),
            "the executor polls the tasks on the list, and no others.",
        );
    }
    let before = server.polls();
    for _ in 0..10 {
        server.must_meet(2, NO_ANSWER.silent);
    }
    let asked = server.polls() - before;
    // Each handler of ten pairs is new once and woken once.
    if asked > 60 {
        check.fail(
            format!(
                "{WAITING} handlers were waiting, and ten pairs of others met. \
                 Handlers were polled {asked} times for that."
            ),
            "whoever completes a meeting wakes those who wait for this one, and no \
             others; and of all tasks, the executor polls those that were woken.",
        );
    }
}

#[test]
fn check_08_input_during_a_handler() {
    after(check_06_handlers_wake_each_other);
    let check = check!("what comes while a handler waits, waits as well")
        .read("straight-down-again")
        .by_hand(
            "(printf 'GET /app/wait/3000 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; sleep \
             1; printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; sleep 3) | nc \
             127.0.0.1 {port} &\ntop -bn1 -d1 | grep {package}; wait",
        );
    check.leaves_input_for_later(&InputHints {
        spins: "no one waits for input while a handler runs. The poller has to be \
                told, or it reports these bytes in each turn.",
        again: "when someone waits for input again, the poller has to be told as \
                well: poll_ready switches the interest on.",
        half_closed: "no one waits for input while a handler runs. The poller has to \
                      be told, or it reports the end of it in each turn.",
        waits: "a client that has closed its sending half waits for its answer: only \
                a hang-up ends while_here early.",
    });
}

#[test]
fn check_09_a_reset_drops_the_future() {
    after(check_06_handlers_wake_each_other);
    let check = check!("a reset, and only a reset, cancels a handler")
        .read("while-the-client-is-here")
        .by_hand(
            "python3 -c 'import socket, struct, time; c = \
             socket.create_connection((\"127.0.0.1\", {port})); c.sendall(b\"GET \
             /app/meet/2 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"); time.sleep(0.3); \
             c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(\"ii\", \
             1, 0))'; curl -s http://{addr}/app/meet/2/500 # fewer than 2 came",
        );
    check.notices_a_reset(
        NO_ANSWER,
        "while_here waits for the handler and for the hang-up of the connection. \
         When that comes first, it returns, which drops the handler and all that it \
         owns: the seat in the meeting, and the sleep.",
    );
}

#[test]
#[cfg(unix)]
fn check_10_all_in_one_turn() {
    after(check_09_a_reset_drops_the_future);
    let check = check!("many things may have happened before a turn")
        .read("poll-what-was-woken-then-wait");
    check.keeps_clients_apart(
        NO_ANSWER,
        "the clients' news have been mixed up. A token is the name of one task, or \
         of one socket: news of one that's gone are for nobody.",
    );
}

#[test]
#[cfg(unix)]
fn check_11_interrupted() {
    after(check_01_still_serves_files);
    let check = check!("a wait that is interrupted is none that failed")
        .read("straight-down-again")
        .if_it_ends(SAME)
        .by_hand(
            "kill -STOP $(pgrep -x {package}); kill -CONT $(pgrep -x {package})\n\
             curl -s http://{addr}/app/visit",
        );
    check.outlives_interruptions(SAME);
}

#[test]
fn check_12_a_slow_reader() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "a client that reads slowly gets all, and others are served meanwhile"
    )
    .read("straight-down-again")
    .with_options("--root FOLDER-WITH-A-LARGE-FILE")
    .by_hand(
        "curl -s http://{addr}/large | (sleep 3; cmp - \
             FOLDER-WITH-A-LARGE-FILE/large && echo the same) &\n\
             curl -sm 1 http://{addr}/app/visit; wait",
    );
    check.waits_for_a_slow_reader(&SlowHints {
        cut: SAME,
        meanwhile: "a client that reads slowly keeps the others waiting.",
        full: SAME,
        again: SAME,
    });
}

#[test]
#[cfg(unix)]
fn check_13_no_descriptors_left() {
    after(check_01_still_serves_files);
    const ENDED: &str = "accepting fails while all descriptors are in use. That \
                         passes when clients leave.";
    let check = check!("when accepting fails, the server waits and goes on")
        .read("straight-down-again")
        .if_it_ends(ENDED);
    check.rests_without_descriptors(ENDED, SAME, SAME);
}

#[test]
fn check_14_pipelined_requests() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("requests that are sent without waiting are answered in order")
            .read("straight-down-again");
    check.ends_after_a_large_answer(SAME);
    check.answers_in_order(
        NO_ANSWER,
        "half of another request has come, and the answer to the first one is kept \
         until the other half comes: if there is output, write before you wait.",
    );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut client = server.connect();
    // Some of them wait, for a moment that has passed already or for one that hasn't.
    let some = get("/app/visit") + &get("/app/wait/0") + &get("/app/wait/2");
    client.send(some.repeat(10)).half_close();
    for visit in 1..=10 {
        for text in [&format!("{visit}\n"), "waited 0 ms\n", "waited 2 ms\n"] {
            let answer = client.answer(NO_ANSWER);
            client.expect_body(&answer, text.as_bytes(), NO_ANSWER.closed);
        }
    }
    client.expect_end(NO_ANSWER);
}

#[test]
fn check_15_floods() {
    after(check_14_pipelined_requests);
    let check = check!("a client that asks and doesn't read fills no memory")
        .read("straight-down-again")
        .with_options("--root book/src");
    check.leaves_floods_in_the_kernel(SAME, SAME, NO_ANSWER);
    check.gives_each_client_its_turn(SAME, NO_ANSWER);
}

#[test]
fn check_16_turned_away() {
    after(check_01_still_serves_files);
    let check = check!("beyond --connections, a client is told 503, and let go")
        .read("straight-down-again")
        .with_options("--connections 0");
    check.turns_clients_away(SAME, SAME);
}

#[test]
fn check_17_hostile_heads_and_content() {
    after(check_04_a_moment);
    let check =
        check!("deadlines, content and smuggled requests are as in chapter 18")
            .read("straight-down-again");
    check.refuses_a_head_that_trickles(SAME, SAME);
    check.skips_content_by_length(ContentHints {
        usual: NO_ANSWER,
        kept: SAME,
        empty_line: SAME,
    });
    check.refuses_smuggled_requests(NO_ANSWER);
}

#[test]
fn check_18_garbage_and_resets() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("empty connections, garbage, resets and panics end nobody else")
            .read("a-task")
            .causes_panics(ASKED_TO);
    check.outlives_garbage_and_resets(
        "one task's error ends its own conversation, and a panic its own task.",
    );
}

#[test]
#[cfg(unix)]
fn check_19_still_stops() {
    after(check_06_handlers_wake_each_other);
    let check =
        check!("asked to stop, the server wakes up, answers what it has, and ends")
            .read("straight-down-again")
            .by_hand(
                "nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n {package})",
            );
    check.stops_though_connections_stay(NO_ANSWER, SAME, SAME);
    check.answers_what_is_running(SAME, SAME);
    check.does_not_wait_for_the_idle(SAME, SAME, SAME);
    check.ends_at_a_second_signal(SAME, SAME);
}

#[test]
#[cfg(unix)]
fn check_20_and_sleeps_while_it_stops() {
    after(check_19_still_stops);
    let check = check!("while it stops, the server sleeps as well")
        .read("straight-down-again");
    check.sleeps_while_it_stops(
        SAME,
        "a request that was received is answered before the end.",
    );
}

#[test]
#[cfg(unix)]
fn check_21_connected_clients_are_taken() {
    after(check_19_still_stops);
    let check =
        check!("clients whom nobody accepted yet are answered before the end")
            .read("straight-down-again");
    check.takes_who_is_connected(SAME, SAME);
}

#[test]
fn check_22_pictures() {
    after(check_01_still_serves_files);
    let check =
        check!("pictures are painted by the pool").read("straight-down-again");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    check.has_pictures(&server, SAME);
    server.leaves_must_meet(2, SAME);
}

#[test]
fn check_23_a_real_client() {
    after(check_01_still_serves_files);
    let check =
        check!("a real HTTP client gets the pages").read("straight-down-again");
    check.serves_a_real_client();
}

#[test]
fn check_24_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.wants_a_number_for("--connections");
    check.starts_as_in_chapter_01();
}

#[test]
#[cfg(unix)]
fn check_25_in_time() {
    after(check_04_a_moment);
    const LATE: &str = "these bytes came in time, and the server had no time for \
                        them: its only thread was busy. So look at the socket first, \
                        and at the clock when there is nothing.";
    let check = check!("what has come in time is in time, even if it's read late")
        .read("a-deadline-that-moves")
        .with_options("--patience 600");
    let server = check.start(&["--patience", "600"]);
    for _ in 0..5 {
        let begun = Instant::now();
        let (mut client, rest) = server.ask_half("/app/visit");
        let is_in_time = server.while_stopped(|| {
            client.send(rest);
            let is_in_time = begun.elapsed() < Duration::from_millis(400);
            // As a handler would that computes for so long.
            thread::sleep(Duration::from_millis(650));
            is_in_time
        });
        // On a machine that's too busy for that, the client may have been too late.
        if is_in_time {
            let answer = client.answer(NO_ANSWER);
            client.expect_status(&answer, &[200], LATE);
            return;
        }
    }
}
