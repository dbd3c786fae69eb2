//! Milestone of chapter 14: one heavy request is split among threads, and gives the
//! same bytes as before; and however many heavy requests there are, the threads that
//! they start are counted.

use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Check, DEADLINE, Likely, Program, Random, Site, after};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "a-limit",
    "a-picture-row-by-row",
    "halves-of-halves",
    "a-thread-that-borrows",
    "a-budget",
    "no-thread-to-be-had",
];

const NO_ANSWER: Likely = Likely {
    silent: "the handler doesn't come to its end: does something wait for a thread \
             that waits itself, or does a split never become small enough?",
    closed: "the server closed the connection: an HTTP/1.1 connection stays open for \
             the next request until one side says \"Connection: close\".",
    reset: "the server closed the connection while bytes that the client had sent \
            were unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so \
              that the next one begins in the wrong place.",
};

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";
const LAST_LEAF: &str = "the last leaf panics, as it was asked to";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 13").read("what-stays");
    check.still_serves_files(
        NO_ANSWER,
        "it did in chapter 13: git diff chapters/14-fork-join shows what changed.",
    );
}

#[test]
fn check_02_one_request_after_the_other() {
    after(check_01_still_serves_files);
    let check = check!("one connection serves many requests, as in chapter 13")
        .read("what-stays")
        .causes_panics(ASKED_TO)
        .by_hand("curl -v http://{addr}/app/visit http://{addr}/app/visit");
    check.serves_one_request_after_the_other(
        NO_ANSWER,
        "HEAD gets no content, not even after a panic: send() leaves it out, \
         whatever the answer is.",
    );
}

#[test]
fn check_03_a_limit() {
    after(check_01_still_serves_files);
    let check = check!("pictures that are too large, or have no size, are refused")
        .read("a-limit");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    for target in [
        "2001/1",
        "1/1001",
        "65536/1",
        "0/1",
        "1/0",
        "100000/100000",
        "4294967295/4294967295",
    ] {
        server.get_reply(&format!("/app/picture/{target}")).status(
            &[400],
            "View::new() lets a size of 1 to 2000 and a depth of 1 to 1000 pass, \
             both included, and refuses all others with Refusal::bad_request, \
             before any memory for the picture is asked for.",
        );
    }
    for target in ["halves/0", "halves/65", "burst/65"] {
        server.get_reply(&format!("/app/{target}")).status(
            &[400],
            "that's in app.rs, which was given: git diff chapters/14-fork-join shows \
             what changed.",
        );
    }
}

#[test]
fn check_04_one_thread_paints_a_picture() {
    after(check_03_a_limit);
    let check = check!("a picture has all its rows, each in its place")
        .read("halves-of-halves")
        .with_options("--helpers 0");
    let server = check.start(&["--helpers", "0"]);
    const NEVER_DONE: &str = "the picture is never done. Has each half fewer rows than \
                              the whole? And with --helpers 0 there's no place to be \
                              had: take() returns None then, and doesn't wait for one.";
    check.has_pictures_or(
        &server,
        Likely {
            silent: NEVER_DONE,
            ..NO_ANSWER
        },
        "cargo test -p chapter14 --bins says more. Is each row painted, in its \
         place? Halves of an odd number of rows aren't alike, and both halves have \
         to be painted. All arithmetic is in integers: i64, not f64.",
    );
}

/// A number of helpers that no program can know beforehand.
fn some_helpers() -> usize {
    3 + Random::default().below(4)
}

#[test]
fn check_05_halves_run_at_once() {
    after(check_04_one_thread_paints_a_picture);
    let check =
        check!("with N helpers, N + 1 parts of one request are worked on at once")
            .read("a-thread-that-borrows")
            .with_options("--helpers 3")
            .by_hand("curl http://{addr}/app/halves/4/3000");
    const APART: &str = "two halves don't run at the same time. Start the helper, do \
                         your own half, and join only then: a helper that's joined \
                         at once does its half alone. Both halves are split again, \
                         down to the leaves, as long as there are helpers. If no \
                         answer comes at all: does take() go round forever?";
    let many = some_helpers();
    for (helpers, leaves) in [(1, 2), (2, 3), (many, 2), (many, many + 1)] {
        let server = check.start(&["--helpers", &helpers.to_string()]);
        server.leaves_must_meet(leaves, APART);
    }
    let check = check.with_options("");
    check.start(&[]).leaves_must_meet(
        5,
        "without --helpers there are four helpers for each core: options.rs was given.",
    );
}

