//! Milestone of chapter 10: whatever clients do, N workers stay at work. A handler
//! that panics is answered with 500, a client that takes too long with 408 or not at
//! all.

use std::thread;
use std::time::{Duration, Instant};

use harness::{
    Check, DEADLINE, FEWER, Likely, MORE, Program, Random, Site, after, get,
    some_threads,
};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "jobs-that-panic",
    "a-deadline-for-the-head",
    "jobs-that-panic",
    "a-deadline-for-writing",
    "when-accept-fails",
];

const SERVED: &str = "a job that waits is run as soon as a worker is free, as in \
                      chapter 09.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 09").read("what-stays");
    const SAME: &str = "it did in chapter 09: git diff chapters/10-hostile-clients \
                        shows what has changed.";
    check.still_serves_files(Likely::always(SAME), SAME);
}

#[test]
fn check_02_as_many_at_once_as_threads() {
    after(check_01_still_serves_files);
    let check = check!("N handlers run at once in a pool of N threads")
        .read("what-stays")
        .with_options("--threads 3")
        .by_hand(
            "(for i in 1 2 3; do curl -s http://{addr}/app/meet/3/300 & done; wait)",
        );
    let site = Site::with_a_home();
    let threads = some_threads();
    check.start_pool(&site, threads).must_meet(threads, FEWER);
}

#[test]
fn check_03_never_more() {
    after(check_02_as_many_at_once_as_threads);
    let check = check!("N + 1 handlers never run at once in a pool of N threads")
        .read("what-stays")
        .with_options("--threads 3")
        .by_hand(
            "(for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; \
             wait)",
        );
    check.serves_no_more_than_threads(MORE, SERVED);
}

#[test]
fn check_04_a_free_worker_is_enough() {
    after(check_03_never_more);
    let check = check!("while one worker is free, nobody waits")
        .read("what-stays")
        .with_options("--threads 3")
        .by_hand(
            "nc 127.0.0.1 {port} &\n\
             nc 127.0.0.1 {port} &\n\
             for i in 1 2 3 4 5 6; do curl -sm 1 http://{addr}/app/visit || echo \
             held up; done",
        );
    const HELD_UP: &str = "a job waits although a worker is free. Is there one queue \
                           for all workers, and is its lock released before the job \
                           runs?";
    check.serves_all_while_one_thread_is_free(HELD_UP);
}

/// All N workers are at work: N handlers meet.
#[track_caller]
fn all_workers_are_there(server: &Program, threads: usize, likely: &'static str) {
    server.must_meet(threads, likely);
    server.must_still_run();
}

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";

#[test]
fn check_05_a_panic_is_answered() {
    after(check_04_a_free_worker_is_enough);
    let check = check!("a handler that panics is answered with 500")
        .read("jobs-that-panic")
        .causes_panics(ASKED_TO)
        .with_options("--threads 2")
        .by_hand("curl -si http://{addr}/app/panic");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, some_threads());
    const UNANSWERED: &str = "the panic has unwound past the code that sends \
                              answers. Call the app inside catch_unwind(): a panic \
                              becomes an Err there, and the Err a response with 500.";
    for _ in 0..2 {
        let mut client = server.ask("/app/panic");
        let answer = client.answer(Likely::always(UNANSWERED));
        client.expect_status(&answer, &[500], UNANSWERED);
        client.hang_up();
    }
    let mut client = server.connect();
    client.send("HEAD /app/panic HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = client.answer_to_head(Likely::always(UNANSWERED));
    client.expect_status(&answer, &[500], UNANSWERED);
    client.expect_end(Likely {
        differs: "HEAD gets no content, not even after a panic: the client would \
                  take it for the next answer. Connection::send leaves it out: make \
                  the panic a response, in respond(), and let it go that way.",
        ..Likely::always(UNANSWERED)
    });
    server.ask("/app/visit").must_get(
        200,
        "1\n",
        "a panic must not end more than its own request.",
    );
    server.must_still_run();
}

