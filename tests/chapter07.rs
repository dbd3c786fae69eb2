//! Milestone of chapter 07: a pool of `--threads N` serves N clients at once and never more; the
//! others wait for their turn.

use harness::predicates::prelude::*;
use harness::{Check, Likely, Program, Random, Site, after, check};

const FEWER: &str = "fewer jobs run at once than the pool has threads. Is a lock held while a job \
                     runs, or is a job joined before the next is taken?";
const MORE: &str = "more jobs run at once than the pool has threads: a job may only begin when one \
                    of the N slots is free.";
const SLOT: &str = "a job that panics must give its slot back: what a job holds has to be returned \
                    when it is dropped, not by a line behind the call that panics.";

fn start(check: &Check, site: &Site, threads: usize) -> Program {
    check.start(&["--root", &site.arg(), "--threads", &threads.to_string()])
}

/// A number of threads that no program can know beforehand.
fn some_threads() -> usize {
    3 + Random::default().below(5)
}

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 06").read("what-stays");
    let site = Site::with_a_home();
    let server = start(&check, &site, 2);
    for _ in 0..5 {
        server.ask("/").must_get(
            200,
            "home",
            "chapter 06's milestone tells more: cargo test -p chapter06.",
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
fn check_04_who_waits_is_served() {
    after(check_03_never_more);
    let check = check!("clients that find no free thread are served when one is free")
        .read("no-more-than-n")
        .with_options("--threads 2")
        .by_hand("nc 127.0.0.1 {port} &\nnc 127.0.0.1 {port} &\ncurl -sm 2 http://{addr}/; kill %1; curl -sm 2 http://{addr}/");
    let site = Site::with_a_home();
    let server = start(&check, &site, 2);
    const FORGOTTEN: &str = "a job that had to wait was forgotten, or the slot of a job that has \
                             ended is not given back.";
    let mut stalled = vec![server.ask_half("/"), server.ask_half("/")];
    let waiting: Vec<_> = (0..20).map(|_| server.ask("/")).collect();
    let (mut client, rest) = stalled.remove(0);
    client.send(rest);
    client.must_get(200, "home", FORGOTTEN);
    for client in waiting {
        client.must_get(200, "home", FORGOTTEN);
    }
    let (mut client, rest) = stalled.remove(0);
    client.send(rest);
    client.must_get(200, "home", FORGOTTEN);
}

#[test]
fn check_05_a_panic_gives_its_slot_back() {
    after(check_03_never_more);
    let check = check!("handlers that panic take no thread away from the pool")
        .read("a-job-that-panics")
        .with_options("--threads 2")
        .by_hand("for i in 1 2 3 4; do curl -s http://{addr}/app/panic; done\ncurl -sm 2 http://{addr}/ | head -1");
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = start(&check, &site, threads);
    for _ in 0..3 * threads {
        server.ask("/app/panic").read_some(1);
    }
    let clients: Vec<_> = (0..threads)
        .map(|_| server.ask(&format!("/app/meet/{threads}")))
        .collect();
    for client in clients {
        client.must_get(200, &format!("{threads} met\n"), SLOT);
    }
    server.must_still_run();
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
    after(check_03_never_more);
    let check = check!("a pool of no threads is refused in words")
        .read("zero-threads")
        .by_hand("cargo run -p chapter07 -- --threads 0; echo \"exit code $?\"");
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
