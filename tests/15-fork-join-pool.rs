//! Milestone of chapter 15: heavy requests share the threads that the pool has,
//! none is added, and none of them waits while it could work.

use std::time::{Duration, Instant};

use harness::{Check, FEWER, Likely, MORE, Program, Site, after, get, some_threads};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "a-free-worker-takes-a-half",
    "the-obvious-join",
    "the-obvious-join",
    "take-it-back",
    "pieces-that-own-themselves",
    "a-panic-comes-home",
];

const NO_ANSWER: Likely = Likely {
    silent: "the handler doesn't come to its end, or it never begins. Does a \
             worker wait for a subtask that no one runs? Is an idle worker woken \
             when a client comes?",
    closed: "the server closed the connection: an HTTP/1.1 connection stays open \
             for the next request until one side says \"Connection: close\".",
    reset: "the server closed the connection while bytes that the client had sent \
            were unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so \
              that the next one begins in the wrong place.",
};

/// The messages of panics that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";
const LAST_LEAF_ASKED_TO: &str = "the last leaf panics, as it was asked to";
const LEAF_ASKED_TO: &str = "a leaf panics, as it was asked to";

/// Why a half that is forked off isn't run at the same time as the other one.
const APART: &str = "two halves of one request don't run at the same time, \
                     although a worker has nothing to do. Fork b first, then run \
                     a, and wait for b after that. A free worker looks at the \
                     deques of all others: steal(). If the leaves have met, and no \
                     answer comes: does the closure that's forked off call run(), \
                     which tells that b has ended?";
/// Why not all leaves of a fork/join run at once, or none comes to its end.
const NOT_CUT: &str = "a part of the work isn't cut small enough to be shared. \
                       fork_join() calls itself for each half, until a piece has \
                       few enough items, and gives both halves to join(). Does \
                       the middle lie between start and end?";
/// Why requests never end that wait for each other's worker.
const DEADLOCK: &str = "each worker waits for a subtask that no one has begun, so \
                        no worker is left to begin it. Before wait_for() sleeps, \
                        it takes back what it has forked off itself: take(), run \
                        it, and look into the slot again. If it does that already: \
                        is the lock free while a subtask runs?";
/// Why a worker that waits is of no use to others.
const NO_HELP: &str = "a worker that waits for a subtask that another one runs \
                       doesn't help that one: take() also returns what others have \
                       forked off, and a worker that sleeps is woken when \
                       something is. Go round again after sleep(), and look for \
                       both. If it does that: does b go through worker.fork()? A \
                       thread of your own is no worker.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 14").read("what-stays");
    check.still_serves_files(
        NO_ANSWER,
        "it did in chapter 14: git diff chapters/15-fork-join-pool shows what has \
         changed.",
    );
}

#[test]
fn check_02_one_request_after_the_other() {
    after(check_01_still_serves_files);
    let check = check!("one connection serves many requests, as in chapter 14")
        .read("what-stays")
        .causes_panics(ASKED_TO)
        .by_hand("curl -v http://{addr}/app/visit http://{addr}/app/visit");
    check.serves_one_request_after_the_other(
        NO_ANSWER,
        "HEAD gets no content, not even after a panic: send() leaves it out, \
         whatever the answer is.",
    );
}

