//! Milestone of chapter 06: each client is served on a thread of its own, so that
//! none waits for another, and what the threads share is counted exactly.

use std::time::{Duration, Instant};

use harness::{Check, Client, DEADLINE, Likely, Program, Random, Site, after, get};

// Where the page explains gap 1 and gap 2.
harness::gaps!["one-client-one-thread", "counting"];

const ALONE: &str = "the clients are still served one after the other.";
const MAIN: &str = "the program has one thread: the main thread itself reads from a \
                    client, and accepts no other one meanwhile. Everything that can \
                    wait for a client belongs in the new thread.";
const TWO: &str = "the program has two threads. Either the main thread waits for the \
                   end of the first client's thread, with join() or at the end of a \
                   thread::scope: spawn, and go back to accept() at once. Or one \
                   thread serves all clients in turn, as behind a channel: each \
                   needs one of its own.";
const WAITING: &str = "there are threads enough, but they wait for each other. Is a \
                       lock taken before the client is read from, and held all the \
                       time? Share the App in an Arc, without a Mutex around it. Or \
                       is there a limit to the number of threads?";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 05").read("what-stays");
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    const SAME: &str = "does the new thread call converse()? If it does, and the \
                        answer is another one than in chapter 05: only main.rs, \
                        server.rs and app.rs change in this chapter, and git diff \
                        --stat chapters/06-thread-per-request shows what else has.";
    // This one's thread waits for its request before it comes.
    let mut late = server.connect();
    server.comes_to_rest();
    late.send(get("/"));
    late.must_get(200, "home", SAME);
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
    let check = check!("clients that say nothing, or half a request, hold nobody up")
        .read("one-client-one-thread")
        .with_options("--root book/src")
        .by_hand(
            "nc 127.0.0.1 {port} &\ncurl -sm 2 http://{addr}/introduction.md | \
                  head -1",
        );
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    let mut stalled = Vec::new();
    for turn in 0..120 {
        let mut client = server.connect();
        let mut request = get("/");
        // The first one and every other one after it say nothing at all: nothing may
        // wait for their first byte either.
        if turn % 2 == 1 {
            let rest = request.split_off(8);
            client.send(request);
            request = rest;
        }
        stalled.push((client, request));
    }
    let mut fast = server.ask("/");
    if !fast.is_read_within(DEADLINE) {
        let (section, likely) = match server.threads() {
            Some(1) => ("one-client-one-thread", MAIN),
            Some(2) => ("one-client-one-thread", TWO),
            Some(_) => ("what-threads-may-share", WAITING),
            None => ("one-client-one-thread", ALONE),
        };
        check.read(section).fail(
            "60 clients have sent nothing, and 60 have sent half a request. The \
             request of one more, a whole one, isn't even read.",
            likely,
        );
    }
    fast.must_get(200, "home", ALONE);
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
        .by_hand(
            "for i in 1 2 3; do curl -s http://{addr}/app/meet/3/300 & done; wait",
        );
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    let size = 4 + Random::default().below(8);
    let meet = format!("/app/meet/{size}");
    check.step(format!("let all but one of {size} handlers wait in {meet}"));
    let mut clients = Vec::new();
    for _ in 1..size {
        let mut client = server.ask(&meet);
        client.until_read();
        clients.push(client);
    }
    const LOCKED: &str = "while one handler waits, no other gets on: all of them \
                          need one lock, and each holds it for as long as it runs. \
                          Share the App in an Arc, without a Mutex around the whole \
                          of it.";
    check.step("meanwhile, ask for a file");
    server.ask("/").must_get(200, "home", LOCKED);
    check.step("send the last handler to the meeting");
    clients.push(server.ask(&meet));
    const APART: &str = "the handlers run at once, but don't meet: each thread has \
                         an App of its own, or too few handlers can run at once. All \
                         threads must use the same App.";
    for client in clients.into_iter().rev() {
        client.must_get(200, &format!("{size} met\n"), APART);
    }
}