#[test]
fn check_06_panics_take_no_worker_away() {
    after(check_05_a_panic_is_answered);
    let check = check!(
        "after any number of panics there are N workers, no fewer and no more"
    )
    .read("jobs-that-panic")
    .causes_panics(ASKED_TO)
    .with_options("--threads 2")
    .by_hand(
        "for i in 1 2 3 4 5 6; do curl -s http://{addr}/app/panic; done\n\
         for i in 1 2; do curl -sm 2 http://{addr}/app/meet/2 & done; wait",
    );
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = check.start_pool(&site, threads);
    const FEWER_NOW: &str = "each panic has taken a worker away. A panic that leaves \
                             the worker's loop ends the worker: catch_unwind() \
                             belongs around the one job, inside the loop, not around \
                             the loop.";
    const MORE_NOW: &str = "a panic brought a new worker, and the old one went on as \
                            well. Either the worker survives, or another takes its \
                            place.";
    all_workers_are_there(&server, threads, FEWER);
    let before = server.threads();
    for _ in 0..2 * threads {
        let mut client = server.ask("/app/panic");
        let answer = client.answer(Likely::always(FEWER_NOW));
        client.expect_status(&answer, &[500], FEWER_NOW);
        client.hang_up();
    }
    all_workers_are_there(&server, threads, FEWER_NOW);
    server.must_not_meet(threads + 1, MORE_NOW);
    // A worker that makes room for another may take a moment to end.
    let until = Instant::now() + DEADLINE;
    while server.threads() > before && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    if server.threads() > before {
        let count = |threads: Option<usize>| threads.unwrap_or_default();
        check.fail(
            format!(
                "The program had {} threads before {} panics, and {} after them.",
                count(before),
                2 * threads,
                count(server.threads())
            ),
            "the threads in which the panics happened are still there, and do \
             nothing. A thread whose work is over must end.",
        );
    }
}

#[test]
fn check_07_empty_connections_and_garbage() {
    after(check_04_a_free_worker_is_enough);
    let check =
        check!("empty connections, garbage and resets are errors, and no panics")
            .read("errors-are-values")
            .with_options("--threads 2")
            .by_hand(
                "for i in 1 2 3 4; do nc -N 127.0.0.1 {port} < /dev/null; done\n\
                 curl -sm 2 http://{addr}/app/visit",
            );
    let site = Site::with_a_home();
    site.large_file("large", 10 << 20, b"end");
    let threads = some_threads();
    let server = check.start_pool(&site, threads);
    let mut random = Random::default();
    for _ in 0..threads {
        server.connect();
        server.connect().half_close();
        server.connect().send(random.bytes(200)).half_close();
        server
            .connect()
            .send("GET / HTTP/1.1\r\nHost: a\r\n")
            .half_close();
    }
    for _ in 0..3 {
        server.reset_in_a_read(get("/"), "GET / HT");
    }
    for _ in 0..2 {
        server.reset_in_a_write(get("/large"));
    }
    const UNWRAPPED: &str = "a client's error has ended a worker or keeps it busy. \
                             read and write return a Result, and so must whatever \
                             calls them: unwrap() on it is a panic that any client \
                             can cause. If nothing has panicked: is fill's Ok(0) \
                             handled, and is a call that fails for another reason \
                             than a timeout made again and again?";
    all_workers_are_there(&server, threads, UNWRAPPED);
    // All workers have met, so each is done with what it did before.
    server.must_not_have_panicked(UNWRAPPED);
}

/// Starts a server that waits 100 ms for a client, and no longer.
#[track_caller]
fn start_impatient(check: &Check, site: &Site, threads: usize) -> Program {
    start_with_patience(check, site, threads, 100)
}

#[track_caller]
fn start_with_patience(
    check: &Check,
    site: &Site,
    threads: usize,
    patience: u32,
) -> Program {
    let (threads, patience) = (threads.to_string(), patience.to_string());
    let args = ["--threads", &threads, "--patience", &patience];
    check.start(&[&["--root", &site.arg()], &args[..]].concat())
}

/// What a client that is too slow for its head must be told.
const UNTOLD: &str = "the deadline has passed, and the client was not told so. A \
                      read whose time is up fails with WouldBlock on Unix and with \
                      TimedOut on Windows: that is no broken connection. The client \
                      can still read, and 408 tells it what went wrong.";

