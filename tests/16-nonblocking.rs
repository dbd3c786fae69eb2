//! Milestone of chapter 16: one thread serves all clients, and no client keeps it from
//! the others. Everything that chapters 10 to 13 promised still holds.

use std::time::{Duration, Instant};

use harness::{ContentHints, Likely, LimitHints, Site, after, get};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "how-long-a-state-may-last",
    "not-now",
    "one-turn-of-reading",
    "what-is-left-over",
    "after-an-answer",
    "handlers-that-wait",
    "handlers-that-wait",
];

const NO_ANSWER: Likely = Likely {
    silent: "a conversation that stays in its state must be able to leave it in a later \
             turn: is the state that it waits in the one that it was in? And are \
             answers sent before the server waits for the next request?",
    closed: "the server closed the connection. Step::End is for a client that is done: \
             after an answer there may be another request, and NotNow isn't the end.",
    reset: "the server closed the connection while bytes that the client had sent were \
            unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so that \
              the next one begins in the wrong place. Or it was put after a file that \
              isn't sent yet: answer() asks is_full(), and write() goes on as long as \
              there is output.",
};

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";

#[test]
fn check_01_turned_away() {
    let check =
        check!("a client is turned away with 503 when there are too many others")
            .read("what-is-left-over")
            .with_options("--connections 0")
            .by_hand("curl -si http://{addr}/ | head -5");
    const UNTOLD: &str = "a client that is turned away begins in the state Writing, with \
                          its answer ready to be sent. write() sends it in this turn \
                          and later ones, as long as there is output; then it says \
                          that nothing more will come, and lingers.";
    const NO_END: &str = "the client isn't told that this was all, and waits until the \
                          server has lingered enough. Call end_writing() before you go \
                          to State::Lingering: it shuts down the sending half.";
    let server = check.start(&["--connections", "0"]);
    let mut soonest = Duration::MAX;
    for round in 0..3 {
        let asked = Instant::now();
        let mut client = server.ask("/");
        let answer = client.answer(Likely::always(UNTOLD));
        client.expect_status(&answer, &[503], UNTOLD);
        client.expect_field(
            &answer,
            "Retry-After",
            "a number of seconds or a date",
            |value| value.parse::<u32>().is_ok() || harness::is_date_of_today(value),
            "tell the client when to try again (RFC 9110, section 10.2.3).",
        );
        client.expect_last(&answer);
        if round == 0 {
            client.expect_lingering(
                "a socket that is closed while a request in it is unread makes the \
                 kernel send RST, which can destroy the 503. After Then::Linger comes \
                 State::Lingering, not the end.",
            );
        }
        client.expect_end(Likely {
            silent: NO_END,
            ..Likely::always(UNTOLD)
        });
        soonest = soonest.min(asked.elapsed());
    }
    // A busy machine is slow, but not three times in the same way. A server that
    // tells no one takes a second each time.
    if soonest > Duration::from_millis(900) {
        let soonest = soonest.as_millis();
        check.fail(
            format!("Three clients were turned away, and each waited {soonest} ms."),
            NO_END,
        );
    }
}

#[test]
fn check_02_still_serves_files() {
    after(check_01_turned_away);
    let check = check!("files are served as in chapter 15").read("after-an-answer");
    check.still_serves_files(
        NO_ANSWER,
        "it did in chapter 15: git diff chapters/16-nonblocking shows what has changed.",
    );
}

#[test]
fn check_03_one_request_after_the_other() {
    after(check_02_still_serves_files);
    let check = check!("one connection serves many requests")
        .read("after-an-answer")
        .causes_panics(ASKED_TO)
        .by_hand("curl -v http://{addr}/app/visit http://{addr}/app/visit");
    check.serves_one_request_after_the_other(
        NO_ANSWER,
        "HEAD gets no content, not even after a panic: put() leaves it out, whatever \
         the answer is.",
    );
}

#[test]
fn check_04_a_request_in_single_bytes() {
    after(check_02_still_serves_files);
    let check =
        check!("a request may come byte by byte, and others are served meanwhile")
            .read("one-turn-of-reading")
            .by_hand(
                "(printf 'GET /app/visit HTTP/1.1\\r\\nHo'; sleep 2; printf 'st: \
             a\\r\\n\\r\\n'; sleep 1) | nc 127.0.0.1 {port} &\n\
             curl -sm 1 http://{addr}/app/visit; wait",
            );
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--patience", "60000"];
    let server = check.start(&args);
    const MEANWHILE: &str = "a client that has sent half a request keeps the others \
                             waiting. read_head() reads once and returns Stay: only \
                             the loop goes round again, with the next client.";
    const PIECES: &str = "in one piece the same request was understood. What was read in \
                          earlier turns is still there: find_head() knows it all.";
    let all = get("/app/visit");
    let mut slow = server.connect();
    for at in 1..all.len() {
        slow.send(&all[at - 1..at]).until_read();
        if at % 8 == 1 {
            server.ask("/").must_get(200, "home", MEANWHILE);
        }
    }
    slow.send(&all[all.len() - 1..]);
    let answer = slow.answer(Likely::always(PIECES));
    slow.expect_status(&answer, &[200], PIECES);
    slow.expect_body(&answer, b"1\n", PIECES);
}