#[test]
fn check_04_every_visit_counts() {
    after(check_03_handlers_run_at_once);
    let check = check!("visits from many threads are all counted, each once")
        .read("counting")
        .by_hand(
            "# the server must have been started anew: 1, 2, and 4000003 in the \
             end\ncurl -s http://{addr}/app/visit/1; curl -s \
             http://{addr}/app/visit/1\nfor i in 1 2 3 4; do curl -s \
             http://{addr}/app/visit/1000000 & done; wait\ncurl -s \
             http://{addr}/app/visit/1",
        );
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    const FIRST: &str = "the first visitor is number 1. fetch_add() returns what was \
                         there before it has added.";
    server.ask("/app/visit/1").must_get(200, "1\n", FIRST);
    const APART: &str = "the second visitor, on another thread, must be number 2: \
                         does each thread have a counter of its own?";
    server.ask("/app/visit/1").must_get(200, "2\n", APART);

    const LOST: &str = "visits were lost: between one thread's look at the number \
                        and its change, another thread has counted too. load() and \
                        store() are two steps, and so are two lock() calls. \
                        fetch_add() is one step, and so is what happens under one \
                        lock, held from reading to writing.";
    let mut visits = 2;
    for _ in 0..5 {
        let (began, used) = (Instant::now(), server.cpu_time());
        count_together(&server);
        let took = began.elapsed();
        visits += THREADS * EACH + 1;
        must_have_counted(&check, &server, visits, LOST);
        // On a busy machine the threads may have counted one after the other, so that
        // nothing could get lost. More processor time than has passed means that some
        // counted at once.
        let used = server.cpu_time().zip(used).map(|(now, then)| now - then);
        if used.is_some_and(|used| used > took + Duration::from_millis(10)) {
            break;
        }
    }
}

/// Asks for the number of visits, which is one more than `visits` counts now.
#[track_caller]
fn must_have_counted(
    check: &Check,
    server: &Program,
    visits: u32,
    lost: &'static str,
) {
    let mut client = server.ask("/app/visit/1");
    let answer = client.answer(Likely::always(lost));
    client.expect_status(&answer, &[200], lost);
    let counted = String::from_utf8_lossy(answer.body()).trim().to_owned();
    if counted != visits.to_string() {
        check.fail(
            format!("After {visits} visits the counter says {counted}."),
            lost,
        );
    }
    client.hang_up();
}

/// How many threads count together, and how far.
const THREADS: u32 = 4;
const EACH: u32 = 1_000_000;

/// Has threads count that have met before, and waits until they have done.
fn count_together(server: &Program) {
    let request =
        get(&format!("/app/meet/{THREADS}")) + &get(&format!("/app/visit/{EACH}"));
    let clients: Vec<Client> = (0..THREADS)
        .map(|_| {
            let mut client = server.connect();
            client.send(&request);
            client
        })
        .collect();
    for mut client in clients {
        for _ in 0..2 {
            client.answer(Likely::always(
                "requests that come in one piece are answered one after the other, \
                 on one thread, as in chapter 04; and counting takes no time to \
                 speak of.",
            ));
        }
        client.hang_up();
    }
}

#[test]
fn check_05_a_panic_stays_in_its_thread() {
    after(check_02_a_stalled_client_stops_nobody);
    let check = check!("a handler that panics ends its own thread and nothing else")
        .read("a-thread-that-panics")
        .causes_panics("a handler panics, as it was asked to")
        .with_options("--root book/src")
        .by_hand(
            "curl -s http://{addr}/app/panic\ncurl -s http://{addr}/introduction.md \
             | head -1",
        );
    let site = Site::with_a_home();
    const GONE: &str = "a panic ends the thread in which it happens. Here it did \
                        more harm: was the thread joined and the error in join()'s \
                        result unwrapped, has the panic poisoned a Mutex, or does \
                        something end the process when a thread panics?";
    let server = check
        .clone()
        .if_it_ends(GONE)
        .start(&["--root", &site.arg()]);
    for _ in 0..5 {
        if server
            .ask("/app/panic")
            .read_some(12)
            .starts_with(b"HTTP/1.1 404")
        {
            check.fail(
                "There is nothing at /app/panic.",
                "the address was in app.rs, among those of the chapter: this check \
                 needs it.",
            );
        }
        server.ask("/").must_get(200, "home", GONE);
    }
    server.must_still_run();
}

