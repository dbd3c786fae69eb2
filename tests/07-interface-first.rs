//! Milestone of chapter 07: a pool of `--threads N` serves N clients at once and
//! never more; the others wait for their turn, and cost nothing while they wait.

use std::time::Duration;

use harness::{
    Check, Client, DEADLINE, Likely, Program, Site, after, check, get, some_threads,
};

const EARLIER: &str = "the answer is another one than in chapter 06. Only main.rs, \
                       server.rs and pool.rs change in this chapter, and git diff \
                       --stat chapters/07-interface-first shows what else has.";
const STUCK: &str = "no job gets on, although all slots are free. Does execute() run \
                     the job at all? Does it wait although a slot is free? \
                     wait_while() waits for as long as its closure says true. Does a \
                     thread take the lock that it holds already?";
const NOT_RUN: &str = "the job was dropped, and the stream in it: does the new \
                       thread call the job?";
const FEWER: &str = "fewer jobs run at once than --threads asks for. Does the number \
                     reach ThreadPool::new()? Does each job have a thread of its \
                     own, and are all N slots used? Is a lock held while a job runs, \
                     or a thread joined before the next one is made?";
const MORE: &str = "more jobs run at once than the pool allows. If you have only \
                    begun: serve() hands its jobs to the pool in step 2, and the \
                    limit is step 3, in src/pool.rs. Each job must take a slot \
                    before it begins, and keep it until it ends: a slot that is \
                    dropped before the job runs, or a closure that does not own the \
                    slot, gives it back too early. Does the pool begin with N slots, \
                    and does take() subtract one? Does execute() run a job itself \
                    when none is free?";
const TWICE: &str = "more jobs run at once than the pool allows, now that some have \
                     ended: a slot was given back twice. If a value gives it back in \
                     Drop, no line after the job must do that as well.";
const TURNED_AWAY: &str = "all threads are busy, and a client was turned away that \
                           should wait for its turn: execute() returns only when \
                           there is a slot.";
const FORGOTTEN: &str = "a job that had to wait was forgotten or refused, or it \
                         waits for more than the first slot that is given back. Does \
                         any slot come back: which type has the Drop, the one that \
                         is a slot or the pool? Is the waiting thread notified \
                         whenever a job ends, and only after its slot has been \
                         counted? Is the lock held from the look at the number until \
                         the wait, or can a slot come back in between, unseen?";
const SLOT: &str = "the panic has taken a slot with it. The lines after a call that \
                    panics don't run, but what the thread owns is dropped all the \
                    same: give the slot back in Drop.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 06")
        .read("what-stays")
        .with_options("--root book/src --threads 2")
        .by_hand("curl -sm 2 http://{addr}/introduction.md | head -1");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, some_threads());
    for _ in 0..3 {
        let mut client = server.ask("/");
        client.read("no-more-than-n");
        let answer = client.answer(Likely {
            silent: STUCK,
            closed: NOT_RUN,
            reset: NOT_RUN,
            differs: EARLIER,
        });
        client.read("what-stays");
        client.expect_status(&answer, &[200], EARLIER);
        client.expect_body(&answer, b"home", EARLIER);
        client.hang_up();
    }
}

#[test]
fn check_02_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("zero-is-a-value")
        .by_hand("cargo run -p chapter07 -- --threads 0; echo \"exit code $?\"");
    let run = check.run_to_its_end(
        &["127.0.0.1:0", "--threads", "0"],
        "it goes on although it can't do what it was asked to do: is what the \
         command line says used at all? If you have only begun, see Step 1 in \
         src/main.rs.",
    );
    run.refuses_a_pool_of_nothing(
        "a pool of nothing would serve no one. ThreadPool::new() returns an error, \
         and main() says so and ends with exit code 1. A panic would say that the \
         program is broken.",
    );
    check.wants_a_number_for("--threads");
}

#[test]
fn check_03_as_many_at_once_as_threads() {
    after(check_01_still_serves_files);
    let check = check!("N handlers run at once in a pool of N threads")
        .read("no-more-than-n")
        .with_options("--threads 3")
        .by_hand(
            "for i in 1 2 3; do curl -s http://{addr}/app/meet/3/300 & done; wait",
        );
    let site = Site::with_a_home();
    let threads = some_threads();
    check.start_pool(&site, threads).must_meet(threads, FEWER);
}

