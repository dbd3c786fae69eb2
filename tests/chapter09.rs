//! Milestone of chapter 09: N workers take their jobs from one queue, so that a job waits only
//! while all workers are busy.

use std::thread;
use std::time::{Duration, Instant};

use harness::predicates::prelude::*;
use harness::{Check, Likely, Program, Random, Site, after, check};

const FEWER: &str = "fewer jobs run at once than there are workers. Most often the lock is held while a \
                     job runs. In `while let Ok(job) = queue.lock().unwrap().recv()` the guard lives \
                     until the end of the body, and so it does in `for`, `match` and `if let`, or \
                     under a name that lives as long. Take the job in a `let` statement or in a \
                     function of its own. If it is not the lock: are there N threads?";
const MORE: &str = "more jobs run at once than the pool has threads. A worker runs its job itself and \
                    takes the next one after that; and N threads are N, not one more.";
const SERVED: &str = "does a worker wait for the job that execute() sends, run it, and then wait for the \
                      next one? If the pool does that, it is the answer that has changed: cargo test \
                      -p chapter05 tells more.";

fn start(check: &Check, site: &Site, threads: usize) -> Program {
    check.start(&["--root", &site.arg(), "--threads", &threads.to_string()])
}

/// A number of threads that no program can know beforehand.
fn some_threads() -> usize {
    3 + Random::default().below(5)
}

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 08").read("what-stays");
    let site = Site::with_a_home();
    let server = start(&check, &site, 2);
    for _ in 0..5 {
        server.ask("/").must_get(200, "home", SERVED);
    }
}

#[test]
fn check_02_as_many_at_once_as_threads() {
    after(check_01_still_serves_files);
    let check = check!("N handlers run at once in a pool of N threads")
        .read("the-lock-that-is-held-too-long")
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
        .read("the-lock-that-is-held-too-long")
        .with_options("--threads 3")
        .by_hand("for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; wait");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    let size = threads + 1;
    let clients: Vec<_> = (0..size)
        .map(|_| server.ask(&format!("/app/meet/{size}/300")))
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
    const HELD_UP: &str = "a job waits although one worker is free. Was it given to a worker that is \
                           held up? There must be one queue, from which whoever is free takes the \
                           next job.";
    let stalled: Vec<_> = (1..threads).map(|_| server.ask_half("/")).collect();
    for _ in 0..20 {
        server.ask("/").must_get(200, "home", HELD_UP);
    }
    for (mut client, rest) in stalled.into_iter().rev() {
        client.send(rest);
        client.must_get(200, "home", "the rest of its request has come at last.");
    }
}

#[test]
fn check_05_who_comes_first_is_served_first() {
    after(check_03_never_more);
    let check = check!("jobs that wait are run in the order in which they came, each once")
        .read("one-queue")
        .with_options("--threads 1")
        .by_hand("nc 127.0.0.1 {port} &\nfor i in 1 2 3 4 5 6; do curl -s http://{addr}/app/visit & sleep 0.1; done\nkill %1; wait");
    let site = Site::with_a_home();
    let server = start(&check, &site, 1);
    let (mut stalled, rest) = server.ask_half("/");
    let clients: Vec<_> = (0..12).map(|_| server.ask("/app/visit")).collect();
    // Now all of them wait, wherever this program lets its clients wait.
    server.comes_to_rest();
    stalled.send(rest);
    stalled.must_get(200, "home", "the rest of its request has come at last.");
    for (before, client) in clients.into_iter().enumerate() {
        client.must_get(
            200,
            &format!("{}\n", before + 1),
            "the app counts visits, and the clients came in the order 1, 2, 3. Is a job lost where \
             the queue is full? Is the newest one taken first, as from a stack? A queue is first in, \
             first out.",
        );
    }
}

#[test]
fn check_06_the_same_threads() {
    after(check_03_never_more);
    let check = check!("the pool's threads are made once")
        .read("made-once")
        .with_options("--threads 3")
        .by_hand("grep Threads /proc/$(pgrep -n chapter09)/status");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    server.ask("/").must_get(200, "home", SERVED);
    let Some(idle) = server.threads() else {
        return check.pass_over("only Linux tells here how many threads a program has");
    };
    if idle < threads {
        check.fail(
            format!("Nobody is being served, and with --threads {threads} there are {idle} threads."),
            "the pool makes its threads in new(), all of them, and they stay. They are not made when \
             a job comes.",
        );
    }
    // All are busy, and more clients wait: nothing about that makes another thread.
    let busy: Vec<_> = (0..threads).map(|_| server.ask_half("/")).collect();
    let waiting: Vec<_> = (0..threads).map(|_| server.ask("/")).collect();
    server.comes_to_rest();
    let with_clients = server.threads().unwrap_or(idle);
    for (mut client, rest) in busy {
        client.send(rest);
        client.must_get(200, "home", SERVED);
    }
    for client in waiting {
        client.must_get(200, "home", SERVED);
    }
    if with_clients > idle {
        check.fail(
            format!("Without clients there were {idle} threads, and with them {with_clients}."),
            "execute() makes no thread: it hands the job to one that is there.",
        );
    }
}

#[test]
fn check_07_an_idle_pool_rests() {
    after(check_01_still_serves_files);
    let check = check!("a pool without jobs uses no processor time")
        .read("made-once")
        .with_options("--threads 3")
        .by_hand("ps -o time,comm -C chapter09");
    let site = Site::with_a_home();
    let server = start(&check, &site, some_threads());
    server.ask("/").must_get(200, "home", SERVED);
    let Some(before) = server.cpu_time() else {
        return check.pass_over("only Linux tells here how much processor time a program uses");
    };
    check.step("leave it alone for 0.6 s");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(600) {
        thread::sleep(Duration::from_millis(20));
        let used = server.cpu_time().unwrap_or(before) - before;
        if used > Duration::from_millis(50) {
            check.fail(
                format!("Without a client, the program used {used:?} of processor time."),
                "a worker asks again and again whether there is a job, as with try_recv() in a loop.                  recv() waits: the system wakes the thread when there is one.",
            );
        }
    }
}

#[test]
fn check_08_clients_that_leave() {
    after(check_03_never_more);
    let check =
        check!("clients that leave early take no worker away from the pool").read("what-stays");
    let site = Site::with_a_home();
    site.large_file("large", 10 << 20, b"end");
    let server = start(&check, &site, 2);
    for _ in 0..6 {
        server.connect();
        server.ask("/large").reset();
    }
    let clients: Vec<_> = (0..2).map(|_| server.ask("/app/meet/2")).collect();
    for client in clients {
        client.must_get(
            200,
            "2 met\n",
            "a client's error ends its job, and neither the worker nor the pool.",
        );
    }
}

#[test]
fn check_09_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("what-stays")
        .by_hand("cargo run -p chapter09 -- --threads 0; echo \"exit code $?\"");
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
fn check_10_a_real_client() {
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
