//! Milestone of chapter 09: N workers take their jobs from one queue, so that a job
//! waits only while all workers are busy.

use harness::{FEWER, Likely, MORE, Site, after, some_threads};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "the-way-to-the-type",
    "the-way-to-the-type",
    "the-way-to-the-type"
];

const SERVED: &str = "does a worker wait for the job that execute() sends, run it, \
                      and then wait for the next one? If the pool does that, it's \
                      the answer that has changed. Only pool.rs changes in this \
                      chapter: git diff --stat chapters/09-one-queue shows what else \
                      has.";
const TAKEN: Likely = Likely {
    silent: "the job is in the queue, and no worker runs it: does a worker wait for \
             the job that execute() sends, run it, and then wait for the next one? \
             With a Condvar: does execute() wake a worker (notify_one) after it has \
             put the job in, and does a worker look into the queue before it waits, \
             under the same lock?",
    closed: GONE_BEFORE,
    reset: GONE_BEFORE,
    differs: SERVED,
};
const GONE_BEFORE: &str = "the job was dropped before it ran, and the stream in it. \
                           Have the workers ended? A worker must wait for the next \
                           one after each job, and call what it receives.";
#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 08")
        .read("what-stays")
        .with_options("--root book/src --threads 2")
        .by_hand("curl -sm 2 http://{addr}/introduction.md | head -1");
    check.still_serves_files(TAKEN, SERVED);
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
        .read("one-queue")
        .with_options("--threads 3")
        .by_hand(
            "nc 127.0.0.1 {port} &\nnc 127.0.0.1 {port} &\nfor i in 1 2 3 4 5 \
                  6; do curl -sm 1 http://{addr}/app/visit || echo held up; \
                  done\nkill %1 %2",
        );
    const HELD_UP: &str = "a job waits although one worker is free. Was it given to \
                           a worker that is held up? There must be one queue, from \
                           which the next free worker takes the next job. Or it's in \
                           the queue, and no worker was woken for it.";
    check.serves_all_while_one_thread_is_free(HELD_UP);
}

#[test]
fn check_05_who_comes_first_is_served_first() {
    after(check_03_never_more);
    let check = check!(
        "jobs that wait are run in the order in which they came, each \
                        once"
    )
    .read("one-queue")
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
        .by_hand("cargo run -p chapter09 -- --threads 0; echo \"exit code $?\"");
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
#[cfg(unix)]
fn check_13_no_descriptor_to_spare() {
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

#[test]
fn check_14_a_crowd() {
    after(check_04_a_free_worker_is_enough);
    let check = check!("of many jobs that come at once, none is forgotten")
        .read("made-once")
        .with_options("--threads 4")
        .by_hand(
            "(for i in $(seq 200); do curl -sm 2 http://{addr}/app/wait/0 & done; \
             wait) | sort | uniq -c",
        );
    check.serves_a_crowd(
        "a worker waits although there is a job, or is gone. With a Condvar, a \
         worker that was woken must look again whether there is a job, because \
         another one may have taken it meanwhile: wait in a loop, or with \
         wait_while(). And it must hold the lock from its look into the queue until \
         it waits: a job that comes in between would wake no one.",
    );
}