/// Asks for a fork/join of these leaves, which must come to its end. `apart` says
/// what is likely if leaves don't meet, and `silent` if there's no answer.
#[track_caller]
fn must_join(server: &Program, leaves: &str, [apart, silent]: [&'static str; 2]) {
    let target = format!("/app/join/{leaves}");
    let mut client = server.ask(&target);
    client.by_hand(&format!("curl http://{{addr}}{target}"));
    let answer = client.answer(Likely {
        silent,
        ..Likely::always(apart)
    });
    client.expect_status(&answer, &[200], apart);
    client.expect_body(&answer, b"joined\n", apart);
    client.hang_up();
}

#[test]
fn check_03_two_workers_share_a_request() {
    after(check_01_still_serves_files);
    let check = check!("a worker without a request takes a half of another one's")
        .read("the-obvious-join")
        .with_options("--threads 2")
        .by_hand("curl http://{addr}/app/join/meet-2/meet-2");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    for _ in 0..5 {
        must_join(&server, "meet-2/meet-2", [APART, APART]);
    }
    let many = "join".to_owned() + &"/now".repeat(17);
    for target in [&*many, "join", "join/later", "halves/0", "halves/65"] {
        server.get_reply(&format!("/app/{target}")).status(
            &[400],
            "that's in app.rs and leaves.rs, which were given: git diff \
             chapters/15-fork-join-pool shows what changed.",
        );
    }
}

#[test]
fn check_04_as_many_requests_as_workers() {
    after(check_03_two_workers_share_a_request);
    let check = check!("N requests can fork on N workers, and one worker is enough")
        .read("take-it-back");
    let site = Site::with_a_home();
    for workers in [2, some_threads()] {
        let first = format!("/app/meet/{workers}/3000");
        let urls = format!("http://{{addr}}{first} http://{{addr}}/app/join/now/now");
        let check = check
            .clone()
            .with_options(&format!("--threads {workers}"))
            .by_hand(&format!(
                "(for i in $(seq {workers}); do curl -s -m 5 {urls} & done; wait)"
            ));
        let server = check.start_pool(&site, workers);
        // When they have met, each has a worker, and keeps it: none is free.
        let mut clients = server.ask_often(workers, &first);
        for client in &mut clients {
            let answer = client.answer(Likely::always(FEWER));
            client.expect_status(&answer, &[200], FEWER);
        }
        for client in &mut clients {
            client.send(get("/app/join/now/now"));
        }
        for client in clients {
            client.must_get(200, "joined\n", DEADLOCK);
        }
    }
    let check = check.with_options("--threads 1");
    let server = check.start_pool(&site, 1);
    must_join(&server, "now/now/now/now", [DEADLOCK, DEADLOCK]);
    for client in server.ask_often(20, "/app/join/now/now") {
        client.must_get(200, "joined\n", DEADLOCK);
    }
}

#[test]
fn check_05_a_worker_that_waits_helps() {
    after(check_04_as_many_requests_as_workers);
    let check =
        check!("a worker that waits for its own subtask runs those of others")
            .read("help-the-others")
            .with_options("--threads 2");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    for _ in 0..5 {
        // When the first two leaves have met, one worker runs the third, and the
        // other one waits: it's the only one that can run the fourth.
        must_join(&server, "meet-2/meet-2/meet-2/meet-2", [NO_HELP, NO_HELP]);
    }
    const GOES_ON: &str = "its own subtask has ended, and the worker that waited for \
                           it runs another request's subtask instead of answering: \
                           that one may take as long as it likes. Look into the \
                           slot before each subtask that you run, and not only \
                           when there's none left.";
    let check = check.by_hand(
        "curl http://{addr}/app/join/meet-2+wait-1000/meet-2 & sleep 0.5\n\
         curl http://{addr}/app/join/wait-9000/wait-9000 & wait %1",
    );
    let server = check.start_pool(&site, 2);
    let mut first = server.ask("/app/join/meet-2+wait-150/meet-2");
    first.until_read();
    // The worker that has run the second leaf has time for another request, which
    // leaves something to steal.
    let _other = server.ask("/app/join/wait-10000/wait-10000");
    first.must_get(200, "joined\n", GOES_ON);
}

#[test]
fn check_06_pictures() {
    after(check_08_a_worker_that_waits_takes_no_conversation);
    let check = check!("a picture has the same bytes, however many workers paint it")
        .read("pieces-that-own-themselves")
        .with_options("--threads 2")
        .by_hand(
            "curl -so picture.bmp -w '%{http_code}\\n' \
             http://{addr}/app/picture/300/100",
        );
    const OTHER: &str = "cargo test -p chapter15 --bins fork_join_ says more. Is \
                         each item in one of the halves, and do the results of the \
                         left half come first? Halves of an odd number aren't \
                         alike.";
    const ANSWER: Likely = Likely {
        silent: DEADLOCK,
        ..NO_ANSWER
    };
    let site = Site::with_a_home();
    for workers in [1, 2, some_threads()] {
        check.has_pictures_or(&check.start_pool(&site, workers), ANSWER, OTHER);
    }
    check.has_pictures_at_once(&check.start_pool(&site, 2), ANSWER, OTHER);
}

#[test]
fn check_07_never_more_threads() {
    after(check_06_pictures);
    let check = check!("N leaves run at once on N workers, and no thread is added")
        .read("what-stays")
        .with_options("--threads 3")
        .by_hand(
            "curl http://{addr}/app/halves/3/2000\n\
             curl http://{addr}/app/halves/4/2000 & sleep 1\n\
             ls /proc/$(pgrep -n {package})/task | wc -l",
        );
    const MORE_THREADS: &str = "a fork/join makes threads. It doesn't have to: a \
                                subtask waits in a deque until one of the pool's \
                                workers takes it.";
    const MORE_LEAVES: &str = "more leaves than there are workers run at once: who \
                               runs the others?";
    let site = Site::with_a_home();
    let workers = some_threads();
    let server = check.start_pool(&site, workers);
    server.ask("/").must_get(200, "home", MORE_THREADS);
    server.comes_to_rest();
    let before = server.threads();
    for leaves in [workers, 2, workers] {
        server.leaves_must_meet(leaves, NOT_CUT);
    }
    let too_many = format!("/app/halves/{}/100", workers + 1);
    server.get_reply(&too_many).status(&[503], MORE_LEAVES);
    // More than can run at once, so that all workers are taken.
    let busy = [(); 3].map(|()| server.ask("/app/halves/16/60000"));
    for mut client in busy {
        client.is_read_within(Duration::from_millis(20));
    }
    server.comes_to_rest();
    let Some((before, now)) = before.zip(server.threads()) else {
        return check
            .pass_over("only Linux tells here how many threads a program has");
    };
    if now > before {
        check.fail(
            format!(
                "Before there was a fork/join the program had {before} threads, \
                 and now it has {now}."
            ),
            MORE_THREADS,
        );
    }
}

/// A fork/join of which one worker runs a leaf that waits, while another one has
/// nothing to do but to wait for that one. The two leaves meet first, so they are
/// on two workers.
fn one_waits(leaf: &str) -> String {
    format!("/app/join/meet-2/meet-2+{leaf}")
}

#[test]
fn check_08_a_worker_that_waits_takes_no_conversation() {
    after(check_05_a_worker_that_waits_helps);
    let check = check!("a worker that waits for its subtask begins no conversation")
        .read("what-a-helper-must-not-take")
        .with_options("--threads 2")
        .by_hand(
            "curl http://{addr}/app/join/meet-2+wait-2000/meet-2+wait-4000 &\n\
             sleep 1; for i in 1 2 3 4 5 6 7 8; do (sleep 30) | nc 127.0.0.1 \
             {port} & done; wait %1",
        );
    let site = Site::with_a_home();
    let root = site.arg();
    let args = ["--root", &root, "--threads", "2", "--patience", "60000"];
    const SLOW: &str = "its subtask has ended long ago, but the worker that waited \
                        for it has begun to serve somebody else meanwhile: a \
                        client that says nothing. A worker comes back from that \
                        when the client likes. In wait_for(), take subtasks and \
                        nothing else.";
    let mut wait = 120;
    loop {
        let server = check.start(&args);
        let begin = Instant::now();
        let target = format!("/app/join/meet-2+wait-{wait}/meet-2+wait-{}", 2 * wait);
        let mut client = server.ask(&target);
        client.until_read();
        server.comes_to_rest();
        let mut silent = Vec::new();
        for _ in 0..8 {
            silent.push(server.connect());
        }
        let begun = begin.elapsed();
        client.must_get(200, "joined\n", SLOW);
        // That says something only if one worker was done with its leaf, and waited
        // for the other one, when these clients were in the queue already.
        if begun.as_millis() < wait || wait > 1000 {
            break;
        }
        wait *= 3;
    }
}

#[test]
fn check_09_a_worker_that_waits_rests() {
    after(check_05_a_worker_that_waits_helps);
    let check = check!("a worker that waits and can't help uses no processor time")
        .read("two-places-to-sleep")
        .with_options("--threads 2")
        .by_hand(
            "curl http://{addr}/app/join/meet-2/meet-2+wait-3000 & sleep 1\n\
             top -b -n 1 -p $(pgrep -n {package})",
        );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    let mut client = server.ask(&one_waits("wait-10000"));
    client.until_read();
    server.comes_to_rest();
    if let Some(used) = server.spins(Duration::from_millis(120)) {
        check.fail(
            format!(
                "One worker sleeps in a leaf and another one waits for it, and the \
                 program used {used:?} of processor time."
            ),
            "a worker asks again and again whether its subtask has ended, or \
             whether there's another one to run. If there isn't, let it sleep: \
             sleep() lets go of the lock, and returns when there's news.",
        );
    }
    server.comes_to_rest();
    if let Some(wakes @ 2..) = server.wakes(Duration::from_millis(150)) {
        check.fail(
            format!(
                "One worker sleeps in a leaf and another one waits for it, and the \
                 program's threads woke up {wakes} times in 150 ms."
            ),
            "a worker naps, looks whether its subtask has ended, and naps again, \
             as with thread::sleep() or wait_timeout(). It needs no clock: whoever \
             runs the subtask wakes it.",
        );
    }
}

#[test]
fn check_10_the_right_one_is_woken() {
    after(check_05_a_worker_that_waits_helps);
    let check = check!("while a worker waits for its subtask, others serve clients")
        .read("two-places-to-sleep")
        .with_options("--threads 3")
        .by_hand(
            "curl http://{addr}/app/join/meet-2/meet-2+wait-3000 & sleep 1\n\
             for i in 1 2 3 4; do curl -m 1 http://{addr}/app/visit; done",
        );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 3);
    const ASLEEP: &str = "a worker is free, and sleeps on while a client waits. \
                          Was the worker woken that waits for its subtask? It \
                          mustn't serve clients, so the one call of notify_one() \
                          was wasted. Let the two kinds sleep on two Condvars, or \
                          wake all.";
    let mut waits = server.ask(&one_waits("wait-10000"));
    waits.until_read();
    server.comes_to_rest();
    for visit in 1..=4 {
        let visitor = server.ask("/app/visit");
        visitor.must_get(200, &format!("{visit}\n"), ASLEEP);
        server.comes_to_rest();
    }
    drop(server);
    const ANOTHER: &str = "its subtask has ended, and it sleeps on. Was another \
                           worker woken, one that waits for another subtask? \
                           Whoever ends one can't know which of the sleepers waits \
                           for it: notify_all().";
    let check = check.with_options("--threads 4").by_hand(
        "curl http://{addr}/app/join/meet-4/meet-4+wait-9000 &\n\
         curl -m 5 http://{addr}/app/join/meet-4+wait-200/meet-4+wait-400",
    );
    let server = check.start_pool(&site, 4);
    // The four leaves meet, so each has a worker. The one that waits longest has
    // been asleep for longer when the other one's subtask ends.
    let _waits = server.ask("/app/join/meet-4/meet-4+wait-10000");
    server
        .ask("/app/join/meet-4+wait-50/meet-4+wait-120")
        .must_get(200, "joined\n", ANOTHER);
}

