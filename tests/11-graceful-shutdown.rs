//! Milestone of chapter 11: asked to stop, the server accepts nobody any more,
//! answers what it has received, and ends with exit code 0. Who asks twice does not
//! wait.

#![cfg_attr(not(unix), allow(unused, reason = "much is for signals only"))]

use std::time::{Duration, Instant};

use harness::{Client, FEWER, Likely, MORE, Program, Site, after, some_threads};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "close-then-join",
    "who-asks",
    "whom-nobody-has-accepted",
    "who-says-nothing",
    "who-asks-twice",
    "a-deadline-for-the-end",
];

const SERVED: &str = "a job that waits is run as soon as a worker is free, as in \
                      chapter 09.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 10").read("what-stays");
    const SAME: &str = "it did in chapter 10: git diff chapters/11-graceful-shutdown \
                        shows what has changed.";
    check.still_serves_files(Likely::always(SAME), SAME);
}

#[test]
fn check_02_as_many_at_once_as_threads() {
    after(check_01_still_serves_files);
    let check = check!("N handlers run at once in a pool of N threads")
        .read("what-stays")
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
        .read("what-stays")
        .with_options("--threads 3")
        .by_hand(
            "(for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; \
             wait)",
        );
    check.serves_no_more_than_threads(MORE, SERVED);
}