#[test]
fn check_05_pipelined_requests() {
    after(check_03_one_request_after_the_other);
    let check =
        check!("requests that are sent without waiting are answered in order")
            .read("after-an-answer");
    const LOST: Likely = Likely {
        silent: "a request was lost. One read may bring many: after an answer comes \
                 ReadingHead, which looks for another head before it reads.",
        closed: "the connection ended although requests were left. After an answer comes \
                 the next one; and when the client has closed its half, what was read \
                 before is still answered.",
        ..NO_ANSWER
    };
    check.answers_in_order(
        LOST,
        "half of another request has come, and the answer to the first one is kept until \
         the other half comes: if there is output, write before you wait.",
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
fn check_06_a_flood_that_nobody_reads() {
    after(check_05_pipelined_requests);
    after(check_13_handlers_that_wait);
    let check = check!("a client that asks and doesn't read fills no memory")
        .read("after-an-answer")
        .with_options("--root book/src");
    const STOPS: &str = "one client's flood keeps the others waiting.";
    const PILE: &str = "answers pile up. When is_full(), go to Writing, and only from \
                        there back to ReadingHead: the rest stays in the kernel, and \
                        makes the client wait.";
    check.leaves_floods_in_the_kernel(STOPS, PILE, NO_ANSWER);
}

#[test]
fn check_07_a_slow_reader() {
    after(check_03_one_request_after_the_other);
    let check = check!(
        "a client that reads slowly gets all, and others are served meanwhile"
    )
    .read("what-is-left-over")
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
    const CUT: &str = "one write may take only a part of what it is given. While there is \
                       output, Done(n) means once more, and NotNow means Stay: the \
                       next turn goes on where this one stopped.";
    const MEANWHILE: &str = "a client that reads slowly keeps the others waiting. One \
                             write may take only a part of what it is given: while \
                             there is output, NotNow means Stay, and the next turn \
                             goes on where this one stopped.";
    let mut late = server.ask("/large");
    late.read_some(300_000);
    server.comes_to_rest();
    for _ in 0..5 {
        server.ask("/").must_get(200, "home", MEANWHILE);
    }
    let answer = late.answer(Likely::always(CUT));
    late.expect_status(&answer, &[200], CUT);
    late.expect_body(&answer, large.as_bytes(), CUT);
    check.ends_after_a_large_answer(
        "this client had asked to close, and its answer took more than one turn. What \
         comes then is decided in answer(), and write() mustn't forget it: NotNow means \
         Stay(Writing(then)). A last answer goes to Close or Linger, however full the \
         output is: ask that before is_full().",
    );
}

#[test]
fn check_08_one_that_never_pauses() {
    after(check_03_one_request_after_the_other);
    let check = check!("a client that sends without a pause keeps nobody waiting")
        .read("one-turn-of-reading")
        .by_hand(
            "yes '' | sed 's/$/\\r/' | nc 127.0.0.1 {port} & sleep 1\n\
             curl -sm 1 http://{addr}/app/visit; kill %1",
        );
    const STARVED: &str = "one client has the loop for itself. In each turn a \
                           conversation reads once and writes once at most, however \
                           much there is.";
    check.gives_each_client_its_turn(STARVED, NO_ANSWER);
}

#[test]
fn check_09_two_hundred_clients() {
    after(check_04_a_request_in_single_bytes);
    let check = check!("two hundred idle clients cost no thread, and hold nobody up")
        .read("what-one-thread-can-do")
        .by_hand(
            "for i in $(seq 200); do (sleep 9 | nc 127.0.0.1 {port}) & done; sleep 1\n\
             time curl -s http://{addr}/app/visit; grep Threads /proc/$(pgrep -x \
             {package})/status",
        );
    const HELD_UP: &str = "clients that say nothing hold others up. Each has its turn, \
                           reads nothing, and stays where it is.";
    check.serves_two_hundred_clients(HELD_UP);
}

#[test]
fn check_10_no_more_than_so_many() {
    after(check_02_still_serves_files);
    let check = check!(
        "--connections N are served, one more is told 503, and then let go"
    )
    .read("when-the-house-is-full")
    .with_options("--connections 3")
    .by_hand(
        "for i in 1 2 3; do (sleep 60 | nc 127.0.0.1 {port}) & done; sleep 0.2\n\
             curl -si http://{addr}/ | head -5",
    );
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--connections", "3"];
    let server = check.start(&args);
    const MORE: &str =
        "three clients are connected, and there is no place for another one.";
    const FREE: &str = "when a client leaves, its place is free.";
    let (mut busy, rest) = server.ask_half("/");
    let mut others: Vec<_> = (0..2).map(|_| server.ask_half("/")).collect();
    let mut turned_away = server.ask("/");
    let answer = turned_away.answer(Likely::always(MORE));
    turned_away.expect_status(&answer, &[503], MORE);
    busy.send(rest);
    let answer = busy.answer(Likely::always(FREE));
    busy.expect_body(&answer, b"home", FREE);
    drop(others.pop());
    let until = Instant::now() + harness::DEADLINE;
    loop {
        let mut next = server.ask("/");
        let answer = next.answer(Likely::always(FREE));
        next.hang_up();
        match answer.status() {
            200 => break,
            _ if Instant::now() > until => check.fail("No place becomes free.", FREE),
            _ => {}
        }
    }
    drop(server);
    // Half of those who are turned away leave, the others stay.
    let server = check.start(&["--connections", "0", "--patience", "150"]);
    let before = server.comes_to_rest().then(|| server.open_files());
    let mut turned_away: Vec<_> = (0..30).map(|_| server.ask("/")).collect();
    for client in &mut turned_away {
        let answer = client.answer(Likely::always(MORE));
        client.expect_status(&answer, &[503], MORE);
    }
    turned_away.truncate(15);
    if let Some(before) = before.flatten() {
        server.must_hold_fewer_descriptors_than(
            before + 1,
            "a client that was turned away lingers for a second at most, whether it \
             leaves or not: then its time is up, and its conversation over.",
        );
    }
}

const UNTOLD: &str = "the time of this client is up, and it wasn't told so. NotNow, when it \
                      is late, is 408 if half a head has come: the client can still read.";

#[test]
fn check_11_half_a_head() {
    after(check_04_a_request_in_single_bytes);
    let check = check!("a client that stops in the middle of a head gets 408")
        .read("one-turn-of-reading")
        .with_options("--patience 1000")
        .by_hand("(printf 'GET / HTTP/1.1\\r\\n'; sleep 2) | nc 127.0.0.1 {port}");
    check.refuses_half_a_head(
        "the server waits for the rest of the head forever. Each state but Handling has \
         its time; and read_head() asks is_late() whenever there is nothing to read.",
        UNTOLD,
        "the client is told, with another status than 408. Nothing is wrong with what it \
         has sent: 400 is for a stream that ends (Done(0)), and late is NotNow.",
    );
}

#[test]
fn check_12_a_head_that_trickles() {
    after(check_11_half_a_head);
    let check = check!("the deadline is for the whole head, not for each read")
        .read("one-turn-of-reading")
        .with_options("--patience 1000")
        .by_hand(
            "(printf 'GET / HTTP/1.1\\r\\nX: '; while sleep 0.3; do printf x; done) | nc \
             127.0.0.1 {port}\n\
             while sleep 0.3; do printf '\\r\\n'; done | nc 127.0.0.1 {port}",
        );
    check.refuses_a_head_that_trickles(
        "a byte every few milliseconds keeps the connection alive. The client's time \
         begins when its state is entered: go round in read_head(), and don't return \
         To(ReadingHead) from it.",
        "an empty line before the request gives the client its time again. Its time \
         begins when the state is entered: go round in read_head(), and don't return \
         To(ReadingHead) from it.",
    );
}

#[test]
fn check_13_handlers_that_wait() {
    after(check_03_one_request_after_the_other);
    let check = check!("a handler that waits keeps nobody else waiting")
        .read("handlers-that-wait")
        .by_hand(
            "curl -s http://{addr}/app/wait/3000 & curl -s http://{addr}/app/wait/3000 &\n\
             sleep 0.2; curl -sm 1 http://{addr}/app/visit; wait\n\
             curl -si http://{addr}/app/meet/3/50",
        );
    const SLEEPS: &str = "while one handler waits, no one else is served. poll() must not \
                          wait: if the moment hasn't come, return None. And None is Stay \
                          for handle(): the loop asks again in its next turn, while \
                          To(Handling) would ask again in this one, forever.";
    const ORDER: &str = "this handler waits for somebody who hasn't come. None means \
                         Stay, and the next request of the same connection isn't \
                         looked at before the answer to this one is there.";
    const MET: &str = "these handlers wait for each other, and each must be asked again and \
                       again: look at the seat first, and then at the time.";
    const KEPT: &str = "an answer is finished, and is kept until the next one is: send what there is, \
         whatever the conversation waits for.";
    check.lets_handlers_wait(SLEEPS, ORDER, MET, KEPT);
}

#[test]
fn check_14_seats_are_given_back() {
    after(check_13_handlers_that_wait);
    let check =
        check!("a client that tears its connection down leaves no seat taken")
            .read("handlers-that-wait");
    const TAKEN: &str = "someone who is gone still has a seat in the meeting. handle() \
                         must look first whether its client is there: \
                         self.connection.check()? ends the conversation if it isn't, \
                         which drops the handler, and with it the seat.";
    const HALF_CLOSED: &str = "a client that closes its sending half has asked all that it \
                               wants to ask, and waits for its answer.";
    check.gives_seats_back(TAKEN, HALF_CLOSED);
}

#[test]
fn check_15_handlers_may_take_their_time() {
    after(check_13_handlers_that_wait);
    let check = check!("the deadlines are for the client, not for the handler")
        .read("how-long-a-state-may-last")
        .with_options("--patience 400")
        .by_hand("curl -si http://{addr}/app/wait/500");
    check.lets_handlers_take_their_time(
        "the handler took longer than the client may, and the client lost its answer. In \
         Handling the client has nothing to do, and so no deadline; in Writing its time \
         begins again.",
        "the first bytes of this request came with the request before, whose handler took \
         longer than a head may. That time isn't the client's: a head's time begins when \
         ReadingHead is entered.",
        "how-long-a-state-may-last",
    );
}

#[test]
fn check_16_a_steady_reader() {
    after(check_07_a_slow_reader);
    let check =
        check!("a slow client is served for longer than the server is patient")
            .read("what-is-left-over")
            .with_options("--patience 300 --root FOLDER-WITH-A-LARGE-FILE")
            .by_hand("curl -s --limit-rate 2M http://{addr}/large | wc -c");
    check.serves_a_steady_reader(
        "this client took 64 KiB in much less time than it has for them. flush() gives it \
         its time again with each 64 KiB: stay in Writing, and let no other deadline \
         cut it off.",
    );
}

#[test]
fn check_17_one_that_does_not_read() {
    after(check_07_a_slow_reader);
    let check = check!("a client that doesn't read its answer loses it in the end")
        .read("what-is-left-over")
        .with_options("--patience 1000 --root FOLDER-WITH-A-LARGE-FILE");
    let site = Site::with_a_home();
    site.large_file("large", 64 << 20, b"end");
    let args = ["--root", &site.arg(), "--patience", "100"];
    let server = check.start(&args);
    let before = server
        .comes_to_rest()
        .then(|| server.open_files())
        .flatten();
    let mut greedy = server.ask("/large");
    greedy.read_some(1);
    server
        .ask("/")
        .must_get(200, "home", "others are served meanwhile.");
    if let Some(before) = before {
        server.must_hold_fewer_descriptors_than(
            before + 1,
            "a client that reads nothing keeps its socket and its file forever. In \
             Writing, NotNow when it is late is the end: Failure::Lost with TimedOut, \
             because no one is left to tell.",
        );
    }
    greedy.hang_up();
}

#[test]
fn check_18_content() {
    after(check_05_pipelined_requests);
    let check = check!("content is skipped, and the next request begins after it");
    let check = check.read("what-stays");
    check.skips_content_by_length(ContentHints {
        usual: NO_ANSWER,
        kept: "all the content has come, and the server waits for more. Some of it was \
               read together with the head: skip() looks at it before it reads.",
        empty_line: "an empty line before a request is ignored: find_head() does so.",
    });
    check.refuses_smuggled_requests(NO_ANSWER);
}

#[test]
fn check_19_too_much_content() {
    after(check_18_content);
    let check =
        check!("content is read neither without end nor forever").read("what-stays");
    check.refuses_too_much_content(LimitHints {
        usual: NO_ANSWER,
        late: "content that comes too slowly is refused with 408: its time begins when \
               Skipping is entered, and no byte gives it back.",
        early: "the client is done before its content is: Done(0) is 400.",
        closed: "the server closed at once: after a refusal comes State::Lingering.",
    });
}

#[test]
fn check_20_garbage_and_resets() {
    after(check_03_one_request_after_the_other);
    let check =
        check!("empty connections, garbage, resets and panics end nobody else")
            .read("what-stays")
            .causes_panics(ASKED_TO);
    let site = Site::for_resets();
    let server = check.start_pool(&site, 1);
    const GONE: &str = "one client's error must end its own conversation, and no other: \
                        it's returned from turn(), and the loop drops the conversation.";
    for _ in 0..3 {
        server.connect();
        server.connect().half_close();
        server.connect().send(b"\x00\xff\r\n\r\n").half_close();
        server
            .connect()
            .send("GET / HTTP/1.1\r\nHost: a\r\n")
            .half_close();
        let mut client = server.ask("/app/panic");
        let answer = client.answer(Likely::always(
            "a handler that panics is answered with 500, and the only thread goes on.",
        ));
        client.expect_status(&answer, &[500], GONE);
    }
    server.reset_in_a_read(get("/"), "GET / HT");
    server.reset_in_a_write(get("/large"));
    server.ask("/").must_get(200, "home", GONE);
    server.must_still_run();
}

#[test]
#[cfg(unix)]
fn check_21_no_descriptors_left() {
    after(check_02_still_serves_files);
    const ENDED: &str = "accepting fails while all descriptors are in use. That passes \
                         when clients leave.";
    let check = check!("when accepting fails, the server waits and goes on")
        .read("when-the-house-is-full")
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
        "no descriptor was left for the file: the door keeps one in reserve, and gives \
         it up when accepting fails.",
    );
    drop(clients);
    server.ask("/").must_get(200, "home", ENDED);
    server.must_still_run_after(ENDED);
}

#[test]
#[cfg(unix)]
fn check_22_still_stops() {
    after(check_05_pipelined_requests);
    after(check_13_handlers_that_wait);
    let check =
        check!("asked to stop, the server answers what it has, and nothing else")
            .read("after-an-answer")
            .by_hand(
                "nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n {package})",
            );
    const SAME: &str = "once stopping has begun, the last answer is the one after which no \
                        other request has been read: answer() asks has_more(), and puts \
                        the last one with Persistence::Close. What was received before is \
                        answered.";
    check.stops_though_connections_stay(NO_ANSWER, SAME, SAME);
    let site = Site::with_a_home();
    let mut server = check.start_pool(&site, 1);
    let mut waiting = server.connect();
    waiting
        .send(get("/app/wait/200") + &get("/app/visit"))
        .until_read();
    server.signal("TERM");
    for text in ["waited 200 ms\n", "1\n"] {
        let answer = waiting.answer(Likely::always(SAME));
        waiting.expect_body(&answer, text.as_bytes(), SAME);
    }
    server.must_end(0, SAME);
}

#[test]
#[cfg(unix)]
fn check_23_idle_clients_do_not_delay_the_end() {
    after(check_22_still_stops);
    let check =
        check!("clients that have sent nothing, or half a request, delay no end")
            .read("how-long-a-state-may-last");
    const LATE: &str = "while the server stops, a head or content has LAST_LOOK to come, \
                        and no client lingers for longer than SHORT_LINGER.";
    check.does_not_wait_for_the_idle(LATE, UNTOLD, LATE);
    check.ends_at_a_second_signal(SIGNAL, SIGNAL);
}

#[cfg(unix)]
const SIGNAL: &str = "a second signal ends the program at once, as in chapter 11.";

#[test]
#[cfg(unix)]
fn check_24_connected_clients_are_taken() {
    after(check_23_idle_clients_do_not_delay_the_end);
    let check =
        check!("clients whom nobody accepted yet are answered before the end")
            .read("when-the-house-is-full");
    const FORGOTTEN: &str = "clients were connected, and their requests were here: they \
                             waited outside until others had left. The door stays open \
                             until nobody waits there.";
    check.takes_who_is_connected(
        "accepting has to pause after it has failed.",
        FORGOTTEN,
    );
}

#[test]
fn check_25_pictures() {
    after(check_02_still_serves_files);
    let check =
        check!("pictures are painted by the pool").read("the-picture-freezes-all");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    const OTHER: &str = "picture.rs, fork_join.rs and the pool are chapter 15's.";
    check.has_pictures(&server, OTHER);
    server.leaves_must_meet(2, OTHER);
}

#[test]
fn check_26_a_real_client() {
    after(check_02_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_27_starts_as_before() {
    after(check_02_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.wants_a_number_for("--connections");
    let run = check.run(&["127.0.0.1:0", "--threads", "0"]);
    run.refuses_a_pool_of_nothing(
        "a pool of nothing paints nothing: say so, and end.",
    );
    check.starts_as_in_chapter_01();
}
