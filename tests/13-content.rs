//! Milestone of chapter 13: what a request carries is skipped, so that the next one begins
//! at the right byte, and a request whose end isn't certain is refused.

use harness::{Client, Likely, Site, after, get, printf};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "where-content-ends",
    "content-that-nobody-wants",
    "content-that-nobody-wants",
    "chunks",
    "chunks",
];

const NO_ANSWER: Likely = Likely {
    silent: "the server is still reading: does it wait for more than the request has? Answers must \
             leave before the server waits for the next request.",
    closed: "the server closed the connection: an HTTP/1.1 connection stays open for the next \
             request until one side says \"Connection: close\".",
    reset: "the server closed the connection while bytes that the client had sent were unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so that the next one \
              begins in the wrong place.",
};

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 12").read("what-stays");
    check.still_serves_files(
        NO_ANSWER,
        "it did in chapter 12: git diff chapters/13-content shows what has changed.",
    );
}

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";

#[test]
fn check_02_one_request_after_the_other() {
    after(check_01_still_serves_files);
    let check = check!("one connection serves many requests")
        .read("what-stays")
        .causes_panics(ASKED_TO)
        .by_hand("curl -v http://{addr}/app/visit http://{addr}/app/visit");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    let mut client = server.connect();
    for visit in 1..=10 {
        client.send(get("/app/visit"));
        let answer = client.answer(NO_ANSWER);
        client.expect_status(&answer, &[200], "each request is one like any other.");
        client.expect_body(
            &answer,
            format!("{visit}\n").as_bytes(),
            "this is another answer.",
        );
        if answer.closes() {
            check.fail(
                "The answer says \"Connection: close\", which the client had not asked for.",
                "HTTP/1.1 connections persist unless one side has a reason to end them.",
            );
        }
    }
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.answer_to_head(NO_ANSWER);
    client.send(get("/"));
    let answer = client.answer(NO_ANSWER);
    client.expect_body(
        &answer,
        b"home",
        "the answer to HEAD before it had content.",
    );
    client.send("HEAD /app/panic HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer_to_head(NO_ANSWER);
    client.expect_status(
        &answer,
        &[500],
        "a handler that panics is answered with 500.",
    );
    const CONTENT: &str = "HEAD gets no content, not even after a panic: the client takes it for the \
                           next answer. The app, which else leaves it out, has not come to that: \
                           respond() in main.rs has to.";
    if answer.closes() {
        client.expect_end(Likely::always(CONTENT));
        return;
    }
    client.send(get("/"));
    let answer = client.answer(Likely {
        differs: CONTENT,
        ..NO_ANSWER
    });
    client.expect_body(&answer, b"home", CONTENT);
}

/// The command that sends these bytes by hand.
fn typed(bytes: &str) -> String {
    format!("{} | nc 127.0.0.1 {{port}}", printf(bytes.as_bytes()))
}

#[test]
fn check_03_content_by_length() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "content of a known length is skipped, and the next request begins behind it"
    )
    .read("content-that-nobody-wants")
    .by_hand("curl -v --data hello http://{addr}/ --next http://{addr}/");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    const WRONG_BYTE: &str = "the next request does not begin behind this one's content: skip as many \
                              bytes as Content-Length says, some of which may come later.";
    // Content that looks like a request must not be taken for one.
    let content = get("/app/visit/1000");
    let len = content.len();
    let post = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n{content}"
    );
    let all = post.clone() + &get("/app/visit");
    for cuts in [
        vec![],
        vec![post.len() - len],
        vec![post.len() - 10],
        vec![30, post.len()],
    ] {
        let mut client = server.connect();
        client.send_in_pieces(all.as_bytes(), &cuts);
        let answer = client.answer(NO_ANSWER);
        client.expect_status(&answer, &[405], "nothing here takes POST.");
        let answer = client.answer(Likely {
            closed: WRONG_BYTE,
            ..NO_ANSWER
        });
        client.expect_status(&answer, &[200], WRONG_BYTE);
        client.hang_up();
    }
    server.ask("/app/visit").must_get(200, "5\n", WRONG_BYTE);
    // A client that asks first whether its content is wanted has to be told
    // something.
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    let answer = client.answer(Likely {
        silent: "the client said Expect: 100-continue, and sends its content only when it is told to: \
                 answer without it, or send 100 (Continue) first.",
        ..NO_ANSWER
    });
    client.expect_status(
        &answer,
        &[405, 417, 100],
        "content that nobody wants can be refused before it is sent.",
    );
    client.hang_up();
    let large = 300_000;
    let mut client = server.connect();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {large}\r\n\r\n"
    ));
    client.send("x".repeat(large)).send(get("/"));
    client.answer(NO_ANSWER);
    let answer = client.answer(NO_ANSWER);
    client.expect_body(&answer, b"home", WRONG_BYTE);
}