#[test]
fn check_04_a_pool_that_is_dropped() {
    after(check_02_as_many_at_once_as_threads);
    let check = check!(
        "a server that cannot listen ends, although its workers wait for jobs"
    )
    .read("close-then-join")
    .by_hand(
        "# its address is taken now:\ncargo run -p {package}; echo \"exit code $?\"",
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("an address").to_string();
    const JOINED: &str = "main returned, and dropped the pool. Did drop() wait for \
                          workers whose queue was still open? They wait for jobs, \
                          and you for them. Drop the sender first, and the sender \
                          itself: a clone or a reference that is dropped leaves the \
                          queue open.";
    let run = check.run_to_its_end(&[&addr], JOINED);
    run.code(
        1,
        "chapter 01's milestone tells more: cargo test -p chapter01.",
    );
}

/// What keeps a server from its end when it has nothing to do.
const STILL_RUNS: &str = "the thread that accepts is still waiting. A flag alone \
                          wakes nobody, and neither does the signal: std tries \
                          accept() again. Set the flag first, and only then connect \
                          to your own address: the other way round, the loop may \
                          look at the flag before it is set, and wait again. Or \
                          drop() joins workers whose queue is still open.";

/// Where the loop goes on for ever with a listener that does not wait.
const NOBODY_LEFT: &str = "gap 3 is half done: the \"error\" on stderr is \
                           ErrorKind::WouldBlock. The listener doesn't wait any \
                           more, and no one is left whom it could return. So return: \
                           an arm of its own, above the one for all other errors. \
                           The section \"Whom nobody has accepted\" says more.";
/// What stderr says then.
const WOULD_BLOCK: &str = "accept a connection: Resource temporarily unavailable";

#[test]
#[cfg(unix)]
fn check_05_a_signal_ends_it() {
    after(check_04_a_pool_that_is_dropped);
    let check =
        check!("Ctrl-C (SIGINT) and SIGTERM end an idle server with exit code 0")
            .read("who-asks")
            .told_by(WOULD_BLOCK, NOBODY_LEFT)
            .by_hand("kill -TERM $(pgrep -x {package})");
    let site = Site::with_a_home();
    // Several times: where the loop looks at the flag before it is set depends on who
    // is faster.
    for signal in ["TERM", "INT"].repeat(4) {
        let mut server = check.start_pool(&site, 2);
        server.ask("/").must_get(
            200,
            "home",
            "the server must serve before it stops.",
        );
        server.signal(signal);
        server.must_end(0, STILL_RUNS);
    }
}

#[test]
#[cfg(unix)]
fn check_06_new_connections_are_refused() {
    after(check_05_a_signal_ends_it);
    let check = check!(
        "while the last requests are handled, new connections are refused"
    )
    .told_by(WOULD_BLOCK, NOBODY_LEFT)
    .read("who-comes-too-late")
    .by_hand(
        "curl -s http://{addr}/app/wait/4000 & sleep 1; kill -TERM $(pgrep -x \
         {package})\n\
         sleep 1; curl http://{addr}/",
    );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    let mut last = server.ask("/app/wait/10000");
    last.until_read();
    server.signal("TERM");
    server.must_refuse(
        "the listener is still open while the workers finish: clients connect to it, \
         and nobody will ever accept them. Drop it before you wait for the workers, \
         and the kernel refuses whoever comes.",
    );
}

#[test]
#[cfg(unix)]
fn check_07_running_requests_are_answered() {
    after(check_06_new_connections_are_refused);
    let check = check!("requests that are being handled are answered before the end")
        .told_by(WOULD_BLOCK, NOBODY_LEFT)
        .read("what-is-running")
        .with_options("--threads 3")
        .by_hand(
            "for i in 1 2 3; do curl -s http://{addr}/app/wait/2000 & done\n\
             sleep 1; kill -TERM $(pgrep -x {package}); wait",
        );
    const CUT: &str = "the program has ended while its workers were at work: main \
                       returned, and with it all threads end, or somebody called \
                       process::exit(). Keep the JoinHandles, and join each worker.";
    const PIPELINED: &str = "this request had come as a whole before the stop, right \
                             behind the one that was answered: a part of it is in \
                             the connection's input, and the rest waits in the \
                             kernel. The server answers what it has received: close \
                             only when nothing is left over.";
    check.answers_what_is_running(CUT, PIPELINED);
}

/// What does not fit into the kernel's buffers: a worker that sends it works for as
/// long as the client does not read.
fn much() -> String {
    "so much!\n".repeat(1_000_000)
}

fn with_much() -> Site {
    let site = Site::with_a_home();
    site.file("much.txt", much());
    site
}

#[track_caller]
fn ask_for_much(server: &Program) -> Client {
    let mut client = server.ask("/much.txt");
    client.until_read();
    client
}

/// Asks the program to stop, and waits until it has done all it can while clients do
/// not read.
#[cfg(unix)]
#[track_caller]
fn stop(server: &Program) {
    server.signal("TERM");
    server.must_refuse("after the signal the listener must be closed.");
    server.comes_to_rest();
}

#[test]
#[cfg(unix)]
fn check_08_queued_requests_are_answered() {
    after(check_07_running_requests_are_answered);
    let check = check!(
        "requests that wait for a worker are answered before the end, each once"
    )
    .told_by(WOULD_BLOCK, NOBODY_LEFT)
    .read("what-is-queued")
    .with_options("--threads 1")
    .by_hand(
        "curl -s http://{addr}/app/wait/2000 & sleep 1\n\
         for i in 1 2 3; do curl -s http://{addr}/app/visit & done\n\
         sleep 1; kill -TERM $(pgrep -x {package}); wait",
    );
    let site = with_much();
    let mut server = check.start_pool(&site, 1);
    let first = ask_for_much(&server);
    let waiting: Vec<_> = (0..20).map(|_| server.ask("/app/visit")).collect();
    stop(&server);
    const LOST: &str = "a job in the queue was thrown away. A closed channel still \
                        hands out what is in it: workers go on until recv() fails, \
                        and look at no flag. And a job that begins after the stop \
                        still reads what its client has sent: it is here.";
    first.must_get(200, &much(), LOST);
    let visits = waiting.into_iter().map(|client| client.visit(LOST));
    check.visits_once(visits.collect());
    server.must_end(0, LOST);
}

#[test]
#[cfg(unix)]
fn check_09_idle_clients_do_not_delay_the_end() {
    after(check_05_a_signal_ends_it);
    let check = check!(
        "clients that have sent nothing, or half a request, do not delay the end"
    )
    .told_by(WOULD_BLOCK, NOBODY_LEFT)
    .read("who-says-nothing")
    .by_hand(
        "for words in '' 'GET / HT'; do (printf \"$words\"; sleep 9) | nc 127.0.0.1 \
         {port} & done\n\
         sleep 1; kill -TERM $(pgrep -x {package})",
    );
    const TOLD: &str = "nothing is wrong with half a request: its time is up. After \
                        the last look, fill returns the timeout as an error, and \
                        read_head makes 408 of it. Ok(0) would mean that the client \
                        has closed.";
    check.does_not_wait_for_the_idle(
        "a worker still waits in read() for a client that says nothing, for as long \
         as its patience lasts. Look now and then whether stopping has begun: a read \
         with a short timeout can be tried again.",
        TOLD,
        "when the grace was over, the workers were still busy with 80 clients that \
         say nothing and two that have sent half a request. Does a read wait for as \
         long as its client's patience lasts? Look now and then whether stopping has \
         begun: a read with a short timeout can be tried again. And once it has \
         begun, a read waits for LAST_LOOK only, and for no TICK: ask before each \
         read, for a job too that begins after the stop.",
    );
}

#[test]
#[cfg(unix)]
fn check_10_connected_clients_are_taken() {
    after(check_08_queued_requests_are_answered);
    after(check_09_idle_clients_do_not_delay_the_end);
    // Cargo itself may need more than 30 files, so the server is started without it.
    const FEW_FILES: &str = "cargo build -p {package} && (ulimit -n 30; \
                             target/debug/{package} --threads 2)\n\
                             # then, in a second terminal:\n\
                             for i in 1 2; do (printf 'GET'; sleep 4) | nc 127.0.0.1 \
                             {port} & done\n\
                             sleep 1; for i in $(seq 50); do curl -sS \
                             http://{addr}/app/visit & done\n\
                             sleep 1; kill -TERM $(pgrep -x {package}); wait";
    let check = check!(
        "clients whom the kernel has connected, and nobody accepted yet, are answered"
    )
    .read("whom-nobody-has-accepted")
    .by_hand(FEW_FILES);
    const SPINS: &str = "after an error of accept() that will not pass by itself, wait \
                         a moment, as in chapter 10.";
    const FORGOTTEN: &str = "clients were connected, and their requests were here, \
                             but accept() had not returned them yet: they waited in \
                             the listener's backlog, and were reset when it was \
                             closed. Before that, go on accepting until nobody is \
                             left: set_nonblocking(true) makes accept() say so with \
                             WouldBlock. Only WouldBlock means that nobody is left: \
                             after \"too many open files\", pause and try again, \
                             also while stopping.";
    check.takes_who_is_connected(SPINS, FORGOTTEN);
}

#[test]
fn check_11_slow_clients_are_awaited() {
    after(check_02_as_many_at_once_as_threads);
    let check = check!(
        "while nobody asks the server to stop, slow clients have their time, and no \
         more"
    )
    .read("who-says-nothing")
    .by_hand(
        "(printf 'GET /app/visit HTTP/1.1\\r\\n'; sleep 1; printf 'Host: \
         a\\r\\n\\r\\n'; sleep 1) | nc 127.0.0.1 {port}",
    );
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 3);
    const GIVEN_UP: &str = "a read that looks now and then whether stopping has \
                            begun must go on when it has not: only the end of the \
                            client's patience is the end. So it must after \
                            ErrorKind::Interrupted, which is what a signal (here \
                            SIGSTOP and SIGCONT, as with Ctrl-Z and fg) makes of a \
                            read with a timeout.";
    let (mut half, rest) = server.ask_half("/");
    let mut idle = server.connect();
    // The server itself is the clock: this client is answered after 400 ms.
    let clock = server.ask("/app/wait/400");
    if let Some(used) = server.spins(Duration::from_millis(100)) {
        check.fail(
            format!(
                "While all its clients were silent, the program was busy: {used:?} \
                 of a core."
            ),
            "something is tried again and again, and never waits. A listener that is \
             told not to wait before stopping has begun gives WouldBlock at once, \
             each time; so does a read.",
        );
    }
    clock.must_get(200, "waited 400 ms\n", GIVEN_UP);
    // As Ctrl-Z and fg do: what waits is interrupted, and has to go on.
    server.stop_and_continue();
    half.send(rest);
    half.must_get(200, "home", GIVEN_UP);
    idle.send(harness::get("/app/visit"));
    idle.must_get(200, "1\n", GIVEN_UP);

    let args = ["--threads", "1", "--patience", "300"];
    let server = check.start(&[&["--root", &site.arg()], &args[..]].concat());
    server.ask("/").must_get(
        200,
        "home",
        "300 ms are enough for a client that is here.",
    );
    let (mut half, _) = server.ask_half("/");
    const FOR_EVER: &str = "going round again after each TICK must come to its end \
                            with the client's patience, and then the client is told: \
                            left(deadline)? is that end.";
    let answer = half.answer(Likely::always(FOR_EVER));
    half.expect_status(&answer, &[408], FOR_EVER);
    half.hang_up();
    let run = check.run(&["127.0.0.1:0", "--patience", "0"]);
    run.code(2, "as in chapter 10: a patience of nothing serves nobody.");
}

