//! Milestone of chapter 12: a connection serves one request after the other as RFC
//! 9112 says, and a server that is full says so.

use std::time::{Duration, Instant};

use harness::{FEWER, Likely, MORE, Site, after, get, printf, some_threads};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "a-queue-with-an-end",
    "a-queue-with-an-end",
    "a-connection-that-stays",
    "a-connection-that-stays",
    "pipelining",
];

const NO_ANSWER: Likely = Likely {
    silent: "the server is still reading: does it wait for more than the request \
             has? Answers must leave before the server waits for the next request.",
    closed: "the server closed the connection: an HTTP/1.1 connection stays open for \
             the next request until one side says \"Connection: close\".",
    reset: "the server closed the connection while bytes that the client had sent \
            were unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so \
              that the next one begins in the wrong place.",
};

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";

const LOST: Likely = Likely {
    silent: "a request was lost. One read may bring many requests: when a head has \
             been dealt with, take its bytes out of the buffer and no others, and \
             look there before you read again.",
    ..NO_ANSWER
};

const CONTENT: &str = "HEAD gets no content, not even after a panic or with a \
                       refusal: the client takes it for the next answer. send() \
                       leaves it out, whatever the answer is: is_head tells.";

/// The command that sends these bytes by hand.
fn typed(bytes: &str) -> String {
    format!("{} | nc 127.0.0.1 {{port}}", printf(bytes.as_bytes()))
}

/// A folder of Linux, and a file in it that has fewer bytes than it says.
#[cfg(target_os = "linux")]
const TOO_SHORT: [&str; 2] = ["/sys/kernel", "fscaps"];

const UNTOLD: &str = "a client that is turned away must learn why: write 503 before \
                      you let it go, and keep the socket until the client has read \
                      that.";

const TOO_LONG: &str = "the queue has an end, but takes more clients than --queue \
                        says: so many may wait for a worker, besides those that are \
                        being served. Is its limit queue + 1, or does it compare \
                        with > where it should with >=?";

const ENDLESS: &str = "the queue takes every client, and each waits longer than the \
                       one before. A bounded channel and try_send() tell at once \
                       that there is no room.";

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 11").read("what-stays");
    check.still_serves_files(
        NO_ANSWER,
        "it did in chapter 11: git diff chapters/12-keep-alive shows what has \
         changed.",
    );
}

#[test]
fn check_02_one_request_after_the_other() {
    after(check_01_still_serves_files);
    let check = check!("one connection serves many requests")
        .read("a-connection-that-stays")
        .causes_panics(ASKED_TO)
        .by_hand("curl -v http://{addr}/app/visit http://{addr}/app/visit");
    check.serves_one_request_after_the_other(NO_ANSWER, CONTENT);
}

#[test]
fn check_03_who_ends_the_connection() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("the connection ends when the client says so, or speaks HTTP/1.0")
            .read("a-connection-that-stays");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.by_hand(&typed(request)).send(request);
        let answer = client.answer(Likely {
            closed: "the connection ended, as it should, but without the answer. Is \
                     the last one flushed? send() only collects it.",
            ..NO_ANSWER
        });
        client.expect_body(&answer, b"home", "this is the home page.");
        client.expect_end(Likely {
            silent: if answer.closes() {
                "the answer says \"Connection: close\", and the connection stays \
                 open. What is said must be done: send() returns whether another \
                 request is to be read, and converse() ends with finish() if not."
            } else if request.contains("x\r\n") {
                "the client has said that this was its last request, in the second \
                 of two Connection fields: look at each."
            } else if request.contains("keep-alive") {
                "the client wants its connection to be kept alive and to be closed: \
                 close wins (RFC 9112, section 9.3)."
            } else if request.contains(',') {
                "the client has said that this was its last request, and waits for \
                 the end. Options in Connection are separated by commas, and \
                 compared in any case."
            } else {
                "the client has said that this was its last request, and waits for \
                 the end: with \"Connection: close\", or by speaking HTTP/1.0, where \
                 that is usual."
            },
            ..NO_ANSWER
        });
        if request.contains("HTTP/1.1") {
            client.expect_last(&answer);
        }
    }
    let mut client = server.connect();
    let asks_to_stay = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    client.by_hand(&typed(asks_to_stay)).send(asks_to_stay);
    let answer = client.answer(NO_ANSWER);
    let keeps = answer
        .field("connection")
        .is_some_and(|value| value.eq_ignore_ascii_case("keep-alive"));
    if keeps {
        client.send("GET / HTTP/1.0\r\n\r\n");
        let answer = client.answer(NO_ANSWER);
        if answer.field("connection").is_some() {
            client.expect_last(&answer);
        }
    }
    client.expect_end(Likely::always(
        "an HTTP/1.0 client that gets no \"Connection: keep-alive\" back waits for \
         the end.",
    ));
    let no_host = "HEAD / HTTP/1.1\r\n\r\n";
    let mut client = server.connect();
    client.by_hand(&typed(no_host)).send(no_host);
    let answer = client.answer_to_head(NO_ANSWER);
    client.expect_status(&answer, &[400], "a request of HTTP/1.1 names its host.");
    client.expect_end(Likely {
        silent: "after a refusal nobody knows where the next request begins: close \
                 the connection.",
        differs: CONTENT,
        ..NO_ANSWER
    });
}

