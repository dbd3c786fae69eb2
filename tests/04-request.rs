//! Milestone of chapter 04: requests are parsed as RFC 9112 says, however their bytes
//! arrive, and refused with the right status code where they are malformed, too long
//! or not supported.
//!
//! The program answers with what it understood: `method`, `target` and `version` on a
//! line each, then each field as `name: value`, the name in lower case and the value
//! trimmed.

use std::time::{Duration, Instant};

use harness::{
    Answer, Check, Likely, Program, Random, after, get, malformed_requests, printf,
};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "where-a-head-ends",
    "what-is-left-over",
    "the-request-line",
    "the-request-line",
    "the-request-line",
    "field-lines",
    "close-so-that-the-answer-arrives",
];

const UNDERSTOOD: &str = "the content must show what the request said: method, \
                          target and version, then each field with its name in lower \
                          case and its value without the white space around it, in \
                          the order in which they came.";
const NO_ANSWER: Likely = Likely {
    silent: "the server is still reading. Has it seen the blank line? Its four bytes \
             may arrive in any number of pieces.",
    closed: "the server closed without an answer. A request that is refused is told \
             why, with a status code.",
    reset: "the server closed while bytes that the client had sent were still \
            unread. The kernel then sends RST, which can destroy an answer on its \
            way. Shut down the sending half, and read on until the client closes \
            too.",
    differs: "a response is: status line, field lines, blank line, content, with \
              \\r\\n after each line of the head.",
};

const NO_CONTENT: &str = "the answer to HEAD has no content, even if it's a refusal: \
                          the client takes what follows the head for the next \
                          answer. send(), which is given, looks at is_head.";
const GOOD: &str = "this is a GET request in good form.";
/// What must be understood of the fields that [`get`] sends.
const HOST: &[u8] = b"host: a\n";

/// What the program must answer to a GET of this target with these fields.
fn understood(target: &str, fields: &[u8]) -> Vec<u8> {
    let lines = format!("method GET\ntarget {target}\nversion HTTP/1.1\n");
    [lines.as_bytes(), fields].concat()
}

#[test]
fn check_01_a_request_is_understood() {
    let check = check!("method, target, version and fields are understood")
        .read("the-request-line")
        .by_hand("curl -s 'http://{addr}/some/path?q=1'");
    let server = check.start(&[]);
    let word = Random::default().word(8);
    let target = format!("/{word}?{word}=%20");
    let mut client = server.ask(&target);
    let answer = client.answer(NO_ANSWER);
    client.expect_status(&answer, &[200], GOOD);
    client.expect_body(&answer, &understood(&target, HOST), UNDERSTOOD);
}

#[test]
fn check_02_field_names_and_values() {
    after(check_01_a_request_is_understood);
    let check =
        check!("names may be in any case; values are trimmed, and their bytes kept")
            .read("field-lines");
    let word = Random::default().word(7);
    // What is sent as field lines, what must be understood, and why.
    let cases: [(&[u8], &[u8], &str); 9] = [
        (
            b"hOsT: a\r\n",
            b"host: a\n",
            "field names are the same in any case: hOsT is Host.",
        ),
        (
            b"Host: a\r\nX: a\tb\r\n",
            b"host: a\nx: a\tb\n",
            "a tab may be inside a value: it's the one control character that may.",
        ),
        (
            b"Host: a\r\nX: \t b \t\r\n",
            b"host: a\nx: b\n",
            "spaces and tabs around a value aren't part of it.",
        ),
        (
            b"Host: a\r\nX:b\r\nY:\r\n",
            b"host: a\nx: b\ny: \n",
            "there need not be a space after the colon, and a value may be empty.",
        ),
        (
            b"Host: a\r\nX: a:b::c\r\n",
            b"host: a\nx: a:b::c\n",
            "the first colon ends the name. All others belong to the value.",
        ),
        (
            b"Host: a\r\nX: caf\xe9 \xc5\xbc\r\n",
            b"host: a\nx: caf\xe9 \xc5\xbc\n",
            "a value may have bytes beyond ASCII that aren't UTF-8, such as \\xe9. \
             Keep values as bytes: taking them for text changes them, or panics.",
        ),
        (
            b"Host: a\r\nAccept: one\r\nAccept: two\r\n",
            b"host: a\naccept: one\naccept: two\n",
            "a name may come more than once. Keep all of its lines, in their order.",
        ),
        (
            b"Host: a\r\n!#$%&'*+-.^_`|~9: b\r\n",
            b"host: a\n!#$%&'*+-.^_`|~9: b\n",
            "a name is a token: all of these signs may be in it (RFC 9110, section \
             5.6.2).",
        ),
        (
            b"Host: [::1]:80\r\n",
            b"host: [::1]:80\n",
            "an IPv6 address in brackets is a host; the colon after it begins the \
             port. is_host(), which is given, knows that.",
        ),
    ];
    for (fields, wanted, why) in cases {
        // A server for each: that it serves a second connection is checked later.
        let server = check.start(&[]);
        let line = format!("GET /{word} HTTP/1.1\r\n");
        let request = [line.as_bytes(), fields, b"\r\n"].concat();
        let mut client = server.connect();
        client.by_hand(&format!("{} | nc 127.0.0.1 {{port}}", printf(&request)));
        client.send(request);
        let answer = client.answer(Likely {
            closed: why,
            reset: why,
            ..NO_ANSWER
        });
        client.expect_status(&answer, &[200], why);
        client.expect_body(&answer, &understood(&format!("/{word}"), wanted), why);
    }
}

