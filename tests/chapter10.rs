//! Milestone of chapter 10: whatever clients do, N workers stay at work. A handler that panics is
//! answered with 500, a client that takes too long with 408 or not at all.

use harness::predicates::prelude::*;
use harness::{Check, Likely, Program, Random, Site, after, check};

const FEWER: &str = "fewer jobs run at once than the pool has threads. The likeliest reason is a lock \
                     that is held while a job runs: in `while let Ok(job) = \
                     queue.lock().unwrap().recv()` the guard lives until the end of the loop's body. \
                     Take the job in a statement or a function of its own.";
const MORE: &str = "more jobs run at once than the pool has threads: a job may only begin when one \
                    of the N slots is free.";

fn start(check: &Check, site: &Site, threads: usize) -> Program {
    check.start(&["--root", &site.arg(), "--threads", &threads.to_string()])
}

/// A number of threads that no program can know beforehand.
fn some_threads() -> usize {
    3 + Random::default().below(5)
}

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 09").read("what-stays");
    let site = Site::with_a_home();
    let server = start(&check, &site, 2);
    for _ in 0..5 {
        server.ask("/").must_get(
            200,
            "home",
            "chapter 09's milestone tells more: cargo test -p chapter09.",
        );
    }
}

#[test]
fn check_02_as_many_at_once_as_threads() {
    after(check_01_still_serves_files);
    let check = check!("N handlers run at once in a pool of N threads")
        .read("no-more-than-n")
        .with_options("--threads 3")
        .by_hand("for i in 1 2 3; do curl -s http://{addr}/app/meet/3 & done; wait");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    let clients: Vec<_> = (0..threads)
        .map(|_| server.ask(&format!("/app/meet/{threads}")))
        .collect();
    for client in clients.into_iter().rev() {
        client.must_get(200, &format!("{threads} met\n"), FEWER);
    }
}

#[test]
fn check_03_never_more() {
    after(check_02_as_many_at_once_as_threads);
    let check = check!("N + 1 handlers never run at once in a pool of N threads")
        .read("no-more-than-n")
        .with_options("--threads 3")
        .by_hand("for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; wait");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    let size = threads + 1;
    let clients: Vec<_> = (0..size)
        .map(|_| server.ask(&format!("/app/meet/{size}/150")))
        .collect();
    for client in clients {
        client.must_get(503, &format!("fewer than {size} came\n"), MORE);
    }
}

#[test]
fn check_04_a_free_worker_is_enough() {
    after(check_03_never_more);
    let check = check!("while one worker is free, nobody waits")
        .read("one-queue")
        .with_options("--threads 3")
        .by_hand("nc 127.0.0.1 {port} &\nnc 127.0.0.1 {port} &\nfor i in 1 2 3 4 5 6; do curl -sm 1 http://{addr}/app/visit || echo held up; done");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    const HELD_UP: &str = "a job waits although a worker is free. Is there one queue for all workers, \
                           and is its lock released before the job runs?";
    let stalled: Vec<_> = (1..threads).map(|_| server.ask_half("/")).collect();
    for _ in 0..20 {
        server.ask("/").must_get(200, "home", HELD_UP);
    }
    for (mut client, rest) in stalled.into_iter().rev() {
        client.send(rest);
        client.must_get(200, "home", HELD_UP);
    }
}

/// All N workers are at work: N handlers meet.
#[track_caller]
fn all_workers_are_there(server: &Program, threads: usize, likely: &'static str) {
    let clients: Vec<_> = (0..threads)
        .map(|_| server.ask(&format!("/app/meet/{threads}")))
        .collect();
    for client in clients {
        client.must_get(200, &format!("{threads} met\n"), likely);
    }
    server.must_still_run();
}

#[test]
fn check_05_a_panic_is_answered() {
    after(check_04_a_free_worker_is_enough);
    let check = check!("a handler that panics is answered with 500, and its worker goes on")
        .read("jobs-that-panic")
        .with_options("--threads 2")
        .by_hand("for i in 1 2 3 4; do curl -si http://{addr}/app/panic | head -1; done\ncurl -sm 2 http://{addr}/app/visit");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    const PANIC: &str = "the panic has ended the worker, or the connection without an answer. \
                         catch_unwind() around the call of the app gives an Err, which becomes a 500.";
    for _ in 0..3 * threads {
        let mut client = server.ask("/app/panic");
        let answer = client.answer(Likely::always(PANIC));
        client.expect_status(&answer, &[500], PANIC);
        client.hang_up();
    }
    all_workers_are_there(&server, threads, PANIC);
}

#[test]
fn check_06_empty_connections_and_garbage() {
    after(check_04_a_free_worker_is_enough);
    let check = check!("empty connections, garbage and resets take no worker away")
        .read("errors-are-values")
        .with_options("--threads 2")
        .by_hand("for i in 1 2 3 4; do nc -N 127.0.0.1 {port} < /dev/null; done\ncurl -sm 2 http://{addr}/app/visit");
    let site = Site::with_a_home();
    site.large_file("large", 10 << 20, b"end");
    let threads = some_threads();
    let server = start(&check, &site, threads);
    let mut random = Random::default();
    for _ in 0..3 * threads {
        server.connect();
        server.connect().half_close();
        server.connect().send(random.bytes(200)).half_close();
        server
            .connect()
            .send("GET / HTTP/1.1\r\nHost: a\r\n")
            .half_close();
        server.ask("/large").reset();
    }
    all_workers_are_there(
        &server,
        threads,
        "a client's error has ended a worker: read and write return a Result, and so must whatever \
         calls them. unwrap() on it is a panic that any client can cause.",
    );
}

