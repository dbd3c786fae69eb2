//! Milestone of chapter 06: each client is served on a thread of its own, so that none waits for
//! another, and what the threads share is counted exactly.

use harness::{Client, Likely, Random, Site, after, check, get};

const ALONE: &str = "the clients are still served one after the other: spawn a thread for each \
                     connection, and go back to accept() at once, without joining it.";
const LOCKED: &str = "the handlers run one after the other. Either each thread is joined before the \
                      next connection is accepted, or all handlers need one lock for as long as \
                      they run: share the App in an Arc, without a Mutex around it.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 05").read("what-stays");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    const SAME: &str = "chapter 05's milestone tells more: cargo test -p chapter05.";
    for _ in 0..3 {
        server.ask("/").must_get(200, "home", SAME);
    }
    server
        .ask("/app/wait/1")
        .must_get(200, "waited 1 ms\n", SAME);
}

#[test]
fn check_02_a_stalled_client_stops_nobody() {
    after(check_01_still_serves_files);
    let check = check!("clients that have sent half a request hold nobody up")
        .read("one-client-one-thread")
        .with_options("--root book/book")
        .by_hand("nc 127.0.0.1 {port} &\ncurl -sm 2 http://{addr}/ | head -1");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    let stalled: Vec<_> = (0..50).map(|_| server.ask_half("/")).collect();
    server.ask("/").must_get(200, "home", ALONE);
    // The last one that came is the first to go on.
    for (mut client, rest) in stalled.into_iter().rev() {
        client.send(rest);
        client.must_get(200, "home", ALONE);
    }
}

#[test]
fn check_03_handlers_run_at_once() {
    after(check_02_a_stalled_client_stops_nobody);
    let check = check!("as many handlers run at once as there are clients")
        .read("what-threads-may-share")
        .with_options("--root book/book")
        .by_hand("for i in 1 2 3; do curl -s http://{addr}/app/meet/3 & done; wait");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    let size = 20 + Random::default().below(20);
    let clients: Vec<Client> = (0..size)
        .map(|_| server.ask(&format!("/app/meet/{size}")))
        .collect();
    for client in clients.into_iter().rev() {
        client.must_get(200, &format!("{size} met\n"), LOCKED);
    }
}

#[test]
fn check_04_every_visit_counts() {
    after(check_03_handlers_run_at_once);
    let check = check!("visits from many threads are all counted")
        .read("counting")
        .with_options("--root book/book")
        .by_hand("for i in 1 2 3 4; do curl -s http://{addr}/app/visit/100000 & done; wait");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    const EACH: u32 = 100_000;
    const THREADS: u32 = 6;
    let clients: Vec<Client> = (0..THREADS)
        .map(|_| {
            // All handlers begin to count together.
            let mut client = server.connect();
            let meet = get(&format!("/app/meet/{THREADS}"));
            client.send(meet + &get(&format!("/app/visit/{EACH}")));
            client
        })
        .collect();
    const LOST: &str = "visits were lost: between one thread's load() and its store() another \
                        thread has counted too. fetch_add() is one step, which nothing can come \
                        between.";
    for mut client in clients {
        for _ in 0..2 {
            client.answer(Likely::always(LOST));
        }
        client.hang_up();
    }
    let total = EACH * THREADS + 1;
    server
        .ask("/app/visit/1")
        .must_get(200, &format!("{total}\n"), LOST);
}

#[test]
fn check_05_a_panic_stays_in_its_thread() {
    after(check_02_a_stalled_client_stops_nobody);
    let check = check!("a handler that panics ends its own thread and nothing else")
        .read("a-thread-that-panics")
        .with_options("--root book/book")
        .by_hand("curl -s http://{addr}/app/panic; curl -s http://{addr}/ | head -1");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    const GONE: &str = "a panic ends the thread it happens in. Here it has ended more: is the \
                        handler called on the main thread, or a joined thread's error unwrapped?";
    for _ in 0..5 {
        server.ask("/app/panic").read_some(1);
    }
    server.ask("/").must_get(200, "home", GONE);
    server.must_still_run();
}

#[test]
fn check_06_clients_that_leave() {
    after(check_02_a_stalled_client_stops_nobody);
    let check = check!("clients that leave early hurt nobody").read("what-stays");
    let site = Site::with_a_home();
    site.large_file("large", 10 << 20, b"end");
    let server = check.start(&["--root", &site.arg()]);
    for _ in 0..10 {
        server.connect();
        server.ask("/large").reset();
    }
    const LEFT: &str = "an error of one client must end its own thread only.";
    server.ask("/").must_get(200, "home", LEFT);
    server.must_still_run();
}