#[test]
fn check_04_pipelined_requests() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("requests that are sent without waiting are answered in order")
            .read("pipelining");
    const HALF: &str = "half of another request has come, and the answer to the first one \
                 is kept until the other half comes: send what is finished before \
                 each read that may wait.";
    check.answers_in_order(LOST, HALF);
}

#[test]
#[cfg(target_os = "linux")]
fn check_05_finished_answers_arrive() {
    after(check_04_pipelined_requests);
    let check = check!("answers that are finished arrive, even if a later one fails")
        .read("pipelining")
        .with_options("--root /sys/kernel")
        .by_hand(
            "printf 'GET /app/visit HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\
             GET /fscaps HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port}",
        );
    let [folder, file] = TOO_SHORT;
    let path = std::path::Path::new(folder).join(file);
    let says = path.metadata().map_or(0, |metadata| metadata.len());
    if std::fs::read(path).map_or(0, |bytes| bytes.len() as u64) >= says {
        check.pass_over("this machine has no file that is shorter than it says");
        return;
    }
    let server = check.start(&["--root", folder, "--threads", "1"]);
    let mut client = server.connect();
    client.send(get("/app/visit").repeat(20) + &get(&format!("/{file}")));
    const LOST: &str = "a later answer failed, and those before it were thrown away \
                        with what hadn't been sent. What is finished has to arrive: \
                        send it before the connection closes, whatever has failed.";
    for visit in 1..=20 {
        let answer = client.answer(Likely {
            closed: LOST,
            reset: LOST,
            ..NO_ANSWER
        });
        client.expect_body(
            &answer,
            format!("{visit}\n").as_bytes(),
            "the answers are out of order.",
        );
    }
    client.read_to_end(Likely {
        silent: "the promised length can't be kept, and the client waits for the \
                 rest as long as the connection is open: close it.",
        ..NO_ANSWER
    });
}

#[test]
fn check_06_content_ends_the_connection() {
    after(check_03_who_ends_the_connection);
    let check =
        check!("a request with content is answered, and the connection closes")
            .read("a-connection-that-stays")
            .by_hand("curl -v --data hello http://{addr}/ --next http://{addr}/");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    const CONTENT: &str = "nothing here reads content yet, so its bytes must not be \
                           taken for the next request: a request with Content-Length \
                           (but 0) or Transfer-Encoding is the last one on its \
                           connection.";
    for field in ["Content-Length: {}", "Transfer-Encoding: chunked"] {
        let hidden = get("/app/visit/1000");
        let field = field.replace("{}", &hidden.len().to_string());
        let mut client = server.connect();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n{hidden}"
        ));
        let answer = client.answer(NO_ANSWER);
        client.expect_status(
            &answer,
            &[405, 400, 411, 501],
            "nothing here takes POST.",
        );
        client.expect_end(Likely {
            silent: CONTENT,
            differs: CONTENT,
            ..NO_ANSWER
        });
        client.expect_last(&answer);
    }
    server.ask("/app/visit").must_get(200, "1\n", CONTENT);
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    client.answer(NO_ANSWER);
    client.send(get("/"));
    let answer = client.answer(Likely {
        closed: "Content-Length: 0 is no content, and no reason to close.",
        ..NO_ANSWER
    });
    client.expect_status(&answer, &[200], CONTENT);
}

#[test]
fn check_07_the_date() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("each answer has a Date, in the one form that HTTP has for it")
            .read("the-date")
            .by_hand("curl -si http://{addr}/ | grep Date; date -u");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let refused = "GET / HTTP/1.1\r\n\r\n".to_owned();
    for request in [get("/"), get("/nowhere"), refused] {
        let mut client = server.connect();
        client.send(request);
        let answer = client.answer(NO_ANSWER);
        client.expect_field(
            &answer,
            "Date",
            "a date such as Sun, 06 Nov 1994 08:49:37 GMT, of today",
            harness::is_date_of_today,
            "the form is fixed in RFC 9110, section 5.6.7: English names, two digits \
             for the day, GMT.",
        );
        client.hang_up();
    }
}

