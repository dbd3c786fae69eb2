//! Milestone of chapter 08: N workers are made once and take jobs in turn. N clients
//! are served at once and never more, and the worker whose turn it is gets the job,
//! even while it is busy: the flaw of this design is part of what is checked.

use harness::{Likely, MORE, Site, after, get, some_threads};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps!["made-once", "a-channel", "in-turn"];

const FEWER: &str = "fewer jobs run at once than there are workers. Does the turn \
                     move on with every job, and does each of the N workers get one? \
                     Does execute() return at once, without waiting for the job?";
const SERVED: &str = "does a worker wait for the job that execute() sends, run it, \
                      and then wait for the next one? If the pool does that, it's \
                      the answer that has changed. Only pool.rs changes in this \
                      chapter: git diff --stat chapters/08-channel-per-worker shows \
                      what else has.";
const DEALT: Likely = Likely {
    silent: "no worker runs the job: does a worker wait for the job that execute() \
             sends, run it, and then wait for the next one? Does execute() send it, \
             and return?",
    closed: GONE_BEFORE,
    reset: GONE_BEFORE,
    differs: SERVED,
};
const GONE_BEFORE: &str = "the job was dropped before it ran, and the stream in it. \
                           Has its worker ended, or let its receiver go? A worker \
                           must wait for the next one after each job, and call what \
                           it receives.";
/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";
const GONE: &str = "a job that panics ends its worker, and this one was for that \
                    worker. Does execute() unwrap what send() returns, or run the \
                    job itself, in the thread that accepts? If send() fails, the job \
                    comes back in the error: let it be dropped.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 07")
        .read("what-stays")
        .with_options("--root book/src --threads 2")
        .by_hand("curl -sm 2 http://{addr}/introduction.md | head -1");
    check.still_serves_files(DEALT, SERVED);
}

#[test]
fn check_02_as_many_at_once_as_threads() {
    after(check_01_still_serves_files);
    let check = check!("N handlers run at once in a pool of N threads")
        .read("n-at-once-never-more")
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
        .read("n-at-once-never-more")
        .with_options("--threads 3")
        .by_hand(
            "(for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; \
                  wait)",
        );
    check.serves_no_more_than_threads(MORE, SERVED);
}

#[test]
fn check_04_jobs_are_dealt_out_in_turn() {
    after(check_03_never_more);
    let check = check!("each worker gets every N-th job, whether it is free or not")
        .read("in-turn")
        .with_options("--threads 3")
        .by_hand(
            "nc 127.0.0.1 {port} &\nfor i in 1 2 3 4 5 6; do curl -sm 1 \
                  http://{addr}/app/visit || echo held up; done\nkill %1",
        );
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = check.start_pool(&site, threads);
    const FREE: &str = "one worker is held up, and this job is the turn of another \
                        one, which is free. Does the turn move on by one with each \
                        job? Does execute() return although the worker that is held \
                        up takes no job? A channel() has room for any number of \
                        jobs, a sync_channel(0) for none, and a sync_channel(1) for \
                        one: send() waits when it's full. And only a job waits for \
                        what its client says, never the thread that accepts.";
    const HELD: &str = "this client comes N jobs after one that holds its worker up, \
                        so it's the same worker's turn, and it has to wait. Does \
                        each worker have a channel of its own? A pool that gives \
                        jobs to free workers is a better one, and chapter 09's; here \
                        we want to see what the plain rotation costs.";
    // The first client keeps its worker busy; so every N-th client after it has to
    // wait. It says nothing at all: nothing may wait for its first byte either.
    let mut stalled = server.connect();
    let mut held_up = Vec::new();
    for turn in 1..=5 * threads {
        let client = server.ask("/");
        match turn % threads {
            0 => held_up.push(client),
            _ => client.must_get(200, "home", FREE),
        }
        // Until this worker waits again: whom a pool takes for free must not be luck.
        server.comes_to_rest();
    }
    for client in &mut held_up {
        client.expect_nothing_yet(HELD);
    }
    stalled.send(get("/"));
    stalled.must_get(
        200,
        "home",
        "its request has arrived by now: does its worker read on, and answer?",
    );
    for client in held_up {
        client.must_get(
            200,
            "home",
            "the worker that was held up is free again, and this job is in its \
             channel.",
        );
    }
}