#[test]
#[cfg(unix)]
fn check_12_a_second_signal_ends_it_at_once() {
    after(check_06_new_connections_are_refused);
    let check = check!("a second Ctrl-C does not wait for anything")
        .read("who-asks-twice")
        .by_hand(
            "curl -s http://{addr}/app/wait/9000 &\n\
             for i in 1 2; do sleep 1; kill -INT $(pgrep -x {package}); done\n\
             # then, in the first one:\n\
             echo \"exit code $?\"",
        );
    check.ends_at_a_second_signal(
        "who presses Ctrl-C twice wants the program to end now: wait for a second \
         signal, and call process::exit().",
        "answers were cut off, and exit code 0 would tell the shell that all went \
         well. By convention it is 130; to let the signal end the program is as \
         good.",
    );
}

#[test]
#[cfg(unix)]
fn check_13_there_is_a_deadline() {
    after(check_06_new_connections_are_refused);
    let check = || {
        check!("requests that take too long do not delay the end beyond --grace")
            .if_it_ends(
                "nobody has asked it to stop, or the request is still running. The \
                 grace begins when someone asks, not with the server.",
            )
            .read("a-deadline-for-the-end")
            .with_options("--grace 1000")
            .by_hand(
                "curl -s http://{addr}/app/wait/10000 & sleep 1; kill -TERM $(pgrep \
                 -x {package})",
            )
    };
    let site = Site::with_a_home();
    let root = site.arg();
    let args = |grace| ["--root", &root, "--threads", "2", "--grace", grace];
    let occupied = |server: &Program| {
        let mut client = server.ask("/app/wait/10000");
        client.until_read();
        client
    };
    // Where no one is connected, no one is left. What is said on a busy machine
    // counts only if it was said early.
    for _ in 0..5 {
        let mut nobody = check().start(&args("0"));
        nobody.ask("/").must_get(200, "home", STILL_RUNS);
        let begin = Instant::now();
        nobody.signal("TERM");
        nobody.must_end(0, STILL_RUNS);
        if begin.elapsed() < Duration::from_millis(50) {
            nobody.must_have_said_nothing(
                "nobody was connected, so nobody was left: say so only if \
                 stop.clients is not 0. The connection that the server makes to \
                 itself counts as well until a worker has read its end: give it a \
                 moment.",
            );
        }
    }
    // Five servers, all at the same time.
    let mut heard = check().start(&args("200"));
    let mut none = check().start(&args("0"));
    let eof_check = check().by_hand(
        "sleep 2 | cargo run -p {package} -- --until-eof --grace 1000\n\
         # then, in a second terminal:\n\
         curl -s http://{addr}/app/wait/10000",
    );
    let mut eof =
        eof_check.start_with_stdin(&[&args("200")[..], &["--until-eof"]].concat());
    // Cargo would write to stderr itself, and may need more than 20 files.
    let unheard_check = check().by_hand(
        "cargo build -p {package}; target/debug/{package} --grace 1000 2>&1 > \
         /dev/null | true\n\
         # then, in a second terminal:\n\
         curl -s http://{addr}/app/wait/10000 & sleep 1; kill -TERM $(pgrep -x \
         {package})",
    );
    let mut unheard = unheard_check.start_unheard(&args("200"));
    let full_check = check().by_hand(
        "cargo build -p {package} && (ulimit -n 20; target/debug/{package} --threads \
         2 --grace 3000)\n\
         # then, in a second terminal:\n\
         for i in 1 2; do curl -s http://{addr}/app/wait/10000 & done; sleep 1\n\
         for i in $(seq 28); do sleep 9 | nc 127.0.0.1 {port} & done\n\
         sleep 1; kill -TERM $(pgrep -x {package}); sleep 1; top -bn1 | grep \
         {package}",
    );
    let mut full = full_check.start_with_few_files(20, &args("800"));
    let mut clients: Vec<_> = [&heard, &none, &eof, &unheard, &full, &full]
        .map(occupied)
        .into();
    // Others come to the third one for nothing, until it has no descriptor left for
    // them.
    clients.extend((0..28).map(|_| full.connect()));
    full.comes_to_rest();
    eof.close_stdin();
    for server in [&heard, &none, &unheard] {
        server.signal("TERM");
    }
    // This one is watched until its grace is over.
    full.signal("TERM");
    let busy = full.spins(Duration::from_millis(100));

    const NO_DEADLINE: &str = "main waits for its workers without a deadline, and \
                               nothing else ends the program. Let a thread end it \
                               when --grace milliseconds have passed since it was \
                               asked to stop, whoever asked.";
    const SILENT: &str = "the exit code is 0, so a word on stderr is all that tells \
                          an operator that clients were left. Write it there with \
                          log(): println! goes to stdout, and panics when nobody \
                          reads that any more.";
    for server in [&mut heard, &mut none, &mut eof] {
        server.must_end(0, NO_DEADLINE);
        server.must_have_said_why(SILENT);
    }
    unheard.must_end(
        0,
        "the thread that was to end the program has panicked before it came to that: \
         eprintln! and println! do so where nobody reads any more. log() does not.",
    );
    if let Some(used) = busy {
        full_check.fail(
            format!(
                "While it stopped and could accept nobody, the program was busy: \
                 {used:?} of a core."
            ),
            "after an error of accept() that will not pass by itself, wait a moment, \
             also while stopping: only WouldBlock is an end, and every other error \
             goes the way it went before.",
        );
    }
    full.must_end(
        0,
        "no descriptor is left, so the server cannot connect to itself either. That \
         is no reason to panic: the thread that tried it must live to end the \
         program when the grace is over.",
    );
}