#[test]
fn check_07_half_a_head() {
    after(check_04_a_free_worker_is_enough);
    let check =
        check!("a client that stops in the middle of a head gets 408, and its worker goes on")
            .read("a-deadline-for-the-head")
            .with_options("--threads 1 --patience 1000")
            .by_hand("printf 'GET / HTTP/1.1\\r\\n' | nc 127.0.0.1 {port}");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg(), "--threads", "1", "--patience", "200"]);
    const FOREVER: &str = "the server waits for the rest of the head for ever, and so does its worker. \
                           set_read_timeout() with the time that is left until the deadline.";
    // The second one has sent nothing: it may be told so or not.
    let (mut half, _) = server.ask_half("/");
    let mut silent = server.connect();
    let answer = half.answer(Likely::always(FOREVER));
    half.expect_status(
        &answer,
        &[408],
        "408 means that the request did not arrive in time.",
    );
    half.hang_up();
    if !silent.ends_at_once() {
        let answer = silent.answer(Likely::always(FOREVER));
        silent.expect_status(
            &answer,
            &[408],
            "408 means that the request did not arrive in time.",
        );
    }
    silent.hang_up();
    server.ask("/").must_get(200, "home", FOREVER);
}

#[test]
fn check_08_a_head_that_trickles() {
    after(check_07_half_a_head);
    let check = check!("the deadline is for the whole head, not for each read")
        .read("a-deadline-for-the-head")
        .with_options("--threads 1 --patience 1000")
        .by_hand("(printf 'GET / HTTP/1.1\\r\\nX: '; while sleep 0.3; do printf x; done) | nc 127.0.0.1 {port}");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg(), "--threads", "1", "--patience", "200"]);
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    const EACH: &str = "a byte every few milliseconds keeps the connection alive: each read gets the \
                        whole timeout anew. Fix the deadline when the head begins, and give each read \
                        the time that is left.";
    if !client.trickle(b"x", std::time::Duration::from_millis(40)) {
        check.fail(
            "The client sent a byte every 40 ms for 4 s and was never refused.",
            EACH,
        );
    }
    let answer = client.answer(Likely::always(EACH));
    client.expect_status(&answer, &[408], EACH);
    client.hang_up();
    server.ask("/").must_get(200, "home", EACH);
}

#[test]
fn check_09_a_client_that_does_not_read() {
    after(check_07_half_a_head);
    let check = check!("a client that does not read its answer loses it, and its worker goes on")
        .read("a-deadline-for-writing")
        .with_options("--threads 1 --patience 1000");
    let site = Site::with_a_home();
    site.large_file("large", 30 << 20, b"end");
    let server = check.start(&["--root", &site.arg(), "--threads", "1", "--patience", "200"]);
    let mut greedy = server.ask("/large");
    greedy.read_some(1);
    server.ask("/").must_get(
        200,
        "home",
        "the write waits for ever for a client that does not read. set_write_timeout() bounds it.",
    );
    greedy.hang_up();
}

#[test]
#[cfg(unix)]
fn check_10_no_files_left() {
    after(check_04_a_free_worker_is_enough);
    let check = check!("where no connection can be accepted, the server waits and goes on")
        .read("when-accept-fails")
        .with_options("--threads 2")
        .by_hand("# start it with: (ulimit -n 16; cargo run -p chapter10)\nfor i in $(seq 30); do nc 127.0.0.1 {port} & done; sleep 1; top -bn1 | grep chapter10; kill $(jobs -p)\ncurl -sm 5 http://{addr}/app/visit");
    let site = Site::with_a_home();
    let server = check.start_with_few_files(16, &["--root", &site.arg(), "--threads", "2"]);
    let clients: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let before = server.cpu_time();
    std::thread::sleep(std::time::Duration::from_millis(400));
    let after = server.cpu_time();
    if let (Some(before), Some(after)) = (before, after) {
        let used = after.saturating_sub(before);
        if used.as_millis() > 150 {
            check.fail(
                format!("While it could accept nobody, the program used {used:?} of processor time in 400 ms."),
                "accept() fails at once while no file descriptor is left, and the loop tries again \
                 at once. Wait a moment after such an error.",
            );
        }
    }
    for mut client in clients {
        client.hang_up();
    }
    server.ask("/").must_get(
        200,
        "home",
        "accept() failed because all file descriptors were in use (EMFILE). That passes: it must \
         not end the loop.",
    );
    server.must_still_run();
}

#[test]
fn check_11_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("zero-threads")
        .by_hand("cargo run -p chapter10 -- --threads 0; echo \"exit code $?\"");
    let run = check.run(&["127.0.0.1:0", "--threads", "0"]);
    run.code_is_one_of(
        &[1, 2],
        "a pool of nothing serves nobody: say so, and end with exit code 1.",
    );
    run.stdout(
        "stay without a listening line",
        predicate::str::contains("listening").not(),
        "the pool is made too late.",
    );
    run.stderr(
        "say what is wrong",
        predicate::function(|text: &str| {
            let text = text.to_lowercase();
            ["thread", "pool", "usage"]
                .iter()
                .any(|word| text.contains(word))
        }),
        "say that a pool needs at least one thread.",
    );
    for args in [
        &["--threads", "x"][..],
        &["--threads", "-1"],
        &["--threads"],
    ] {
        let run = check.run(args);
        run.code(
            2,
            "by convention, exit code 2 means that the command line is wrong.",
        );
    }
}

#[test]
fn check_12_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    let site = Site::with_a_home();
    let server = start(&check, &site, 2);
    let fetched = server.get("/");
    if fetched.status != 200 || fetched.body != b"home" {
        check.fail(
            "reqwest got another answer than the raw client.",
            "see the earlier checks.",
        );
    }
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\n\r\n");
    let answer = client.answer(Likely::default());
    client.expect_status(
        &answer,
        &[400],
        "chapter 04's parser still refuses what it refused.",
    );
}