/// Where the client is told, and told the wrong thing.
const NOT_WRONG: &str = "the client is told, with another status than 408. Nothing \
                         is wrong with what it has sent, so 400 accuses it of a \
                         mistake that it has not made; it is only late, and 408 \
                         (Request Timeout) says so. 400 is for a stream that ends in \
                         the middle of a head: tell fill's Ok(0) from an error for \
                         which is_timeout() is true.";

#[test]
fn check_08_half_a_head() {
    after(check_04_a_free_worker_is_enough);
    let check = check!("a client that stops in the middle of a head gets 408")
        .read("a-deadline-for-the-head")
        .with_options("--threads 2 --patience 1000")
        .by_hand("(printf 'GET / HTTP/1.1\\r\\n'; sleep 2) | nc 127.0.0.1 {port}");
    const FOREVER: &str = "the server waits for the rest of the head for ever, and \
                           so does its worker. Before each read, set_read_timeout() \
                           with the time that is left until the deadline.";
    check.refuses_half_a_head(FOREVER, UNTOLD, NOT_WRONG);
}

#[test]
fn check_09_and_its_worker_goes_on() {
    after(check_08_half_a_head);
    let check = check!("after a 408 the worker goes on, although the client stays")
        .read("a-deadline-for-the-head")
        .with_options("--threads 1 --patience 1000")
        .by_hand(
            "(printf 'GET / HTTP/1.1\\r\\n'; sleep 2) | nc 127.0.0.1 {port} &\n\
             curl -sm 5 http://{addr}/app/visit",
        );
    let site = Site::with_a_home();
    let server = start_impatient(&check, &site, 1);
    let (mut half, _) = server.ask_half("/");
    let answer = half.answer(Likely::always(UNTOLD));
    half.expect_status(&answer, &[408], NOT_WRONG);
    server.ask("/").must_get(
        200,
        "home",
        "after the 408 the worker still waits for this client to send more, or to \
         close. Send the answer with Connection: close, finish the connection, and \
         turn to the next job.",
    );
    half.hang_up();
    let mut head = server.connect();
    head.send("HEAD / HTTP/1.1\r\n");
    let answer = head.answer_to_head(Likely::always(UNTOLD));
    head.expect_status(&answer, &[408], NOT_WRONG);
    head.expect_end(Likely {
        differs: "what has come begins with HEAD, and no answer to HEAD has content, \
                  a refusal neither. Connection::send knows that: send the refusal \
                  like any other response.",
        ..Likely::always(UNTOLD)
    });
}

#[test]
fn check_10_a_head_that_trickles() {
    after(check_08_half_a_head);
    let check = check!("the deadline is for the whole head, not for each read")
        .read("a-deadline-for-the-head")
        .with_options("--threads 1 --patience 1000")
        .by_hand(
            "(printf 'GET / HTTP/1.1\\r\\nX: '; while sleep 0.3; do printf x; done) \
             | nc 127.0.0.1 {port}\n\
             while sleep 0.3; do printf '\\r\\n'; done | nc 127.0.0.1 {port}",
        );
    const EACH: &str = "a byte every few milliseconds keeps the connection alive: \
                        each read gets the whole timeout anew. Fix the deadline \
                        once, before the first read of the head, and give each read \
                        the time that is left.";
    const EMPTY: &str = "an empty line before the request begins the deadline anew. \
                         Fix it once, before the first read, outside the loop.";
    check.refuses_a_head_that_trickles(EACH, EMPTY);
}

#[test]
fn check_11_a_handler_may_take_its_time() {
    after(check_04_a_free_worker_is_enough);
    let check = check!("the deadlines are for the client, not for the handler")
        .read("a-deadline-for-writing")
        .with_options("--threads 2 --patience 400")
        .by_hand(
            "curl -si http://{addr}/app/wait/500\n\
             (printf 'GET /app/wait/500 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET /app/'; \
             sleep 0.7; printf 'visit HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n') | nc \
             127.0.0.1 {port}",
        );
    const ONE_FOR_ALL: &str = "one deadline covers the whole conversation. The \
                               handler took longer than the client may, and the \
                               client lost its answer. The deadline for the head \
                               ends with the head; writing begins with a deadline of \
                               its own.";
    const NEXT_HEAD: &str = "the first bytes of this request came with the request \
                             before, whose handler took longer than a head may. That \
                             time is not the client's: a head's deadline is fixed \
                             when read_head begins, and not in Connection::new.";
    let section = "a-deadline-for-the-head";
    check.lets_handlers_take_their_time(ONE_FOR_ALL, NEXT_HEAD, section);
}

