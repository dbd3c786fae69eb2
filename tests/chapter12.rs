//! Milestone of chapter 11: asked to stop, the server accepts nobody any more, answers what it has
//! received, and ends with exit code 0. Who asks twice does not wait.

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
    let check = check!("files are served as in chapter 11").read("what-stays");
    let site = Site::with_a_home();
    let server = start(&check, &site, 2);
    for _ in 0..5 {
        server.ask("/").must_get(
            200,
            "home",
            "chapter 11's milestone tells more: cargo test -p chapter11.",
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
#[cfg(unix)]
fn check_04_a_signal_ends_it() {
    after(check_02_as_many_at_once_as_threads);
    let check = check!("Ctrl-C (SIGINT) and SIGTERM end an idle server with exit code 0")
        .read("who-asks")
        .by_hand("kill -TERM $(pgrep -n chapter12)");
    let site = Site::with_a_home();
    for signal in ["TERM", "INT"] {
        let mut server = start(&check, &site, 2);
        server
            .ask("/")
            .must_get(200, "home", "the server must serve before it stops.");
        server.signal(signal);
        server.must_end(
            0,
            "the thread that accepts is still waiting: std tries accept() again after a signal, so a \
             flag alone wakes nobody. Connect to your own address. Or workers are joined before \
             their queue is closed: they wait for jobs, and you for them.",
        );
    }
}

#[test]
#[cfg(unix)]
fn check_05_running_requests_are_answered() {
    after(check_04_a_signal_ends_it);
    let check = check!("requests that are being handled are answered before the end")
        .read("what-is-running")
        .with_options("--threads 3")
        .by_hand("for i in 1 2 3; do curl -s http://{addr}/app/wait/1000 & done\nsleep 0.2; kill -TERM $(pgrep -n chapter12); wait");
    let site = Site::with_a_home();
    let mut server = start(&check, &site, 3);
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let mut client = server.ask("/app/wait/300");
            client.until_read();
            client
        })
        .collect();
    server.signal("TERM");
    const CUT: &str = "the program has ended without waiting for its workers: join each of them, and \
                       keep away from process::exit().";
    for client in clients {
        client.must_get(200, "waited 300 ms\n", CUT);
    }
    server.must_end(0, CUT);
}

#[test]
#[cfg(unix)]
fn check_06_queued_requests_are_answered() {
    after(check_05_running_requests_are_answered);
    let check = check!("requests that wait for a worker are answered before the end, each once")
        .read("what-is-queued")
        .with_options("--threads 1")
        .by_hand("curl -s http://{addr}/app/wait/1000 & for i in 1 2 3; do curl -s http://{addr}/app/visit & done\nsleep 0.2; kill -TERM $(pgrep -n chapter12); wait");
    let site = Site::with_a_home();
    let mut server = start(&check, &site, 1);
    let mut first = server.ask("/app/wait/300");
    first.until_read();
    let waiting: Vec<_> = (0..20).map(|_| server.ask("/app/visit")).collect();
    server.signal("TERM");
    const LOST: &str = "a job in the queue was thrown away. A closed channel still hands out what is in \
                        it: workers go on until recv() fails. And connections that the kernel has \
                        made already, but accept() has not returned, are clients too.";
    first.must_get(200, "waited 300 ms\n", LOST);
    let mut visits: Vec<u32> = waiting
        .into_iter()
        .map(|mut client| {
            let answer = client.answer(Likely::always(LOST));
            client.expect_status(&answer, &[200], LOST);
            client.hang_up();
            String::from_utf8_lossy(answer.body())
                .trim()
                .parse()
                .unwrap_or(0)
        })
        .collect();
    visits.sort_unstable();
    if visits != Vec::from_iter(1..=20) {
        check.fail(
            format!("The visits were counted as {visits:?}, not once each from 1 to 20."),
            "a request was handled more than once, or not at all.",
        );
    }
    server.must_end(0, LOST);
}

