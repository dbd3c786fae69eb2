//! Milestone of chapter 09: N workers take their jobs from one queue, so that a job waits only
//! while all workers are busy.

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
    let check = check!("files are served as in chapter 08").read("what-stays");
    let site = Site::with_a_home();
    let server = start(&check, &site, 2);
    for _ in 0..5 {
        server.ask("/").must_get(
            200,
            "home",
            "chapter 08's milestone tells more: cargo test -p chapter08.",
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

#[test]
fn check_05_the_same_threads() {
    after(check_03_never_more);
    let check = check!("the pool's threads are made once")
        .read("made-once")
        .with_options("--threads 3");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    server
        .ask("/")
        .must_get(200, "home", "the pool serves nobody.");
    match server.threads() {
        Some(count) if count != threads + 1 => check.fail(
            format!(
                "With --threads {threads} the program has {count} threads, not {}.",
                threads + 1
            ),
            "the pool makes its threads in new(), and main is one more. execute() makes none.",
        ),
        Some(_) => {}
        None => check.pass_over("only Linux tells here how many threads a program has"),
    }
}

#[test]
fn check_06_clients_that_leave() {
    after(check_03_never_more);
    let check =
        check!("clients that leave early take no thread away from the pool").read("what-stays");
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
            "a job that ends with an error must give its slot back too.",
        );
    }
}

#[test]
fn check_07_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("zero-threads")
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
fn check_08_a_real_client() {
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