#[test]
fn check_11_a_panic_reaches_its_own_request() {
    after(check_05_a_worker_that_waits_helps);
    let check =
        check!("a leaf that panics is one request's 500, and takes nothing away")
            .read("a-panic-comes-home")
            .causes_panics(LEAF_ASKED_TO)
            .with_options("--threads 2")
            .by_hand(
                "curl -i http://{addr}/app/join/now/panic\n\
             curl -i http://{addr}/app/join/meet-2/meet-2+panic\n\
             curl -i http://{addr}/app/halves/2/3000",
            );
    const LOST: &str = "a subtask has panicked, and the worker that waits for it \
                        isn't told. What run() puts into the slot is a Result, and \
                        an Err is an outcome, too: hand it on with \
                        resume_unwind(), and conversation.rs answers with 500.";
    const GONE: &str = "after a leaf has panicked, fewer workers are there than \
                        before. A subtask runs on whichever worker took it: \
                        catch_unwind() in run() keeps its panic from that worker.";
    let site = Site::with_a_home();
    for workers in [1, 2, some_threads()] {
        let check = check.clone().with_options(&format!("--threads {workers}"));
        let server = check.start_pool(&site, workers);
        let mut targets = vec!["now/panic", "panic/now", "now/now/panic/now"];
        if workers > 1 {
            targets.extend(["meet-2/meet-2+panic", "meet-2/meet-2/now/panic"]);
        }
        for leaves in targets {
            let mut client = server.ask(&format!("/app/join/{leaves}"));
            client.by_hand(&format!("curl -i http://{{addr}}/app/join/{leaves}"));
            let answer = client.answer(Likely {
                silent: LOST,
                ..NO_ANSWER
            });
            client.expect_status(&answer, &[500], LOST);
            client.hang_up();
        }
        server.must_meet(workers, GONE);
        server.leaves_must_meet(workers, GONE);
    }
    const SWALLOWED: &str = "one leaf of a fork/join has panicked, so its part of \
                             the work isn't done, and the rest is no answer.";
    let check = check.causes_panics(LAST_LEAF_ASKED_TO);
    let burst = check.start_pool(&site, 3).get_reply("/app/burst/3/3000");
    burst.status(&[500], SWALLOWED);
}