#[test]
#[cfg(unix)]
fn check_07_new_connections_are_refused() {
    after(check_05_running_requests_are_answered);
    let check = check!("while the last requests are handled, new connections are refused")
        .read("who-comes-too-late")
        .by_hand("curl -s http://{addr}/app/wait/3000 & sleep 0.2; kill -TERM $(pgrep -n chapter12); sleep 0.2; curl http://{addr}/");
    let site = Site::with_a_home();
    let mut server = start(&check, &site, 2);
    let mut last = server.ask("/app/wait/600");
    last.until_read();
    server.signal("TERM");
    const OPEN: &str = "the listener is still open while the workers finish: drop it before you wait \
                        for them, and the kernel refuses whoever comes.";
    server.must_refuse(OPEN);
    last.expect_nothing_yet(
        "the running request was answered, or cut off, before the listener was closed.",
    );
    last.must_get(200, "waited 600 ms\n", OPEN);
    server.must_end(0, OPEN);
}

#[test]
#[cfg(unix)]
fn check_08_idle_clients_do_not_delay_the_end() {
    after(check_04_a_signal_ends_it);
    let check = check!("clients that have sent nothing, or half a request, do not delay the end")
        .read("who-says-nothing")
        .by_hand("nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n chapter12)");
    let site = Site::with_a_home();
    let mut server = start(&check, &site, 2);
    let half: Vec<_> = (0..2).map(|_| server.ask_half("/")).collect();
    let idle: Vec<_> = (0..30).map(|_| server.connect()).collect();
    server.signal("TERM");
    server.must_end(
        0,
        "a worker still waits in read() for a client that says nothing, for as long as its patience \
         lasts. Look now and then whether the end has come.",
    );
    drop((half, idle));
}

#[test]
#[cfg(unix)]
fn check_09_a_second_signal_ends_it_at_once() {
    after(check_05_running_requests_are_answered);
    let check = check!("a second Ctrl-C does not wait for anything").read("who-asks-twice");
    let site = Site::with_a_home();
    let mut server = start(&check, &site, 2);
    let mut client = server.ask("/app/wait/10000");
    client.until_read();
    server.signal("INT");
    server.must_refuse("after the first signal the listener must be closed.");
    server.signal("INT");
    server.must_end_somehow(
        "who presses Ctrl-C twice wants the program to end now, with process::exit().",
    );
}

#[test]
#[cfg(unix)]
fn check_10_there_is_a_deadline() {
    after(check_05_running_requests_are_answered);
    let check = check!("clients that take too long cannot delay the end beyond --grace")
        .read("a-deadline-for-the-end")
        .with_options("--grace 1000");
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--threads", "2", "--grace", "300"];
    let mut server = check.start(&args);
    let mut client = server.ask("/app/wait/10000");
    client.until_read();
    server.signal("TERM");
    server.must_end(
        0,
        "the program waits for its workers without a deadline. Let a thread end the program when \
         --grace has passed.",
    );
}

#[test]
fn check_11_the_end_of_stdin() {
    after(check_02_as_many_at_once_as_threads);
    let check = check!("with --until-eof, the end of stdin asks to stop as a signal does")
        .read("who-asks")
        .by_hand("sleep 3 | cargo run -p chapter12 -- --until-eof; echo \"exit code $?\"");
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--threads", "2", "--until-eof"];
    let mut server = check.start_with_stdin(&args);
    let mut client = server.ask("/app/wait/200");
    client.until_read();
    server.close_stdin();
    const EOF: &str =
        "read stdin to its end on a thread of its own, and then do what a signal does.";
    client.must_get(200, "waited 200 ms\n", EOF);
    server.must_end(0, EOF);
}

#[test]
fn check_12_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("zero-threads")
        .by_hand("cargo run -p chapter12 -- --threads 0; echo \"exit code $?\"");
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
fn check_13_a_real_client() {
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