#[test]
fn check_05_who_comes_first_is_served_first() {
    after(check_03_never_more);
    let check = check!(
        "jobs that wait are run in the order in which they came, each \
                        once"
    )
    .read("in-turn")
    .with_options("--threads 1")
    .by_hand(
        "nc 127.0.0.1 {port} &\n(for i in 1 2 3 4 5 6; do curl -s \
                  http://{addr}/app/visit & sleep 0.1; done; wait) &\nsleep 1; kill \
                  %1; wait",
    );
    check.serves_in_order();
}

#[test]
fn check_06_the_same_threads() {
    after(check_03_never_more);
    let check = check!("the pool's threads are made once")
        .read("made-once")
        .with_options("--threads 3")
        .by_hand(
            "grep Threads /proc/$(pgrep -nx {package})/status\n\
             (for i in 1 2 3 4 5 6; do curl -s http://{addr}/app/wait/1000 & done\n\
             sleep 0.5; grep Threads /proc/$(pgrep -nx {package})/status; wait)",
        );
    check.makes_its_threads_once(SERVED);
}

#[test]
fn check_07_an_idle_pool_rests() {
    let check =
        check!("a pool has its threads before the first client, and they rest")
            .read("made-once")
            .with_options("--threads 3")
            .by_hand("ps -o nlwp,time,comm -C {package}");
    check.has_threads_that_rest();
}

#[test]
fn check_08_clients_that_leave() {
    after(check_03_never_more);
    let check = check!("clients that leave early take no worker away from the pool")
        .read("what-stays");
    check.keeps_its_threads_when_clients_leave(
        "a client's error ends its job, and neither the worker nor the pool.",
    );
}

#[test]
fn check_09_a_pool_of_nothing() {
    let check = check!("a pool of no threads is refused in words")
        .read("what-stays")
        .by_hand("cargo run -p chapter08 -- --threads 0; echo \"exit code $?\"");
    let run = check.run(&["127.0.0.1:0", "--threads", "0"]);
    run.refuses_a_pool_of_nothing(
        "a pool of nothing serves no one: say so, and end with exit code 1.",
    );
    check.wants_a_number_for("--threads");
}

#[test]
fn check_10_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages")
        .read("what-stays")
        .with_options("--root book/src --threads 2")
        .by_hand("curl -sim 2 http://{addr}/introduction.md | head -8");
    check.serves_a_real_client();
}

#[test]
fn check_11_starts_as_before() {
    let check = check!("a program that can't start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}

#[test]
#[cfg(target_os = "linux")]
fn check_12_no_threads_to_spare() {
    let check =
        check!("a pool that the system has no threads for is refused in words")
            .read("made-once")
            .by_hand(
                "cargo build -p {package}\n\
             (ulimit -v 200000; target/debug/{package} --threads 20000)",
            );
    check.refuses_a_pool_it_cannot_have();
}

#[test]
fn check_13_jobs_that_panic() {
    after(check_04_jobs_are_dealt_out_in_turn);
    let check = check!(
        "the program goes on although a job has panicked and ended its worker"
    )
    .read("your-turn")
    .causes_panics(ASKED_TO)
    .with_options("--threads 2")
    .by_hand(
        "for i in 1 2 3 4 5 6; do curl -sm 2 http://{addr}/app/panic; done\n\
             pgrep -x {package} || echo gone",
    );
    check.outlives_jobs_that_panic(GONE, SERVED);
    // One of two workers has ended. Of every two clients after that, the other one's
    // must be served.
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    server.ask("/app/panic").read_to_end(Likely::always(SERVED));
    server.comes_to_rest();
    for _ in 0..3 {
        let served = (0..2).filter(|_| !server.ask("/").read_some(1).is_empty());
        if served.count() == 0 {
            check.fail(
                "A job has panicked, and of two clients after it neither was served.",
                "does the turn stay at the worker that has ended? It moves on with \
                 every job, even with one that could not be sent.",
            );
        }
    }
}

#[test]
#[cfg(unix)]
fn check_14_no_descriptor_to_spare() {
    after(check_03_never_more);
    let check = check!("an error of accept doesn't end the server")
        .read("what-stays")
        .by_hand(
            "cargo build -p {package}\n\
             (ulimit -n 16; target/debug/{package} --threads 40)\n\
             # then, in a second terminal:\n\
             (for i in $(seq 20); do nc 127.0.0.1 {port} & done)\n\
             sleep 1; pkill -x nc; curl -sm 2 http://{addr}/app/wait/1",
        );
    let site = Site::with_a_home();
    check.outlives_a_lack_of_descriptors(&["--root", &site.arg(), "--threads", "40"]);
}