#[test]
#[cfg(unix)]
fn check_12_forks_are_joined_before_the_end() {
    after(check_07_never_more_threads);
    let check = check!("a request that forks is answered before the end, whole")
        .read("what-stays")
        .with_options("--threads 2")
        .by_hand(
            "curl http://{addr}/app/wait/1000 http://{addr}/app/halves/2/3000 &\n\
             sleep 0.5; kill -TERM $(pgrep -n {package}); wait",
        );
    const CUT: &str = "the server was asked to stop while this request was there \
                       already: its subtasks are run, too, before the workers go \
                       home.";
    const ALONE: &str = "the server was asked to stop, and one worker went home \
                         while the other one still served a request, which then \
                         forked. As long as a worker is busy, the others stay.";
    let site = Site::with_a_home();
    let much = "so much!\n".repeat(1_000_000);
    site.file("much.txt", &much);
    let mut server = check.start_pool(&site, 2);
    // One worker is busy for as long as its client doesn't read. Then it forks into
    // halves that have to meet.
    let mut forks = server.connect();
    forks.send(get("/much.txt") + &get("/app/halves/2/3000"));
    forks.until_read();
    let waits = server.ask("/app/join/now/wait-50");
    server.comes_to_rest();
    let painted = server.ask("/app/join/now/now/now");
    server.signal("TERM");
    server.must_refuse("after the signal the listener must be closed.");
    waits.must_get(200, "joined\n", CUT);
    painted.must_get(200, "joined\n", CUT);
    server.comes_to_rest();
    let answer = forks.answer(Likely::always(CUT));
    forks.expect_body(&answer, much.as_bytes(), CUT);
    forks.must_get(200, "2 met\n", ALONE);
    server.must_end(0, CUT);
}

