//! Milestone of chapter 17: the server asks the kernel which clients have something
//! for it, and sleeps until then. All that chapters 10 to 16 promised still holds.

use std::time::Duration;

use harness::{
    ContentHints, IdleHints, InputHints, Likely, Site, SlowHints, after, get,
};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "how-long-to-wait",
    "names-that-arent-used-again",
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
        "for i in $(seq 150); do (sleep 9 | nc 127.0.0.1 {port}) & done; sleep 2\n\
         server=/proc/$(pgrep -x {package})\n\
         for i in 1 2; do awk '{ print $14 + $15, \"hundredths of a second\" }' \
         $server/stat; grep voluntary $server/status; sleep 2; done",
    );
    check.sleeps_while_clients_are_idle(&IdleHints {
        usual: NO_ANSWER,
        spins: "room to write is almost always there: ask for it only while answers \
                are left to send. And a timeout of zero is for handlers that have \
                just got on.",
        tick: (
            "how-long-to-wait",
            "nothing happens and nothing is due, so nothing should end the wait: the \
             timeout is the time to the nearest deadline, which is seconds away, and \
             not a tick.",
        ),
        buffers: (
            "what-an-idle-connection-costs",
            "an idle connection needs no buffers. They are lent to it when it has a \
             turn, and taken back when nothing is left in them.",
        ),
    });
}

#[test]
fn check_04_deadlines() {
    after(check_01_still_serves_files);
    let check = check!("a deadline ends a wait in which nothing happens")
        .read("how-long-to-wait")
        .with_options("--patience 1000")
        .by_hand("time curl -s http://{addr}/app/wait/300; time nc 127.0.0.1 {port}");
    check.wakes_up_for_deadlines(
        "nothing has happened to the socket, and the time was up. The timeout must end \
         with the nearest deadline of any client, and then all that are due get a \
         turn.",
    );
}

#[test]
fn check_05_handlers_that_wait() {
    after(check_02_one_request_after_the_other);
    after(check_03_it_sleeps);
    let check =
        check!("a handler is asked again when another one may have helped it")
            .read("handlers-that-nobody-wakes")
            .by_hand(
                "ask() { (for t; do printf \"GET /app/$t HTTP/1.1\\r\\nHost: \
                 a\\r\\n\\r\\n\"; done; sleep 5) | nc 127.0.0.1 {port} & sleep 0.3; }\n\
                 # \"2 met\" twice and \"3 met\" three times, at once:\n\
                 ask meet/3; ask meet/3; ask meet/2 meet/3; ask wait/4000; ask meet/2; \
                 wait",
            );
    check.lets_handlers_help_each_other(
        "the last one who came has completed the meeting, and nothing has happened to \
         the sockets of the others. After each turn, ask all handlers that wait, and \
         once more at once if any of them got on, be it the last one or not.",
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
    let server = check.start(&[]);
    let mut waiting: Vec<_> =
        (0..10).map(|_| server.ask("/app/wait/10000")).collect();
    for client in &mut waiting {
        client.until_read();
    }
    let before = server.polls();
    if before < 10 {
        check.fail(
            format!("Ten handlers wait, and /app/polls says {before}."),
            "each of them has been asked once at least: count each call of poll().",
        );
    }
    server.must_rest(
        "Ten handlers were waiting for ten seconds to pass",
        "a handler that didn't get on needn't be asked again at once.",
    );
    // Long enough to see a loop that pauses for a moment and then asks again, on a busy
    // machine too.
    server.wakes(Duration::from_millis(250));
    let asked = server.polls() - before;
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
    check.leaves_input_for_later(&InputHints {
        spins: "input that no one reads ends each wait at once. While a handler waits, \
                the socket is watched for nothing, or for room if answers are left.",
        again: "when the handler is ready, the conversation waits for a head again: \
                the socket must be watched for that, and for that alone.",
        half_closed: "that nothing more will come is there to be read, and stays \
                      there: watch for nothing while a handler waits, not for RDHUP \
                      either.",
        waits: "a client that has closed its sending half waits for its answer.",
    });
}

#[test]
fn check_08_hang_ups() {
    after(check_05_handlers_that_wait);
    let check =
        check!("a client that tears its connection down leaves nothing behind")
            .read("one-clients-turn")
            .by_hand(
                // bash has read nothing of the first answer: it resets.
                "count() { ls /proc/$(pgrep -x {package})/fd | wc -l; }; count\n\
                 bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"GET / HTTP/1.1\\r\\n\
                 Host: a\\r\\n\\r\\nGET /app/wait/9000 HTTP/1.1\\r\\nHost: \
                 a\\r\\n\\r\\n\" >&3; sleep 0.3'\n\
                 count",
            );
    check.notices_a_reset(
        NO_ANSWER,
        "the poller reports a hang-up whatever the interest, and again in each wait. \
         While a handler waits, nothing is read or written, so that nobody else \
         notices: end the conversation.",
    );
}

#[test]
#[cfg(unix)]
fn check_09_interrupted() {
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
    check.outlives_interruptions(ENDED);
}

#[test]
#[cfg(unix)]
fn check_10_all_in_one_turn() {
    after(check_08_hang_ups);
    after(check_09_interrupted);
    let check = check!("many things may have happened before a turn")
        .read("names-that-arent-used-again");
    check.keeps_clients_apart(
        NO_ANSWER,
        "the clients' news have been mixed up. A token is the name of one client: news \
         for someone who has left is for nobody.",
    );
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
    check.waits_for_a_slow_reader(&SlowHints {
        cut: "the rest of an answer waits for room in the socket. Watch for that as \
              long as answers are left to send, whatever the state is.",
        meanwhile: "a client that reads slowly keeps the others waiting.",
        full: "nothing is read from a client before it has its answers, so nothing \
               that it sends may end a wait: watch for room alone.",
        again: "the answer has been sent, and the next head is awaited: the socket \
                must be watched for that again, and for that alone.",
    });
}

#[test]
#[cfg(unix)]
fn check_12_no_descriptors_left() {
    after(check_01_still_serves_files);
    const ENDED: &str = "accepting fails while all descriptors are in use. That \
                         passes when clients leave: then the listener has to be \
                         watched again.";
    let check = check!("when accepting fails, the server waits and goes on")
        .read("when-no-one-can-come-in")
        .if_it_ends(ENDED);
    check.rests_without_descriptors(
        ENDED,
        "no descriptor was left for the file: the door keeps one in reserve, and gives \
         it up when accepting fails.",
        "a client that can't be let in ends each wait at once. Watch the listener for \
         nothing until someone leaves, or until it's time to try again.",
    );
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
    check.turns_clients_away(
        SAME,
        "a client that was turned away lingers for a second at most, whether it leaves \
         or not. That's a deadline, too.",
    );
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
    check.outlives_garbage_and_resets(
        "one client's error ends its own conversation, and no other.",
    );
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
    check.sleeps_while_it_stops(
        "the bell has been heard, and still ends each wait: drain it.",
        "a request that was received is answered before the end.",
    );
}

#[test]
#[cfg(unix)]
fn check_20_connected_clients_are_taken() {
    after(check_18_still_stops);
    let check =
        check!("clients whom nobody accepted yet are answered before the end")
            .read("the-bell");
    check.takes_who_is_connected(
        "no one can be let in, and the listener ends each wait: see check 12.",
        "the bell closes no door. Those whom the kernel has connected are let in \
         first, as soon as there's a descriptor for them; the door is closed when no \
         one waits outside.",
    );
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