#[test]
fn check_06_never_more_than_the_budget() {
    after(check_05_halves_run_at_once);
    let check = check!("all requests together start no more helpers than N")
        .read("a-budget")
        .with_options("--threads 4 --helpers 3")
        .by_hand(
            "(for i in 1 2 3 4; do curl -s http://{addr}/app/halves/16/2000 & done;\n\
             sleep 1; ls /proc/$(pgrep -n {package})/task | wc -l; wait)",
        );
    const TOO_MANY: &str = "each helper needs a place, which is taken before it's \
                            started and kept until it's done. The places are \
                            counted once, for all requests: one number in Helpers, \
                            which the app has. If there's none left, the thread \
                            does both halves itself.";
    let helpers = some_helpers();
    let helpers_arg = helpers.to_string();
    let args = ["--threads", "4", "--helpers", &helpers_arg];
    let server = check.start(&args);
    server.ask("/app/visit").must_get(200, "1\n", TOO_MANY);
    server.comes_to_rest();
    let Some(idle) = server.threads() else {
        return check.pass_over(ONLY_LINUX);
    };
    // One leaf more than can run at once: none of them comes to its end.
    let mut client = server.ask(&format!("/app/halves/{}/60000", helpers + 2));
    client.until_read();
    wait_for_threads(&server, idle, &(helpers..=helpers));
    client.expect_nothing_yet(TOO_MANY);
    must_be_at_work(&check, &server, idle, helpers..=helpers, TOO_MANY);
    // Others that come meanwhile find no place that's free.
    let others = [(); 3].map(|()| server.ask("/app/halves/16/60000"));
    for mut other in others {
        other.until_read();
    }
    server.comes_to_rest();
    // On a very busy machine the first one has given up by now.
    must_be_at_work(&check, &server, idle, 0..=helpers, TOO_MANY);
}

const ONLY_LINUX: &str = "only Linux tells here how many threads a program has";

/// Waits until this many threads are at work. A thread takes a moment to begin, and
/// one to end after it has been joined: more than a moment on a busy machine.
fn wait_for_threads(server: &Program, idle: usize, wanted: &RangeInclusive<usize>) {
    let until = Instant::now() + DEADLINE;
    while !wanted.contains(&threads_at_work(server, idle)) && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
    }
}

/// How many threads there are besides the `idle` ones, which are there without work.
fn threads_at_work(server: &Program, idle: usize) -> usize {
    server.threads().unwrap_or(idle).saturating_sub(idle)
}

/// Checks how many threads there are besides the `idle` ones, which are there without
/// work.
#[track_caller]
fn must_be_at_work(
    check: &Check,
    server: &Program,
    idle: usize,
    wanted: RangeInclusive<usize>,
    likely: &str,
) {
    wait_for_threads(server, idle, &wanted);
    // Those that are there may start others.
    server.comes_to_rest();
    let at_work = threads_at_work(server, idle);
    if !wanted.contains(&at_work) {
        check.fail(
            format!(
                "{at_work} threads have been started for parts of requests, and are \
                 still there. With these requests it should be {}.",
                wanted.end()
            ),
            likely,
        );
    }
}

#[test]
fn check_07_places_are_given_back() {
    after(check_05_halves_run_at_once);
    let check =
        check!("a helper's place is given back, whatever becomes of its work")
            .read("a-budget")
            .causes_panics(LAST_LEAF)
            .with_options("--helpers 3")
            .by_hand(
                "curl http://{addr}/app/burst/4/3000\n\
             curl http://{addr}/app/halves/4/3000",
            );
    let helpers = some_helpers();
    let server = check.start(&["--helpers", &helpers.to_string()]);
    server.ask("/app/visit").must_get(200, "1\n", LOST_PLACE);
    server.comes_to_rest();
    let idle = server.threads();
    const LOST_PLACE: &str = "a place was taken and not given back. Give it back in \
                              Drop, and let the helper own it: then it's given back \
                              however the work ends, and not before.";
    for _ in 0..10 {
        server.leaves_must_meet(helpers + 1, LOST_PLACE);
    }
    for _ in 0..=helpers {
        let target = format!("/app/burst/{}/3000", helpers + 1);
        server.get_reply(&target).status(
            &[500],
            "a leaf has panicked, so its part of the work isn't done. join() returns \
             a thread's panic as an Err: go on with it, by resume_unwind, and \
             conversation.rs answers with 500.",
        );
        server.leaves_must_meet(
            helpers + 1,
            "after a fork/join of which one leaf has panicked, there are fewer \
             helpers. A place that's given back in a line after the work is lost if \
             the work panics: give it back in Drop.",
        );
    }
    let Some(idle) = idle else {
        return check.pass_over(ONLY_LINUX);
    };
    must_be_at_work(
        &check,
        &server,
        idle,
        0..=0,
        "a helper ends with its work: a scope waits for all its threads.",
    );
}