#[test]
fn check_12_a_client_that_reads_late() {
    after(check_04_a_free_worker_is_enough);
    let check =
        check!("a client that reads nothing for a while, and then all, gets all")
            .read("a-deadline-for-writing")
            .with_options("--threads 2 --root FOLDER-WITH-A-LARGE-FILE")
            .by_hand(
                "curl -s http://{addr}/large | (sleep 1; cmp - \
                 FOLDER-WITH-A-LARGE-FILE/large && echo the same)",
            );
    let site = Site::with_a_home();
    // No two places are alike: what is sent twice, or left out, is seen.
    let large: String = (0..1 << 16).map(|line| format!("{line:255}\n")).collect();
    site.file("large", &large);
    let server = check.start_pool(&site, 2);
    const CUT: &str = "the client's time was not up: it has ten seconds for each 64 \
                       KiB. One write waits no longer than LOOK_AGAIN. When that has \
                       passed, go round again; only the deadline ends the loop. And \
                       one write may take only a part of the bytes: as long as some \
                       are left, the loop goes on.";
    const PART: &str = "bytes were sent twice, or left out. One write may take only \
                        a part of what it is given, and returns how many bytes that \
                        was: go on behind these. write_all of the standard library \
                        does not tell how much it has sent when its time is up, so \
                        nobody can go on behind that.";
    const BUSY: &str = "to ask for room again and again without a pause burns a \
                        core. Let the write wait: set_write_timeout() with the time \
                        that is left, at most LOOK_AGAIN.";
    let mut late = server.ask("/large");
    late.read_some(300_000);
    server.comes_to_rest();
    let (begin, waits) = (Instant::now(), server.waits());
    if let Some(used) = server.spins(Duration::from_millis(300)) {
        check.fail(
            format!(
                "While it waited for the client to read, the program was busy all \
                 the time: {used:?} of a core."
            ),
            BUSY,
        );
    }
    // It waits again and again: a first wait may end with a part of the piece sent.
    while server.waits() < waits.map(|waits| waits + 4)
        && begin.elapsed() < Duration::from_millis(900)
    {
        thread::sleep(Duration::from_millis(5));
    }
    let answer = late.answer(Likely::always(CUT));
    late.expect_status(&answer, &[200], CUT);
    late.expect_body(&answer, large.as_bytes(), PART);
    late.hang_up();
}

#[test]
fn check_13_a_client_that_reads_steadily() {
    after(check_04_a_free_worker_is_enough);
    let check =
        check!("a slow client is served for longer than the server is patient")
            .read("a-deadline-for-writing")
            .with_options(
                "--threads 2 --patience 300 --root FOLDER-WITH-A-LARGE-FILE",
            )
            .by_hand("curl -s --limit-rate 2M http://{addr}/large | wc -c");
    const STEADY: &str = "this client took 64 KiB in much less time than it has for \
                          them. Either one deadline is for all that the connection \
                          sends: fix one in each call of write_all. Or a write waits \
                          for all the time that is left: the kernel wakes it only \
                          when much of its buffer is free, so wait no longer than \
                          LOOK_AGAIN and write again.";
    check.serves_a_steady_reader(STEADY);
}