#[test]
fn check_04_never_more() {
    after(check_02_a_pool_of_nothing);
    after(check_03_as_many_at_once_as_threads);
    let check = check!("a pool of N threads never runs N + 1 jobs at once")
        .read("no-more-than-n")
        .with_options("--threads 3")
        .by_hand(
            "for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; wait",
        );
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = check.start_pool(&site, threads);
    never_more(&check, &server, threads, MORE);
}

/// Has one client more come than the pool has threads, while all of these are held
/// up.
#[track_caller]
fn never_more(check: &Check, server: &Program, threads: usize, more: &'static str) {
    // Each of these is held by a job that waits for the other half of its request.
    let mut held = Vec::new();
    for _ in 0..threads {
        let mut client = server.connect();
        client.send("GET / HT");
        held.push(client);
    }
    server.comes_to_rest();
    let mut one_more = server.ask("/");
    for _ in 0..2 {
        let rests = server.comes_to_rest();
        if one_more.is_turned_away() {
            check.fail(
                format!(
                    "{threads} clients are being served. The connection of one more \
                     was closed."
                ),
                TURNED_AWAY,
            );
        }
        one_more.expect_nothing_yet(more);
        if !rests {
            // It had its chance. That it is busy is another check's matter.
            break;
        }
    }
}

#[test]
fn check_05_who_waits_is_served() {
    after(check_04_never_more);
    let check =
        check!("clients that find no free thread are served when one is free")
            .read("where-a-client-waits")
            .with_options("--threads 2")
            .by_hand(
                "nc 127.0.0.1 {port} &\nnc 127.0.0.1 {port} &\ncurl -sm 2 \
                  http://{addr}/; kill %1; curl -sm 2 http://{addr}/",
            );
    let site = Site::with_a_home();
    // Whichever thread is free first has to do: once it is that of the first client,
    // once that of the last.
    for first_to_go_on in [0, 1] {
        let server = check.start_pool(&site, 2);
        // One says nothing at all, and one stops in the middle.
        let silent = server.connect();
        let half = ask_half_behind(&check, &server);
        let mut stalled = vec![(silent, get("/")), half];
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                // So that the server need not wait for them to close, in whatever
                // order it serves.
                let mut client = server.ask("/");
                client.half_close();
                client
            })
            .collect();
        let (mut client, rest) = stalled.remove(first_to_go_on);
        client.send(rest);
        client.must_get(200, "home", FORGOTTEN);
        for client in waiting {
            client.must_get(200, "home", FORGOTTEN);
        }
        let (mut client, rest) = stalled.remove(0);
        client.send(rest);
        client.must_get(200, "home", FORGOTTEN);
        if first_to_go_on == 1 {
            // The limit still holds, now that so many jobs have ended.
            never_more(&check, &server, 2, TWICE);
        }
    }
}

/// Has a client send half a request that comes behind one who is silent, and waits
/// until it is read.
#[track_caller]
fn ask_half_behind(check: &Check, server: &Program) -> (Client, String) {
    let mut client = server.connect();
    let mut half = get("/");
    let rest = half.split_off(8);
    client.send(half);
    if !client.is_read_within(DEADLINE) {
        check.fail(
            "A client has connected and says nothing. Nothing reads from the next \
             one, although there are 2 threads.",
            "the main thread itself waits for what the first client says. Everything \
             that can wait for a client belongs in the job.",
        );
    }
    (client, rest)
}

#[test]
fn check_06_to_wait_costs_nothing() {
    after(check_05_who_waits_is_served);
    const WAITING: usize = 30;
    let check = check!("clients that wait cost neither threads nor processor time")
        .read("where-a-client-waits")
        .with_options("--threads 2")
        .by_hand(
            "(for i in $(seq 20); do nc 127.0.0.1 {port} & done)\ntop -H -b -n \
                  1 -p $(pgrep chapter07)",
        );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    let _stalled = [server.ask_half("/"), server.ask_half("/")];
    let mut waiting: Vec<_> = (0..WAITING).map(|_| server.ask("/")).collect();
    if !server.comes_to_rest() {
        check.read("no-more-than-n").fail(
            "The program is busy although it can do nothing: both threads of its \
             pool wait for their clients.",
            "a thread asks again and again whether a slot is free. Let it wait on a \
             Condvar, which a job that ends notifies.",
        );
    }
    match server.threads() {
        // Some designs have a thread or two that hand out the jobs.
        Some(count) if count > WAITING / 2 => check.fail(
            format!(
                "With --threads 2 the program has {count} threads, because {WAITING} \
                 clients wait."
            ),
            "each of them has a thread already, which waits for a slot. Take the \
             slot first, and make the thread when there is one.",
        ),
        Some(_) => {}
        None => {
            check.pass_over("only Linux tells here how many threads a program has")
        }
    }
    // Longer than most limits to a wait.
    server.nothing_happens_for(Duration::from_millis(1100));
    waiting[0].expect_nothing_yet(
        "a wait for a slot has a limit, as with wait_timeout_while(), and when the time \
         is over the job runs without one. Wait for as long as it takes.",
    );
}