#[test]
fn check_14_the_end_of_stdin() {
    after(check_04_a_pool_that_is_dropped);
    let check = check!(
        "with --until-eof, the end of stdin asks to stop as a signal does"
    )
    .read("who-asks")
    .told_by(WOULD_BLOCK, NOBODY_LEFT)
    .by_hand(
        "cargo run -p {package} -- --until-eof < /dev/null; echo \"exit code $?\"",
    );
    let site = with_much();
    let args = ["--root", &site.arg(), "--threads", "2", "--until-eof"];
    let mut server = check.start_with_stdin(&args);
    let reader = ask_for_much(&server);
    server.close_stdin();
    server.must_refuse(
        "after the end of stdin the listener must be closed, as after a signal.",
    );
    // In `sleep 9 | server`, Ctrl-C ends both: the end of stdin and a first signal
    // come together.
    #[cfg(unix)]
    server.signal("INT");
    server.comes_to_rest();
    const EOF: &str = "the end of stdin does what a first signal does, and is none \
                       itself: a first signal after it changes nothing.";
    reader.must_get(200, &much(), EOF);
    server.must_end(0, EOF);
}

#[test]
#[cfg(unix)]
fn check_15_an_ignored_signal() {
    after(check_05_a_signal_ends_it);
    let check = check!(
        "a server that was started with SIGINT ignored goes on ignoring it"
    )
    .read("who-asks")
    .by_hand(
        "cargo build -p {package} && (trap '' INT; exec target/debug/{package})\n\
         # then, in a second terminal:\n\
         kill -INT $(pgrep -x {package}); sleep 1; curl -sS http://{addr}/\n\
         kill -TERM $(pgrep -x {package})",
    );
    const HEARD: &str = "a script that starts a server with & has it ignore SIGINT, \
                         because Ctrl-C is meant for what runs in the foreground. \
                         signal() returns what the signal did before: where that was \
                         SIG_IGN, ignore it again.";
    let site = Site::with_a_home();
    let mut server = check.start_ignoring("INT", &["--root", &site.arg()]);
    server.signal("INT");
    // If it hears the signal, it comes to its end before it rests.
    server.comes_to_rest();
    server.must_still_run_after(HEARD);
    server.ask("/").must_get(200, "home", HEARD);
    server.signal("TERM");
    server.must_end(0, STILL_RUNS);
}

#[test]
fn check_16_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("what-stays")
        .by_hand("cargo run -p {package} -- --threads 0; echo \"exit code $?\"");
    let run = check.run(&["127.0.0.1:0", "--threads", "0"]);
    run.refuses_a_pool_of_nothing(
        "a pool of nothing serves nobody: say so, and end with exit code 1.",
    );
    check.wants_a_number_for("--threads");
}

#[test]
fn check_17_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_18_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