#[test]
fn check_08_a_full_queue() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "when the queue is full, a client is told so at once: 503 with Retry-After"
    )
    .read("a-queue-with-an-end")
    .with_options("--threads 1 --queue 2")
    .by_hand(
        "for i in 1 2 3; do (sleep 60 | nc 127.0.0.1 {port}) & done; sleep 0.2\n\
             curl -si http://{addr}/ | head -5",
    );
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--threads", "1", "--queue", "2"];
    let server = check.start(&args);
    // One has the worker, two are in the queue. They say nothing more.
    let _busy = server.ask_half("/");
    let _queued: Vec<_> = (0..2).map(|_| server.connect()).collect();
    // If only one of these is told, the queue has an end, in the wrong place.
    let (mut first, mut second) = (server.ask("/"), server.ask("/"));
    let has_an_end = !second.read_some(1).is_empty();
    let answer = first.answer(Likely {
        silent: if has_an_end { TOO_LONG } else { ENDLESS },
        ..Likely::always(UNTOLD)
    });
    first.expect_status(
        &answer,
        &[503],
        "this client was served although the queue was full. execute() must not run \
         the job itself: the thread that accepts would be busy with one client, and \
         accept nobody else. Nor may there be more workers than --threads says.",
    );
    first.hang_up();
    second.hang_up();
    for round in 0..3 {
        let mut client = server.ask("/");
        let answer = client.answer(Likely {
            silent: ENDLESS,
            ..Likely::always(UNTOLD)
        });
        client.expect_status(&answer, &[503], ENDLESS);
        client.expect_field(
            &answer,
            "Retry-After",
            "a number of seconds or a date",
            |value| value.parse::<u32>().is_ok() || harness::is_date_of_today(value),
            "tell the client when to try again (RFC 9110, section 10.2.3).",
        );
        client.expect_last(&answer);
        if round == 0 {
            client.expect_lingering(
                "a socket that is closed while a request in it is unread makes the \
                 kernel send RST, which can destroy the 503 before the client has \
                 read it. Shut down the sending half, and keep the socket for a \
                 while.",
            );
        }
        client.expect_end(Likely {
            silent: "after 503 the connection must end.",
            ..NO_ANSWER
        });
    }
}