#[test]
fn check_08_helpers_paint_the_same_picture() {
    after(check_05_halves_run_at_once);
    let check = check!("a picture has the same bytes, however many paint it")
        .read("what-the-milestone-checks")
        .with_options("--helpers 3");
    const OTHER: &str = "one thread alone paints it right, and several don't. \
                         Does each thread paint all the rows of its own half, once?";
    for helpers in ["1", "4", "60"] {
        let server = check.start(&["--helpers", helpers]);
        check.has_pictures(&server, OTHER);
    }
    // Many at once share the helpers.
    let server = check.start(&["--threads", "4", "--helpers", "3"]);
    check.has_pictures_at_once(&server, NO_ANSWER, OTHER);
}

/// How much processor time a picture takes that's cut into 64 leaves of few steps.
/// If at each cut one half is painted twice, that's eleven times as much.
#[cfg(target_os = "linux")]
#[track_caller]
fn takes_for_many_leaves(server: &Program, likely: &str) -> Duration {
    let before = server.cpu_time().unwrap_or_default();
    server
        .get_reply("/app/picture/1000/1")
        .status(&[200], likely);
    let took = server.cpu_time().unwrap_or_default() - before;
    // The system counts in hundredths of a second.
    took.max(Duration::from_millis(20))
}

#[test]
#[cfg(target_os = "linux")]
fn check_09_no_thread_to_be_had() {
    after(check_07_places_are_given_back);
    let check = check!("a picture is painted although the system has no thread left")
        .read("no-thread-to-be-had")
        .with_options("--threads 1 --helpers 3")
        .by_hand(
            "P=$(pgrep -n {package})\n\
             V=$(awk '/VmSize/{print $2}' /proc/$P/status)\n\
             prlimit --pid $P --as=$((V * 1024 + 1000000))\n\
             curl http://{addr}/app/halves/2/500",
        );
    let server = check.start_for_few_threads(&["--threads", "1", "--helpers", "3"]);
    server.ask("/app/visit").must_get(200, "1\n", ALONE);
    const ALONE: &str = "the system has no thread to spare, and the picture has to \
                         be painted all the same. Builder::spawn_scoped returns an \
                         error where scope.spawn panics; fork passes it on, and \
                         join then runs both halves itself.";
    let with_helpers = takes_for_many_leaves(&server, ALONE);
    if !server.has_room_for_threads(Some(0)) {
        return check.pass_over("this takes prlimit, of util-linux");
    }
    check.has_pictures_or(&server, Likely::always(ALONE), ALONE);
    let mut client = server.ask("/app/halves/2/50");
    let answer = client.answer(Likely::always(ALONE));
    client.expect_status(&answer, &[200, 503], ALONE);
    client.hang_up();
    if answer.status() == 200 {
        return check
            .pass_over("its helpers have small stacks, for which there's room");
    }
    let alone = takes_for_many_leaves(&server, ALONE);
    if alone > 4 * with_helpers {
        check.fail(
            format!(
                "A picture of 64 leaves takes {with_helpers:?} of processor time with \
                 helpers, and {alone:?} if none can be started."
            ),
            "parts of it are painted more than once. If fork returns an error, join \
             runs a and b, so fork must have run neither of them: look at the error \
             of spawn_scoped (with ?) before you run a.",
        );
    }
    server.has_room_for_threads(None);
    server.leaves_must_meet(
        4,
        "threads can be had again, but the places of those that couldn't be started \
         are gone: an error of spawn_scoped must give the place back, too.",
    );
}

#[test]
fn check_10_clients_leave() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("a client that leaves takes no thread away").read("what-stays");
    check.keeps_its_threads_when_clients_leave(
        "after clients have left, fewer handlers run at once than the pool has \
         threads: compare pool.rs and connection.rs with chapter 13's.",
    );
}

#[test]
#[cfg(unix)]
fn check_11_still_stops() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "idle connections do not delay the end, and the last answer says close"
    )
    .read("what-stays")
    .by_hand("nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n chapter14)");
    check.stops_though_connections_stay(
        NO_ANSWER,
        "it did in chapter 13: git diff chapters/14-fork-join shows what changed.",
        "when the server stops and nothing more has been read, this answer is the \
         last one, and send() says so, as if the client had wanted no more.",
    );
}

#[test]
fn check_12_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_13_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.wants_a_number_for("--helpers");
    check.starts_as_in_chapter_01();
}