#[test]
fn check_03_in_pieces() {
    after(check_01_a_request_is_understood);
    let check = check!("a head may arrive in any pieces")
        .read("where-a-head-ends")
        .by_hand(
            "(printf 'GET / HTTP'; sleep 1; printf '/1.1\\r\\nHost: a\\r\\n\\r\\n'; \
             sleep 1) \\\n  | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    let target = format!("/{}", Random::default().word(5));
    let request = get(&target);
    let wanted = understood(&target, HOST);
    const PIECES: &str = "one read() isn't one request: keep what has come, and read \
                          on until the blank line is there. It may be cut anywhere, \
                          even between its \\r and its \\n.";
    let end = request.len();
    // At last byte by byte, but not in the middle: that would take long and show
    // nothing new.
    let many = [1, 2, 3, end - 5, end - 4, end - 3, end - 2, end - 1];
    for cuts in [&[4][..], &[end - 3], &[end - 2], &[end - 1], &many] {
        let mut client = server.connect();
        client.send_in_pieces(request.as_bytes(), cuts);
        let answer = client.answer(Likely::always(PIECES));
        client.expect_status(&answer, &[200], PIECES);
        client.expect_body(&answer, &wanted, PIECES);
    }
}

#[test]
fn check_04_two_at_once() {
    after(check_03_in_pieces);
    let check = check!("requests that arrive together are each answered, in order")
        .read("what-is-left-over")
        .by_hand(
            "printf 'GET /1 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET /2 \
             HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' \\\n  | nc -N 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    const LOST: Likely = Likely {
        silent: "the bytes after the first blank line were thrown away, and the \
                 server waits for more.",
        closed: "the bytes after the first blank line belong to the next request. \
                 Keep them, and serve that request too before closing.",
        reset: "the second request was thrown away unread: keep the bytes after the \
                blank line.",
        differs: NO_ANSWER.differs,
    };
    // Once in one piece, and once with the last request cut in two: its first part
    // arrives with the requests before.
    for pieces in [1, 2] {
        let mut random = Random::default();
        let targets: Vec<String> =
            (0..3).map(|_| format!("/{}", random.word(6))).collect();
        let requests: String = targets.iter().map(|target| get(target)).collect();
        let mut client = server.connect();
        match pieces {
            1 => client.send(&requests),
            _ => client.send_in_pieces(requests.as_bytes(), &[requests.len() - 5]),
        };
        let mut closes_at = Vec::new();
        for (index, target) in targets.iter().enumerate() {
            let answer = client.answer(if index == 0 { NO_ANSWER } else { LOST });
            let wanted = understood(target, HOST);
            client.expect_status(&answer, &[200], LOST.closed);
            client.expect_body(&answer, &wanted, LOST.closed);
            if answer.closes() {
                closes_at.push(index);
            }
        }
        if closes_at.iter().any(|index| index + 1 < targets.len()) {
            check.fail(
                "An answer says \"Connection: close\", and another answer follows \
                 it.",
                "only the last answer on a connection says close: a client ignores \
                 what follows it.",
            );
        }
    }
}

#[test]
fn check_05_an_empty_line_before_a_request() {
    after(check_03_in_pieces);
    let check = check!(
        "an empty line before a request is ignored (RFC 9112, section 2.2)"
    )
    .read("what-is-left-over")
    .by_hand(
        "printf '\\r\\nGET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' \\\n  | nc -N \
         127.0.0.1 {port}",
    );
    let server = check.start(&[]);
    const EMPTY: &str =
        "the empty line was taken for a request, or for the end of one. Skip it.";
    let mut client = server.connect();
    client.send(format!("\r\n{}", get("/late")));
    let answer = client.answer(Likely {
        closed: EMPTY,
        ..NO_ANSWER
    });
    client.expect_status(&answer, &[200], EMPTY);
    client.expect_body(&answer, &understood("/late", HOST), EMPTY);
}

#[test]
fn check_06_malformed_requests() {
    after(check_03_in_pieces);
    let check = check!("a malformed request is refused with 400")
        .read("when-to-refuse")
        .by_hand(
            "printf 'GET / HTTP/1.1\\r\\nHost : a\\r\\n\\r\\n' | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    const ASLEEP: &str = "finish() waits although its client has closed: read() \
                          returns Ok(0) then, which is the end. Don't sleep: read, \
                          with what is left of the time as timeout.";
    let begin = Instant::now();
    for (request, why) in malformed_requests() {
        answered(&server, request.as_bytes(), &[400], why);
        if begin.elapsed() > Duration::from_secs(10) {
            check.fail("Each refusal takes a second.", ASLEEP);
        }
    }

    // RFC 9110, section 5.5: a server refuses these, or puts a space in the place of
    // each.
    for control in ['\0', '\r'] {
        let head = format!("GET /x HTTP/1.1\r\nHost: a\r\nX: a{control}b\r\n\r\n");
        const WHY: &str = "NUL, or \\r without \\n, in a value must be refused, or \
                           replaced by a space: the program that reads this next may \
                           take it for an end.";
        let answer = answered(&server, head.as_bytes(), &[400, 200], WHY);
        let replaced = understood("/x", b"host: a\nx: a b\n");
        if answer.status() == 200 && answer.body() != replaced {
            check.fail("A control character in a field value was let through.", WHY);
        }
    }

    // RFC 9112, section 3: a server may be lenient about white space in the request
    // line.
    for line in ["GET  /x HTTP/1.1", "GET /x HTTP/1.1 "] {
        const WHY: &str =
            "there is one space between the words, and none at the end: 400.";
        let head = format!("{line}\r\nHost: a\r\n\r\n");
        let answer = answered(&server, head.as_bytes(), &[400, 200], WHY);
        if answer.status() == 200 && answer.body() != understood("/x", HOST) {
            check.fail("Spare white space was misunderstood.", WHY);
        }
    }
}

#[test]
fn check_07_a_head_that_ends_too_early() {
    after(check_06_malformed_requests);
    let check = check!(
        "a client that closes in the middle of a head is told so, or left alone"
    )
    .read("what-is-left-over")
    .by_hand("printf 'GET / HTTP/1.1\\r\\n' | nc -N 127.0.0.1 {port}");
    let server = check.start(&[]);
    const LOOP: &str = "read() returns Ok(0) forever once the client has closed its \
                        half: that's the end, and the connection with it.";
    for part in ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = server.connect();
        client.send(part).half_close();
        let answer = client.read_to_end(Likely::always(LOOP));
        if !answer.is_empty() && answer.get(8..12) != Some(b" 400") {
            let start = harness::show(&answer[..answer.len().min(40)]);
            check.fail(
                format!("Half a head was answered with \"{start}…\"."),
                "half a head isn't a request: answer 400, or close without an \
                 answer.",
            );
        }
    }
    still_serves(&server);
}

#[test]
fn check_08_not_implemented() {
    after(check_03_in_pieces);
    let check =
        check!("methods and versions that are not supported get 405, 501 and 505")
            .read("when-to-refuse")
            .by_hand("curl -si -X BREW http://{addr}/");
    let server = check.start(&[]);
    const MAJOR: &str = "a version in good form whose first digit isn't 1: 505.";
    for (line, wanted, why) in [
        ("BREW / HTTP/1.1", 501, "a method that no one knows: 501."),
        (
            "get / HTTP/1.1",
            501,
            "methods have their case; get isn't GET: 501.",
        ),
        (
            "DELETE / HTTP/1.1",
            405,
            "known, but nothing here can be deleted: 405.",
        ),
        (
            "POST / HTTP/1.1",
            405,
            "known, but nothing here takes it: 405.",
        ),
        ("GET / HTTP/2.0", 505, MAJOR),
        ("GET / HTTP/0.9", 505, MAJOR),
        (
            "GET / HTTP/1.9",
            200,
            "a higher minor version is understood as 1.1.",
        ),
        (
            "GET / HTTP/1.0",
            200,
            "HTTP/1.0 is supported, and needs no Host field.",
        ),
    ] {
        let host = if line.ends_with("1.0") {
            ""
        } else {
            "Host: a\r\n"
        };
        let head = format!("{line}\r\n{host}\r\n");
        answered(&server, head.as_bytes(), &[wanted], why);
    }
    let mut client = server.connect();
    client.send("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer(NO_ANSWER);
    client.expect_field(
        &answer,
        "Allow",
        "a list with GET in it",
        |value| value.split(',').any(|method| method.trim() == "GET"),
        "a 405 must say which methods would do (RFC 9110, section 15.5.6).",
    );
    client.hang_up();

    // The next answer must begin where this head ends: so there was no content.
    let mut client = server.connect();
    client.send(format!(
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n{}",
        get("/second")
    ));
    const HEAD: &str =
        "the answer to HEAD is the head of the answer to GET, and no content.";
    let answer = client.answer_to_head(NO_ANSWER);
    client.expect_status(&answer, &[200], HEAD);
    let answer = client.answer(Likely::always(HEAD));
    client.expect_body(&answer, &understood("/second", HOST), HEAD);

    // A refusal of HEAD has no content either (RFC 9110, section 9.3.2).
    for (request, wanted) in [
        ("HEAD / HTTP/1.1\r\n\r\n", 400),
        ("HEAD / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
    ] {
        let mut client = server.connect();
        let by_hand = printf(request.as_bytes());
        client.by_hand(&format!("{by_hand} | nc -N 127.0.0.1 {{port}}"));
        client.send(request).half_close();
        let answer = client.answer_to_head(NO_ANSWER);
        client.expect_status(&answer, &[wanted], "as for GET, without content.");
        client.expect_end(Likely::always(NO_CONTENT));
    }
}

#[test]
fn check_09_a_head_that_never_ends() {
    after(check_06_malformed_requests);
    let check = check!("an endless head is refused, and the client learns why")
        .read("a-head-has-a-limit")
        .by_hand(
            "head -c 1000000 /dev/zero | tr '\\0' a | nc 127.0.0.1 {port} | head -1",
        );
    let server = check.start(&[]);
    const LIMIT: usize = 1 << 20;
    const LINE: &str = "the request line is longer than any that the server wants to \
                        read, and the status for that is 414.";
    const FIELDS: &str = "the request line was fine, but the fields are more than \
                          the server wants to read, and the status for that is 431.";
    const NO_LIMIT: &str = "without a limit, one client can fill the server's \
                            memory. Count what has come, and refuse with 414 or 431.";
    for (start, more, wanted, why) in [
        ("GET /", "a", 414, LINE),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: ", "a", 431, FIELDS),
        ("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 431, FIELDS),
        ("HEAD /", "a", 414, LINE),
    ] {
        let mut client = server.connect();
        let many = match more {
            "a" => "tr '\\0' a < /dev/zero",
            _ => "yes \"$(printf 'X: y\\r')\"",
        };
        client.by_hand(&format!(
            "({}; {many} | head -c 1000000) \\\n  | nc 127.0.0.1 {{port}} | head -1",
            printf(start.as_bytes())
        ));
        client.send(start);
        let chunk = more.repeat(6000 / more.len());
        client.flood(chunk.as_bytes(), LIMIT);
        let likely = Likely {
            silent: NO_LIMIT,
            ..NO_ANSWER
        };
        let is_head = start.starts_with("HEAD");
        let answer = match is_head {
            true => client.answer_to_head(likely),
            false => client.answer(likely),
        };
        client.expect_status(&answer, &[wanted], why);
        if is_head {
            client.expect_end(Likely::always(NO_CONTENT));
        }
    }
    still_serves(&server);
}

#[test]
fn check_10_a_long_head_within_reason() {
    after(check_03_in_pieces);
    let check = check!(
        "a request line of 8000 bytes is read"
    )
    .read("a-head-has-a-limit")
    .by_hand(
        "curl -s http://{addr}/$(head -c 7900 /dev/zero | tr '\\0' a) | head -c 80",
    );
    let server = check.start(&[]);
    let target = format!("/{}", "a".repeat(8000 - "GET / HTTP/1.1\r\n".len()));
    let mut client = server.ask(&target);
    const LOW: &str = "the limit is too low, or the head was taken for complete when \
                       one buffer was full: a head may be longer than what one \
                       read() returns.";
    let answer = client.answer(Likely {
        closed: LOW,
        ..NO_ANSWER
    });
    client.expect_status(&answer, &[200], LOW);
    client.expect_body(&answer, &understood(&target, HOST), LOW);
}

#[test]
fn check_11_the_answer_arrives() {
    after(check_06_malformed_requests);
    let check =
        check!("an answer arrives even if the client has sent more than was read")
            .read("close-so-that-the-answer-arrives")
            .by_hand(
                "head -c 200000 /dev/zero | curl -si --data-binary @- http://{addr}/",
            );
    let server = check.start(&[]);
    // The content isn't a request, whatever it looks like.
    let content = get("/smuggled");
    for content in [&content, &content.repeat(4000)] {
        let mut client = server.connect();
        // In one write: when the server answers, the content is there already.
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{content}",
            content.len()
        ));
        let answer = client.answer(NO_ANSWER);
        client.expect_status(&answer, &[405], "nothing here takes POST.");
        const END: Likely = Likely {
            differs: "the content was taken for another request. This chapter does \
                      not read content: after a request that has some, close.",
            silent: "after the answer the server must close its side.",
            ..NO_ANSWER
        };
        if answer.closes() {
            // The client has read the answer to its end. What it still sends is taken
            // for a while.
            client.expect_end(END);
            client.until_read();
            client.expect_lingering(NO_ANSWER.reset);
            client.half_close();
        } else {
            client.half_close();
            client.expect_end(END);
        }
    }
    still_serves(&server);

    // A client that tears its connection down meanwhile has lost its answer, and no
    // one else's.
    const RESET: &str = "a client that resets its connection while finish() reads is \
                         gone: return. unwrap() or expect() there ends the server \
                         for everyone.";
    let mut client = server.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    client.answer(NO_ANSWER);
    client.expect_end(NO_ANSWER);
    client.tear_down();
    for sent in ["GET / HTTP/1.1\r\n", &get("/lost")] {
        server.reset_behind(sent);
    }
    let mut client = server.ask("/after-a-reset");
    client.answer(Likely::always(RESET));
    server.must_still_run_after(RESET);
}

#[test]
fn check_12_a_client_that_stays() {
    after(check_11_the_answer_arrives);
    let check = check!(
        "a client that has its answer and stays does not hold up the next one"
    )
    .read("close-so-that-the-answer-arrives");
    const STAYS: &str = "the server reads on until the first client closes, and that \
                         one doesn't. Give it a second, no more.";
    const DRIBBLES: &str = "each byte that the first client sends gives it another \
                            second. Compute one deadline before the loop, and before \
                            each read what is left of it.";
    const POURS: &str = "a client that sends without a pause never makes a read() \
                         wait, so a timeout alone doesn't end the loop. Before each \
                         read, look whether anything is left of the time, and return \
                         if not.";
    // One client is silent, one sends a byte now and then, one sends without a pause.
    // Each has a server of its own, so that all are waited for together.
    let stays = |bytes: &str| {
        let check = check.clone().by_hand(&format!(
            "(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; {bytes}) \\\n  \
             | nc 127.0.0.1 {{port}} > /dev/null &\n\
             curl -s -m 5 http://{{addr}}/",
        ));
        let server = check.start(&[]);
        let mut stays = server.connect();
        stays.send("GET / HTTP/1.0\r\n\r\n");
        let answer = stays.answer(NO_ANSWER);
        stays.expect_status(&answer, &[200], GOOD);
        stays.expect_end(NO_ANSWER);
        let next = server.ask("/next");
        (check, server, stays, next)
    };
    let (_, _silent, _stays, mut first) = stays("sleep 60");
    let (_, _server, mut dribbles, mut second) =
        stays("while sleep 0.2; do printf x; done");
    dribbles.dribble();
    let (check, server, mut pours, mut third) = stays("yes");
    let holds_up =
        server.reads_on(&mut pours, &mut third, Duration::from_millis(1800));
    for (client, silent) in [(&mut first, STAYS), (&mut second, DRIBBLES)] {
        let answer = client.answer(Likely {
            silent,
            ..NO_ANSWER
        });
        client.expect_status(&answer, &[200], GOOD);
    }
    if holds_up {
        check.fail(
            "A client that sends without a pause holds up the next one.",
            POURS,
        );
    }
    let answer = third.answer(NO_ANSWER);
    third.expect_status(&answer, &[200], GOOD);
    discards_what_comes_late(&check);
}

/// Whatever comes after the last answer is thrown away, and not kept.
#[track_caller]
fn discards_what_comes_late(check: &Check) {
    let check = check.clone().by_hand(
        "(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; head -c 64000000 /dev/zero) \\\n  \
         | nc 127.0.0.1 {port}\n\
         grep VmHWM /proc/$(pgrep {package})/status",
    );
    let server = check.start(&[]);
    let mut client = server.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    client.answer(NO_ANSWER);
    let before = server.peak_memory().unwrap_or_default();
    let read = client.feed(&vec![b'x'; 2 << 20], 8) as u64;
    let grown = server
        .peak_memory()
        .unwrap_or_default()
        .saturating_sub(before);
    if read > 1 << 20 && grown > read / 2 {
        check.fail(
            format!(
                "The program read {read} bytes after its last answer, and its memory \
                 grew by {grown}."
            ),
            "finish() keeps what it should discard. Read into a small buffer of its \
             own, again and again, and not with fill(), read_to_end() or a Vec that \
             grows.",
        );
    }
}

#[test]
fn check_13_the_last_request() {
    after(check_04_two_at_once);
    let check = check!("after a request that says close, nothing more is answered")
        .read("close-so-that-the-answer-arrives")
        .by_hand(
            "printf 'GET /1 HTTP/1.0\\r\\n\\r\\nGET /2 HTTP/1.0\\r\\n\\r\\n' \\\n  | \
             nc -N 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    const CLOSE: &str = "a client that says \"Connection: close\", or speaks \
                         HTTP/1.0, wants one answer and then the end. The server \
                         must not process what follows (RFC 9112, section 9.6).";
    for first in [
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /1 HTTP/1.1\r\nHost: a\r\ncOnnection: x ,\tClose\r\n\r\n",
        "GET /1 HTTP/1.0\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.send(format!("{first}{}", get("/2")));
        let answer = client.answer(NO_ANSWER);
        client.expect_status(&answer, &[200], GOOD);
        client.expect_end(Likely::always(CLOSE));
    }
}

#[test]
fn check_14_a_real_client() {
    after(check_01_a_request_is_understood);
    let check = check!("a real HTTP client is understood")
        .read("the-request-line")
        .by_hand("curl -v http://{addr}/");
    let server = check.start(&[]);
    let path = format!("/{}", Random::default().word(8));
    let fetched = server.get(&path);
    let first = format!("method GET\ntarget {path}\nversion HTTP/1.1\n");
    if fetched.status != 200 || !fetched.body.starts_with(first.as_bytes()) {
        check.fail("reqwest got another answer.", UNDERSTOOD);
    }
}

#[test]
fn check_15_starts_as_before() {
    after(check_01_a_request_is_understood);
    let check = check!("a program that can't start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}

/// Sends a request on a connection of its own, and expects one of these status codes.
#[track_caller]
fn answered(server: &Program, request: &[u8], wanted: &[u16], why: &str) -> Answer {
    let mut client = server.connect();
    client.by_hand(&format!("{} | nc 127.0.0.1 {{port}}", printf(request)));
    client.send(request);
    let answer = client.answer(NO_ANSWER);
    client.expect_status(&answer, wanted, why);
    answer
}

#[track_caller]
fn still_serves(server: &Program) {
    const NEXT: &str = "one bad client must not hurt the next one.";
    answered(server, get("/still").as_bytes(), &[200], NEXT);
    server.must_still_run();
}