#[test]
fn check_07_a_panic_gives_its_slot_back() {
    after(check_05_who_waits_is_served);
    let check = check!("handlers that panic take no thread away from the pool")
        .read("a-job-that-panics")
        .causes_panics("a handler panics, as it was asked to")
        .with_options("--threads 2")
        .by_hand(
            "for i in 1 2 3 4; do curl -sm 2 http://{addr}/app/panic; \
                  done\ncurl -sm 2 http://{addr}/ | head -1",
        );
    let site = Site::with_a_home();
    let threads = some_threads();
    let server = check.start_pool(&site, threads);
    for _ in 0..threads {
        server.ask("/app/panic").read_to_end(Likely::always(SLOT));
    }
    server.must_meet(threads, SLOT);
    server.must_not_meet(threads + 1, TWICE);
    server.must_still_run();
}

#[test]
fn check_08_clients_that_leave() {
    after(check_05_who_waits_is_served);
    let check = check!("clients that leave early take no thread away from the pool")
        .read("what-stays");
    check.keeps_its_threads_when_clients_leave(
        "a job that ends with an error must give its slot back too.",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn check_09_no_thread_to_spare() {
    after(check_05_who_waits_is_served);
    const ROOM: usize = 4;
    let check = check!(
        "if the system has no thread to give, no slot is lost and \
                        none won"
    )
    .read("a-job-that-panics")
    .by_hand(
        "cargo build -p chapter07 && (ulimit -Sv 400000; target/debug/chapter07 \
             --threads 60)\n# then, in a second terminal:\n(for i in $(seq 60); do \
             nc 127.0.0.1 {port} & done)\nkill $(pgrep -x nc | head -30); sleep 1; \
             curl -sm 2 http://{addr}/app/wait/1; pkill -x nc\nprlimit --pid $(pgrep \
             -x chapter07) --as=unlimited:\n(for i in $(seq 60); do curl -s \
             http://{addr}/app/meet/60 & done; wait) | sort -u",
    );
    let site = Site::with_a_home();
    let threads = some_threads();
    let count = threads.to_string();
    let server =
        check.start_for_few_threads(&["--root", &site.arg(), "--threads", &count]);
    server.comes_to_rest();
    if !server.has_room_for_threads(Some(ROOM as u64)) {
        return check.pass_over(
            "there is no prlimit, which takes memory away from a program",
        );
    }
    // Some have a thread and leave, some have a slot and no thread, and stay.
    let mut stalled = server.stall(threads);
    check.step(format!("the first {ROOM} of them hang up"));
    stalled.drain(..ROOM);
    const SILENT: &str = "all slots are taken forever by clients for which there was \
                          no thread, or one of them is served by the main thread. If \
                          the system has no thread, give the slot back, drop the \
                          job, and return the error.";
    if !server.serves_again(SILENT) {
        check.fail(
            "Clients have gone, but no new one is served.",
            "a JoinHandle that is kept keeps the stack of its thread, and with it \
             the room for another one. Drop the handle if nothing is going to join. \
             If none is kept: each thread must end with its client.",
        );
    }
    server.must_still_run();
    drop(stalled);
    server.has_room_for_threads(None);
    server.must_meet(
        threads,
        "a slot was taken for a client, no thread could be made, and the slot was \
         not given back. What a closure owns is dropped with it, and spawn() drops \
         it if there is no thread: let the closure own the slot.",
    );
    server.must_not_meet(
        threads + 1,
        "no thread could be made, and a slot was given back twice: by Drop, and once \
         more by hand.",
    );
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
    let check = check!("a program that can't start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}

#[test]
#[cfg(unix)]
fn check_12_no_descriptor_to_spare() {
    after(check_05_who_waits_is_served);
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