#[test]
fn check_09_turned_away_without_waiting() {
    after(check_08_a_full_queue);
    let check =
        check!("clients that say nothing don't keep others from being turned away")
            .read("a-queue-with-an-end")
            .with_options("--threads 1 --queue 1")
            .by_hand(
                "for i in $(seq 40); do (sleep 9 | nc 127.0.0.1 {port}) & done; \
                 sleep 0.2\ntime curl -si http://{addr}/ | head -1",
            );
    let server = check.start(&["--threads", "1", "--queue", "1"]);
    let _busy = server.ask_half("/");
    let _queued = server.connect();
    // These leave before they have been told anything.
    server.while_stopped(|| {
        for _ in 0..8 {
            server.ask("/").hang_up();
        }
    });
    // These say nothing, and stay until the end of the check. There are so many that
    // waiting for each of them, for as little as 40 ms, takes longer than the last
    // one may have to wait.
    let _silent: Vec<_> = (0..50).map(|_| server.connect()).collect();
    let begin = Instant::now();
    let mut last = server.ask("/");
    const WAITED: &str = "other clients were turned away before this one, and are \
                          still there. The thread that accepts must not wait until \
                          they leave or say something, not even for a moment: \
                          finish() is for workers.";
    let answer = last.answer(Likely::always(WAITED));
    last.expect_status(&answer, &[503], ENDLESS);
    let waited = begin.elapsed();
    if waited > Duration::from_secs(2) {
        check.fail(
            format!(
                "Behind 50 clients that say nothing, one waited {:.1} s for its 503.",
                waited.as_secs_f32()
            ),
            WAITED,
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn check_10_turned_away_and_let_go() {
    after(check_08_a_full_queue);
    let check = check!("a client that was turned away leaves nothing behind")
        .read("a-queue-with-an-end")
        .with_options("--threads 1 --queue 1");
    let server = check.start(&["--threads", "1", "--queue", "1"]);
    let _busy = server.ask_half("/");
    let _queued = server.connect();
    let mut first = server.ask("/");
    first.answer(NO_ANSWER);
    drop(first);
    // Now as many files are open as whenever no one is being turned away.
    let Some(before) = server
        .comes_to_rest()
        .then(|| server.open_files())
        .flatten()
    else {
        check.pass_over("this system doesn't tell which files a program has open");
        return;
    };
    let mut turned_away: Vec<_> = (0..30).map(|_| server.ask("/")).collect();
    for client in &mut turned_away {
        client.answer(NO_ANSWER);
    }
    // Half of them leave, the others stay.
    turned_away.truncate(15);
    server.must_hold_fewer_descriptors_than(
        before + 1,
        "a socket of a client that was turned away is closed only when another \
         client is turned away, or when the client leaves, which may be never. Give \
         back what you hold after a time, without waiting for the next event of the \
         same kind: a thread of its own can do that.",
    );
}

#[test]
fn check_11_queued_clients_are_served() {
    after(check_02_one_request_after_the_other);
    let check =
        check!("clients in the queue are served in the end, and so are later ones")
            .read("a-queue-with-an-end")
            .with_options("--threads 1 --queue 2");
    let site = Site::with_a_home();
    let args = ["--root", &site.arg(), "--threads", "1", "--queue", "2"];
    let server = check.start(&args);
    let (mut busy, rest) = server.ask_half("/");
    let queued: Vec<_> = (0..2).map(|_| server.ask("/")).collect();
    let mut turned_away = server.ask("/");
    let answer = turned_away.answer(NO_ANSWER);
    turned_away.expect_status(&answer, &[503], ENDLESS);
    busy.send(rest);
    busy.answer(NO_ANSWER);
    busy.hang_up();
    for client in queued {
        client.must_get(
            200,
            "home",
            "a client that was put into the queue must be served.",
        );
    }
    server.ask("/").must_get(
        200,
        "home",
        "when there is room again, clients are served again.",
    );
}

#[test]
fn check_12_an_idle_connection_ends() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "a connection on which nothing is asked any more ends, and its worker goes on"
    )
    .read("a-connection-that-stays")
    .with_options("--threads 1 --patience 1000");
    let site = Site::with_a_home();
    let server =
        check.start(&["--root", &site.arg(), "--threads", "1", "--patience", "200"]);
    let mut idle = server.ask("/");
    idle.answer(NO_ANSWER);
    server.ask("/").must_get(
        200,
        "home",
        "a client that keeps its connection and says nothing keeps its worker for \
         ever: the time between two requests has a limit too.",
    );
    if !idle.ends_at_once() {
        idle.answer(NO_ANSWER);
    }
    // Half of the next request has come, or the answer waits to be sent, and the
    // client is gone.
    for _ in 0..2 {
        server.reset_in_a_read(get("/"), "GET / H");
        let mut client = server.ask("/");
        client.until_answered("");
        client.send(get("/app/wait/50"));
        client.reset();
    }
    const GONE: &str = "a client that tears its connection down is nothing that \
                        surprises a server: the error of a read or a write ends the \
                        conversation, and is logged.";
    server.ask("/").must_get(200, "home", GONE);
    server.must_not_have_panicked(GONE);
}

#[test]
#[cfg(unix)]
fn check_13_still_stops() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "idle connections do not delay the end, and the last answer says close"
    )
    .read("a-connection-that-stays")
    .by_hand("nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n chapter12)");
    check.stops_though_connections_stay(
        NO_ANSWER,
        "it did in chapter 11: git diff chapters/12-keep-alive shows what has \
         changed. A connection that waits for its next request is an idle one.",
        "when the server stops and nothing more has been read, this answer is the \
         last one, and send() says so, as if the client had wanted no more.",
    );
}

#[test]
fn check_14_as_many_at_once_as_threads() {
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
fn check_15_never_more() {
    after(check_14_as_many_at_once_as_threads);
    let check = check!("N + 1 handlers never run at once in a pool of N threads")
        .read("what-stays")
        .with_options("--threads 3")
        .by_hand(
            "(for i in 1 2 3 4; do curl -s http://{addr}/app/meet/4/300 & done; \
                  wait)",
        );
    let site = Site::with_a_home();
    let threads = some_threads();
    check
        .start_pool(&site, threads)
        .must_not_meet(threads + 1, MORE);
}

#[test]
fn check_16_a_pool_of_nothing() {
    after(check_01_still_serves_files);
    let check = check!("a pool of no threads is refused in words")
        .read("what-stays")
        .by_hand("cargo run -p chapter12 -- --threads 0; echo \"exit code $?\"");
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