#[test]
fn check_04_too_much_content() {
    after(check_03_content_by_length);
    let check = check!("content beyond all measure is not read to its end")
        .read("content-that-nobody-wants");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    const ENDLESS: &str = "the server reads whatever a client sends. Set a limit, answer with 413, and \
                           close: the rest is not worth reading.";
    for (field, chunk) in [
        ("Content-Length: 1000000000000", "x".repeat(1 << 20)),
        (
            "Transfer-Encoding: chunked",
            format!("80000\r\n{}\r\n", "x".repeat(0x80000)),
        ),
        // One chunk of 64 GiB.
        (
            "Transfer-Encoding: chunked\r\n\r\nfffffffff",
            "x".repeat(1 << 20),
        ),
    ] {
        let mut client = server.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"));
        const LIMIT: usize = 32 << 20;
        if client.flood(chunk.as_bytes(), LIMIT) >= LIMIT {
            check.fail(
                format!(
                    "The program read {LIMIT} bytes of content and asked for more."
                ),
                ENDLESS,
            );
        }
        let answer = client.answer(Likely {
            silent: ENDLESS,
            ..NO_ANSWER
        });
        client.expect_status(&answer, &[413, 405], ENDLESS);
        client.expect_lingering(
            "the server closed at once, and what the client sends then makes the kernel tear the \
             connection down, perhaps before the client has read why (chapter 04). Call finish() \
             before the connection is dropped.",
        );
        client.hang_up();
    }
    server.ask("/").must_get(200, "home", ENDLESS);
}

#[test]
fn check_05_chunked_content() {
    after(check_03_content_by_length);
    let check =
        check!("chunked content is skipped, with its extensions and trailers")
            .read("chunks");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    const CHUNKS: &str = "a chunk is: its size in hexadecimal, perhaps ;extensions, CR LF, so many \
                          bytes, CR LF. The last has size 0; trailer fields and a blank line follow.";
    const PIECES: &str = "in one piece the same request was understood; here its content comes byte by \
                          byte. step() must return 0 until its next piece is complete: a line up to its \
                          \\n, and also behind a chunk's data, where only \\r may have come.";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
    // All arrive in one piece, and the one that has everything also byte by byte.
    let all_kinds = "2;x\r\n\r\n\r\n0\r\nX: y\r\n\r\n";
    let every_byte = (post.len()..=post.len() + all_kinds.len()).collect();
    for (content, cuts) in [
        ("0\r\n\r\n", vec![]),
        ("5\r\nhello\r\n0\r\n\r\n", vec![]),
        ("3\r\n\r\n\r\r\n1\r\n0\r\n0\r\n\r\n", vec![]),
        ("A;name=value\r\n0123456789\r\n00\r\n\r\n", vec![]),
        (
            "a ; x=\"quoted; \\\" too\"\r\n0123456789\r\n0;last\r\n\r\n",
            vec![],
        ),
        ("1\r\nx\r\n0\r\nX-Trailer: y\r\nHost: b\r\n\r\n", vec![]),
        (all_kinds, vec![]),
        (all_kinds, every_byte),
    ] {
        let all = format!("{post}{content}{}", get("/"));
        let likely = if cuts.is_empty() { CHUNKS } else { PIECES };
        let mut client = server.connect();
        let by_hand = match cuts.is_empty() {
            true => typed(&all),
            false => {
                let (first, rest) = all.split_at(post.len() + "2;x\r\n\r\n\r".len());
                let (first, rest) =
                    (printf(first.as_bytes()), printf(rest.as_bytes()));
                format!("({first}; sleep 0.2; {rest}) | nc 127.0.0.1 {{port}}")
            }
        };
        client.by_hand(&by_hand);
        client.send_in_pieces(all.as_bytes(), &cuts);
        let answer = client.answer(Likely {
            silent: likely,
            ..NO_ANSWER
        });
        client.expect_status(&answer, &[405], likely);
        let answer = client.answer(Likely {
            closed: likely,
            silent: likely,
            ..NO_ANSWER
        });
        client.expect_body(&answer, b"home", likely);
        client.hang_up();
    }
}

