//! Milestone of chapter 09: N workers take their jobs from one queue, so that a job
//! waits only while all workers are busy.

use harness::{Likely, Site, after, some_threads};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps!["the-way-to-the-type", "one-queue", "the-way-to-the-type"];

const FEWER: &str = "fewer jobs run at once than there are workers. Most often the lock is held while a \
                     job runs. In `while let Ok(job) = queue.lock().unwrap().recv()` the guard lives \
                     until the end of the body, and so it does in `for`, `match` and `if let`, or \
                     under a name that lives as long. Take the job in a `let` statement or in a \
                     function of its own. If it is not the lock: are there N threads, or does a worker \
                     take more than one job at a time?";
const MORE: &str = "more jobs run at once than the pool has threads. A worker runs its job itself and \
                    takes the next one after that; and N threads are N, not one more.";
const SERVED: &str = "does a worker wait for the job that execute() sends, run it, and then wait for the \
                      next one? If the pool does that, it is the answer that has changed. Only pool.rs \
                      changes in this chapter: git diff --stat chapters/09-one-queue shows what else has.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 08")
        .read("what-stays")
        .with_options("--root book/src --threads 2")
        .by_hand("curl -sm 2 http://{addr}/introduction.md | head -1");
    check.still_serves_files(Likely::always(SERVED), SERVED);
}

#[test]
fn check_02_as_many_at_once_as_threads() {
    after(check_01_still_serves_files);
    let check = check!("N handlers run at once in a pool of N threads")
        .read("the-lock-that-is-held-too-long")
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
        .read("the-lock-that-is-held-too-long")
        .with_options("--threads 3")
        .by_hand("(for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; wait)");
    check.serves_no_more_than_threads(MORE, SERVED);
}

#[test]
fn check_04_a_free_worker_is_enough() {
    after(check_03_never_more);
    let check = check!("while one worker is free, nobody waits")
        .read("one-queue")
        .with_options("--threads 3")
        .by_hand("nc 127.0.0.1 {port} &\nnc 127.0.0.1 {port} &\nfor i in 1 2 3 4 5 6; do curl -sm 1 http://{addr}/app/visit || echo held up; done\nkill %1 %2");
    const HELD_UP: &str = "a job waits although one worker is free. Was it given to a worker that is \
                           held up? There must be one queue, from which whoever is free takes the \
                           next job.";
    check.serves_all_while_one_thread_is_free(HELD_UP);
}

#[test]
fn check_05_who_comes_first_is_served_first() {
    after(check_03_never_more);
    let check = check!("jobs that wait are run in the order in which they came, each once")
        .read("one-queue")
        .with_options("--threads 1")
        .by_hand("nc 127.0.0.1 {port} &\n(for i in 1 2 3 4 5 6; do curl -s http://{addr}/app/visit & sleep 0.1; done; wait) &\nsleep 1; kill %1; wait");
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
    after(check_01_still_serves_files);
    let check = check!("a pool without jobs uses no processor time")
        .read("made-once")
        .with_options("--threads 3")
        .by_hand("ps -o time,comm -C chapter09");
    check.rests_without_jobs(SERVED);
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
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("what-stays")
        .by_hand("cargo run -p chapter09 -- --threads 0; echo \"exit code $?\"");
    let run = check.run(&["127.0.0.1:0", "--threads", "0"]);
    run.refuses_a_pool_of_nothing(
        "a pool of nothing serves nobody: say so, and end with exit code 1.",
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
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}

#[test]
#[cfg(target_os = "linux")]
fn check_12_no_threads_to_spare() {
    after(check_09_a_pool_of_nothing);
    let check = check!("a pool that the system has no threads for is refused in words")
        .read("made-once")
        .by_hand(
            "cargo build -p {package} && (ulimit -v 400000; target/debug/{package} --threads 500)",
        );
    check.refuses_a_pool_it_cannot_have();
}