#[test]
fn check_14_a_client_that_does_not_read() {
    after(check_04_a_free_worker_is_enough);
    let check = check!(
        "a client that does not read its answer loses it, and its worker goes on"
    )
    .read("a-deadline-for-writing")
    .with_options("--threads 1 --patience 1000 --root FOLDER-WITH-A-LARGE-FILE")
    .by_hand(
        "printf 'GET /large HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port} \
         | sleep 60 &\n\
         curl -sm 5 http://{addr}/app/visit",
    );
    check.gives_up_on_one_that_does_not_read(
        "the write waits for ever for a client that does not read, and so does its \
         worker. set_write_timeout() bounds the wait of one write, and only a \
         deadline that is fixed before the loop bounds them all. When it has passed, \
         that is an error for whoever called write_all: Ok would mean that all has \
         been sent.",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn check_15_stopped_and_continued() {
    after(check_04_a_free_worker_is_enough);
    let check = check!(
        "a server that is stopped (Ctrl-Z) and continued goes on where it was"
    )
    .read("a-deadline-for-the-head")
    .with_options("--threads 2")
    .by_hand(
        "(printf 'GET / HT'; sleep 4; printf 'TP/1.1\\r\\nHost: a\\r\\n\\r\\n') | nc \
         -q 1 127.0.0.1 {port} &\n\
         sleep 1; kill -STOP $(pgrep -x {package}); sleep 1; kill -CONT $(pgrep -x \
         {package}); wait",
    );
    let site = Site::with_a_home();
    // More than all the buffers on the way hold.
    let large = vec![b'x'; 16 << 20];
    site.file("large", &large);
    let server = check.start_pool(&site, 3);
    const READ: &str = "a signal interrupts a read that has a timeout: it fails with \
                        ErrorKind::Interrupted, see signal(7). That is neither a \
                        timeout nor an error of the connection: read again, with the \
                        same deadline.";
    const WRITE: &str = "a signal interrupts a write that has a timeout: it fails \
                         with ErrorKind::Interrupted, see signal(7), or returns how \
                         much it has sent so far. Neither is an error: write what is \
                         left, with the same deadline.";
    let mut late = server.ask("/large");
    late.read_some(300_000);
    let (mut half, rest) = server.ask_half("/");
    // The first write that waits may have sent a part of its bytes, and then says so
    // in place of failing. The next one has sent none.
    // The third worker is the clock: after that time, the buffers are full.
    server
        .ask("/app/wait/120")
        .must_get(200, "waited 120 ms\n", FEWER);
    for _ in 0..3 {
        server.stop_and_continue();
    }
    half.send(rest);
    half.must_get(200, "home", READ);
    let answer = late
        .read("a-deadline-for-writing")
        .by_hand(
            "curl -s http://{addr}/large | (sleep 4; wc -c) &\n\
             sleep 1; kill -STOP $(pgrep -x {package}); sleep 1; kill -CONT $(pgrep \
             -x {package}); wait",
        )
        .answer(Likely::always(WRITE));
    late.expect_status(&answer, &[200], WRITE);
    late.expect_body(&answer, &large, WRITE);
    late.hang_up();
}

#[test]
#[cfg(unix)]
fn check_16_no_files_left() {
    after(check_04_a_free_worker_is_enough);
    const ENDED: &str = "accept() failed because all file descriptors were in use \
                         (EMFILE). That passes when clients leave: it must not end \
                         the loop, neither through ? nor break nor unwrap().";
    let check = check!("when accepting fails, the server waits and goes on")
        .read("when-accept-fails")
        .if_it_ends(ENDED)
        .by_hand(
            "cargo build -p chapter10\n\
             (ulimit -n 16; target/debug/chapter10)\n\
             # then, in a second terminal:\n\
             for i in $(seq 30); do nc 127.0.0.1 {port} & done\n\
             top -bn1 | grep chapter10; kill $(jobs -p); curl -sm 5 \
             http://{addr}/app/visit",
        );
    const SPINS: &str = "accept() fails at once while no file descriptor is left, \
                         and the loop tries again at once. Wait a moment after such \
                         an error.";
    const PAUSED: &str = "the loop waits even if accept() succeeds. Only a failure \
                          has a pause behind it: sleep in the arm of that error.";
    check.waits_for_descriptors(SPINS, ENDED, PAUSED);
}

#[test]
fn check_17_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("what-stays")
        .by_hand("cargo run -p chapter10 -- --threads 0; echo \"exit code $?\"");
    let run = check.run(&["127.0.0.1:0", "--threads", "0"]);
    run.refuses_a_pool_of_nothing(
        "a pool of nothing serves nobody: say so, and end with exit code 1.",
    );
    check.wants_a_number_for("--threads");
    check.wants_a_number_for("--patience");
    check
        .run(&["127.0.0.1:0", "--patience", "0"])
        .code_is_one_of(&[1, 2], "a patience of zero serves nobody: refuse it.");
}

#[test]
fn check_18_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_19_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