#[test]
fn check_06_smuggled_requests() {
    after(check_05_chunked_content);
    let check = check!(
        "a request whose end two servers could see in two places is refused with 400"
    )
    .read("smuggling");
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    let fields: &[(&str, &[u16], &'static str)] = &[
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            &[400],
            "both a length and chunks: a proxy may believe the one, this server the other.",
        ),
        (
            "Content-Length: 0\r\nContent-Length: 44",
            &[400],
            "two lengths.",
        ),
        (
            "Content-Length: 0\r\nContent-Length: +44",
            &[400],
            "two lengths, of which the second has a sign.",
        ),
        (
            "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 44",
            &[400],
            "three lengths, of which the last differs.",
        ),
        (
            "Content-Length: 5\r\nContent-Length: 44\r\nContent-Length: 5",
            &[400],
            "three lengths, of which the second differs.",
        ),
        (
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            &[400],
            "both a length and chunks. A length of 0 is one too.",
        ),
        ("Content-Length: 0, 44", &[400], "two lengths in one field."),
        (
            "Content-Length: +0",
            &[400],
            "a sign is no digit, and some parsers take it.",
        ),
        ("Content-Length: -1", &[400], "a sign is no digit."),
        ("Content-Length: 0x0", &[400], "the length is decimal."),
        (
            "Content-Length: 0 0",
            &[400],
            "white space inside a length.",
        ),
        (
            "Content-Length: 99999999999999999999999",
            &[400, 413],
            "the length does not fit into 64 bits.",
        ),
        ("Content-Length:", &[400], "an empty length."),
        ("Content-Length : 44", &[400], "white space before a colon."),
        ("X: y\r\n Content-Length: 44", &[400], "a folded line."),
        ("X: y\rContent-Length: 44", &[400], r"\r alone."),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            &[400, 501],
            "chunked twice.",
        ),
        (
            "Transfer-Encoding: chunked, identity",
            &[400, 501],
            "chunked must be the last coding.",
        ),
        (
            "Transfer-Encoding: xchunked",
            &[400, 501],
            "a coding that the server does not know.",
        ),
        (
            "Transfer-Encoding: \x0bchunked",
            &[400, 501],
            "a control character before the coding.",
        ),
    ];
    for (field, wanted, why) in fields {
        let request =
            format!("POST / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n0\r\n\r\n");
        refused(server.connect(), &request, wanted, why);
    }
    let chunks: &[(&str, &'static str)] = &[
        ("\r\n\r\n", "an empty size."),
        ("x\r\n\r\n", "a size that is no number."),
        ("-1\r\n\r\n", "a sign is no digit."),
        (
            "+1\r\nx\r\n0\r\n\r\n",
            "a sign is no digit, and some parsers take it.",
        ),
        ("0x1\r\nx\r\n0\r\n\r\n", "hexadecimal without 0x."),
        ("1 \r\nx\r\n0\r\n\r\n", "white space behind a size."),
        (" 1\r\nx\r\n0\r\n\r\n", "white space before a size."),
        (
            "10000000000000001\r\nx\r\n0\r\n\r\n",
            "a size beyond 64 bits, which may wrap around to 1.",
        ),
        (
            "1\r;x\r\nx\r\n0\r\n\r\n",
            r"\r alone before a semicolon, where only spaces and tabs may stand.",
        ),
        (
            "1\x0c;x\r\nx\r\n0\r\n\r\n",
            "a form feed before a semicolon, where only spaces and tabs may stand.",
        ),
        (
            "1;a\rb\r\nx\r\n0\r\n\r\n",
            r"\r alone in an extension, where no control character but a tab may stand.",
        ),
        (
            "1;\x7f\r\nx\r\n0\r\n\r\n",
            "DEL in an extension, where no control character but a tab may stand.",
        ),
        ("1\r\nxyz0\r\n\r\n", "a chunk that is longer than its size."),
        (
            "1\r\nxy\r\n0\r\n\r\n",
            "a chunk that is longer than its size, with a line end behind it.",
        ),
        ("1\r\nx\ry0\r\n\r\n", r"a chunk that ends in \r alone."),
        (
            "1\r\nxy\n0\r\n\r\n",
            r"a chunk that ends in \n alone, behind a byte too many.",
        ),
        ("1\nx\r\n0\r\n\r\n", r"a size line that ends in \n alone."),
        ("1\r\nx\n00\r\n\r\n", r"a chunk that ends in \n alone."),
        ("0\r\nX y\r\n\r\n", "a trailer that is no field."),
        (
            "0\r\nX : y\r\n\r\n",
            "white space before a trailer's colon: split_field judges trailers as it does fields.",
        ),
        (
            "0\r\n X: y\r\n\r\n",
            "white space before a trailer's name: split_field judges trailers as it does fields.",
        ),
    ];
    for (content, why) in chunks {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{content}"
        );
        refused(server.connect(), &request, &[400], why);
    }
    for length in ["", "Content-Length: 5\r\n"] {
        let request = format!(
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\n{length}\
             Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        );
        refused(
            server.connect(),
            &request,
            &[400, 405, 411, 501],
            "HTTP/1.0 knows no Transfer-Encoding.",
        );
    }
    server.ask("/app/visit").must_get(
        200,
        "1\n",
        "a request that stood inside another one's content was served.",
    );
}