#[test]
fn check_06_clients_that_leave() {
    after(check_02_a_stalled_client_stops_nobody);
    let check =
        check!("clients that leave early hurt no one").read("what-threads-may-share");
    let site = Site::with_a_home();
    site.large_file("large", 10 << 20, b"end");
    let server = check.start(&["--root", &site.arg()]);
    for _ in 0..4 {
        drop(server.connect());
        server.reset_in_a_write(get("/large"));
        server.reset_in_a_read(get("/"), "GET / HT");
    }
    const LEFT: &str = "an error of one client must end its own thread only.";
    server.ask("/").must_get(200, "home", LEFT);
    server.must_still_run();
    server.must_not_have_panicked(
        "clients that reset are nothing unusual. The error of a read or a write ends \
         its conversation: pass it on with ?, log what converse() returns in the \
         client's thread, as chapter 05 did, and unwrap neither.",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn check_07_no_thread_to_spare() {
    after(check_02_a_stalled_client_stops_nobody);
    let check = check!(
        "if the system has no thread to give, the server goes on \
                        without"
    )
    .read("when-there-is-no-thread")
    .by_hand(
        "cargo build -p chapter06 && (ulimit -v 400000; \
             target/debug/chapter06)\n# then, in a second terminal:\n(for i in $(seq \
             60); do nc 127.0.0.1 {port} & done)\nkill $(pgrep -x nc | head -30); \
             sleep 1; curl -sm 2 http://{addr}/app/wait/1; pkill -x nc",
    );
    let site = Site::with_a_home();
    let server = check.start_with_room_for_few_threads(&["--root", &site.arg()]);
    // Some have a thread and leave, some have none and stay.
    let mut stalled = server.stall(14);
    check.step("the first 7 of them hang up, the others stay");
    stalled.drain(..7);
    const ON_MAIN: &str = "if there was no thread for a client, the main thread \
                           serves it, and accepts no other one for as long as that \
                           client likes, or it waits there for other threads to end \
                           (join). Or a client was accepted and then forgotten. If \
                           there is no thread, log that, and close the connection.";
    if !server.serves_again(ON_MAIN) {
        check.fail(
            "Clients have gone, but no new one is served.",
            match server.threads() {
                Some(count) if count < 8 => {
                    "their threads are gone too, but not the memory of these: a \
                     JoinHandle that is kept keeps the stack of its thread. Drop the \
                     handle if nothing is going to join."
                }
                _ => "each thread must end with its client.",
            },
        );
    }
    server.must_still_run();
}

#[test]
fn check_08_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that can't start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}

#[test]
fn check_09_other_spellings() {
    after(check_01_still_serves_files);
    let check = check!("an address of the app may be spelled as that of a file may")
        .read("what-stays")
        .by_hand(
            "printf 'GET http://a/app/wait/5?x HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' \
             | nc -N 127.0.0.1 {port}\n\
             curl -s 'http://{addr}/%61pp/wait/5?x'",
        );
    let site = Site::with_a_home();
    let server = check.start(&["--root", &site.arg()]);
    const SPELLED: &str = "the app's addresses are told apart by the names of the \
                           target, decoded, as files are: without the scheme and the \
                           host of an absolute form, and without the query. That \
                           code was there, in app.rs and target_path.rs.";
    for target in [
        "http://a/app/wait/5",
        "/app/wait/5?x=1",
        "/app/wait/5?x/y",
        "/%61pp/wait/%35",
        "HTTP://a/app/w%61it/5?",
    ] {
        server.ask(target).must_get(200, "waited 5 ms\n", SPELLED);
    }
    server.ask("http://a/?x").must_get(200, "home", SPELLED);
}

#[test]
#[cfg(unix)]
fn check_10_no_descriptor_to_spare() {
    after(check_02_a_stalled_client_stops_nobody);
    let check = check!("an error of accept doesn't end the server")
        .read("when-there-is-no-thread")
        .by_hand(
            "cargo build -p chapter06 && (ulimit -n 16; target/debug/chapter06)\n\
             # then, in a second terminal:\n\
             (for i in $(seq 20); do nc 127.0.0.1 {port} & done)\n\
             sleep 1; pkill -x nc; curl -sm 2 http://{addr}/app/wait/1",
        );
    let site = Site::with_a_home();
    check.outlives_a_lack_of_descriptors(&["--root", &site.arg()]);
}