#[test]
#[cfg(unix)]
fn check_13_still_stops() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "idle connections do not delay the end, and the last answer says close"
    )
    .read("what-stays")
    .by_hand("nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n chapter15)");
    check.stops_though_connections_stay(
        NO_ANSWER,
        "it did in chapter 14: git diff chapters/15-fork-join-pool shows what has \
         changed.",
        "when the server stops and nothing more has been read, this answer is the \
         last one, and send() says so, as if the client had wanted no more.",
    );
}

const SERVED: &str = "a request that waits is served as soon as a worker is free.";

#[test]
fn check_14_the_queue_as_before() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "N handlers run at once and never N + 1, and no client is forgotten"
    )
    .read("what-stays")
    .with_options("--threads 3")
    .by_hand(
        "(for i in 1 2 3; do curl -s http://{addr}/app/meet/3/300 & done; wait)",
    );
    let site = Site::with_a_home();
    let threads = some_threads();
    check.start_pool(&site, threads).must_meet(threads, FEWER);
    check.serves_no_more_than_threads(MORE, SERVED);
    check.serves_a_crowd(SERVED);
    queue_is_bounded(&check);
}

/// Checks that clients are turned away while the queue is full, and served after
/// that.
#[track_caller]
fn queue_is_bounded(check: &Check) {
    const NO_END: &str = "the queue holds --queue clients, and no more: execute() \
                          compares its length with the limit, and returns Full.";
    let site = Site::with_a_home();
    let root = site.arg();
    let server = check.start(&["--root", &root, "--threads", "1", "--queue", "2"]);
    let (mut busy, rest) = server.ask_half("/");
    let queued = [(); 2].map(|()| server.ask("/"));
    server.comes_to_rest();
    let mut one_more = server.ask("/");
    let answer = one_more.answer(Likely::always(NO_END));
    one_more.expect_status(&answer, &[503], NO_END);
    one_more.hang_up();
    busy.send(rest);
    busy.must_get(200, "home", SERVED);
    for client in queued {
        client.must_get(200, "home", SERVED);
    }
}

#[test]
fn check_15_idle_workers_rest() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("workers without a client rest, and stay").read("two-places-to-sleep");
    const ASKS: &str = "a worker asks again and again whether there's something to \
                        do, or naps between two looks. Let it wait on a Condvar: \
                        it's woken when a job comes.";
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = check.start_pool(&site, threads);
    server.comes_to_rest();
    if let Some(used) = server.spins(Duration::from_millis(120)) {
        check.fail(
            format!("Without a client, the program used {used:?} of processor time."),
            ASKS,
        );
    }
    let wakes = server.wakes(Duration::from_millis(150));
    if let Some(wakes @ 1..) = wakes {
        check.fail(
            format!("Without a client, its threads woke up {wakes} times in 150 ms."),
            ASKS,
        );
    }
    server.must_meet(threads, FEWER);
}

#[test]
fn check_16_a_pool_of_nothing() {
    let check = check!("a pool of no threads is refused, as in chapter 09")
        .read("what-stays");
    check
        .run(&["127.0.0.1:0", "--threads", "0"])
        .refuses_a_pool_of_nothing(
            "new() returns an error for a size of zero, and main says so.",
        );
}

#[test]
fn check_17_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_18_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