/// Sends a request, with another one hidden in it or behind it, and reads a refusal,
/// after which the connection must end: nothing on it can be trusted.
#[track_caller]
fn refused(mut client: Client, request: &str, wanted: &[u16], why: &'static str) {
    let hidden = get("/app/visit/1000");
    client.by_hand(&typed(&format!("{request}{hidden}")));
    client.send(request).send(hidden);
    let answer = client.answer(Likely {
        silent: why,
        ..NO_ANSWER
    });
    client.expect_status(&answer, wanted, why);
    client.expect_end(Likely {
        silent: "after a refusal nobody knows where the next request begins: close the connection.",
        differs: "what follows a request that was refused was taken for another request.",
        ..NO_ANSWER
    });
    if request.contains("HTTP/1.1") {
        client.expect_last(&answer);
    }
    client.hang_up();
}

#[test]
#[cfg(unix)]
fn check_07_still_stops() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "idle connections do not delay the end, and the last answer says close"
    )
    .read("what-stays")
    .by_hand("nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n chapter13)");
    let site = Site::with_a_home();
    let mut server = check.start_pool(&site, 2);
    let mut idle = server.ask("/");
    idle.answer(NO_ANSWER);

    const SAME: &str = "it did in chapter 12: git diff chapters/13-content shows what has changed. A \
                        connection that waits for its next request is an idle one.";
    // The server is in the middle of an answer while it learns that it has to stop,
    // and has read another request already.
    site.large_file("large", 16 << 20, b"the end");
    let mut running = server.connect();
    running.send(get("/large") + &get("/"));
    running.read_some(1);
    server.signal("TERM");
    server.must_refuse(SAME);
    running.answer(Likely::always(SAME));
    let answer = running.answer(Likely::always(SAME));
    running.expect_body(&answer, b"home", SAME);
    if !answer.closes() {
        check
            .by_hand(
                "printf 'GET /app/wait/1000 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port} & \
                 sleep 0.2; kill -TERM $(pgrep -n chapter13)",
            )
            .fail(
                "The last answer does not say \"Connection: close\".",
                "when the server stops and nothing more has been read, this answer is the last one, \
                 and says so: converse gives it the field as if the client had wanted no more.",
            );
    }
    server.must_end(0, SAME);
}

#[test]
fn check_08_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_09_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
