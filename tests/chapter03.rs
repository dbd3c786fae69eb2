//! Milestone of chapter 03: each request is answered with a well-formed HTTP response whose content
//! is the request's head, byte for byte; then the connection is closed.

use harness::{Likely, Random, after, check};

const NOT_HTTP: Likely = Likely {
    silent: "the server waits for more than the blank line that ends the head, perhaps for the \
             client to close. A client that wants an answer keeps its connection open.",
    closed: "the server closed without a complete answer. Is everything written, with write_all()?",
    reset: "the server closed while a part of the request was still unread. The kernel then sends \
            RST, which destroys the answer on its way. Read the head up to the blank line first.",
    differs: r"a response is: status line, field lines, blank line, content. Each line of the head \
               ends in \r\n, also the last field line: the blank line is one more \r\n.",
};
const BODY: &str = "the content must be the head as it came: every byte up to and with the blank \
                    line, as bytes and not as text. Its length is counted in bytes, body.len(), \
                    not in characters.";

/// A request that no program has seen before.
fn request(random: &mut Random) -> Vec<u8> {
    format!(
        "GET /{} HTTP/1.1\r\nHost: localhost\r\nX-Word: {}\r\n\r\n",
        random.word(6),
        random.word(9)
    )
    .into_bytes()
}

#[test]
fn check_01_a_response_in_good_form() {
    let check = check!("a request is answered with a response that HTTP clients can read")
        .read("the-shape-of-a-response")
        .by_hand("curl -v http://{addr}/");
    let server = check.start(&[]);
    let mut client = server.connect();
    client.send(request(&mut Random::default()));
    let answer = client.answer(NOT_HTTP);
    client.expect_status(&answer, &[200], "the status line is \"HTTP/1.1 200 OK\".");
}

#[test]
fn check_02_the_content_is_the_head() {
    after(check_01_a_response_in_good_form);
    let check = check!("the content is the request's head, byte for byte")
        .read("what-the-browser-said")
        .by_hand("curl -i http://{addr}/");
    let server = check.start(&[]);
    let mut client = server.connect();
    let request = request(&mut Random::default());
    client.send(&request);
    let answer = client.answer(NOT_HTTP);
    client.expect_body(&answer, &request, BODY);
    client.expect_field(
        &answer,
        "Content-Type",
        "text/plain; charset=utf-8",
        |value| {
            let value = value.to_ascii_lowercase().replace([' ', '"'], "");
            value == "text/plain;charset=utf-8"
        },
        "without it a browser guesses, and may guess another encoding or offer a download.",
    );
}

#[test]
fn check_03_length_in_bytes() {
    after(check_02_the_content_is_the_head);
    let check = check!("Content-Length counts bytes, also where a character takes several")
        .read("content-length-counts-bytes")
        .by_hand("curl -i -H 'X-Name: żółw 🐢' http://{addr}/");
    let server = check.start(&[]);
    let word = Random::default().word(5);
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Name: żółw 🐢 {word}\r\n\r\n");
    let mut not_text = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Latin-1: caf".to_vec();
    not_text.extend(b"\xe9\r\n\r\n");
    for request in [head.as_bytes(), &not_text] {
        let mut client = server.connect();
        client.send(request);
        let answer = client.answer(Likely::always(BODY));
        client.expect_body(&answer, request, BODY);
        client.expect_end(Likely {
            differs: "Content-Length is smaller than the content: does it count characters, \
                      chars().count(), instead of bytes, len()?",
            silent: "the connection stays open: drop the stream after the answer.",
            ..Likely::default()
        });
    }
}

#[test]
fn check_04_the_whole_head_first() {
    after(check_02_the_content_is_the_head);
    let check = check!("the answer waits for the blank line, however the head arrives")
        .read("read-before-you-answer")
        .by_hand(
            "(printf 'GET / HTTP/1.1\\r\\n'; sleep 1; printf 'Host: a\\r\\n\\r\\n'; sleep 1) | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    const EARLY: &str = "the server answers before it has read the whole head. One read() returns \
                         what has arrived, which may be a part: read until the blank line is there.";
    let request = request(&mut Random::default());
    let end = request.len();
    for cuts in [[10, 30, 31], [end - 3, end - 2, end - 1]] {
        let mut client = server.connect();
        let mut start = 0;
        for cut in cuts {
            client.send(&request[start..cut]).until_read();
            client.expect_nothing_yet(EARLY);
            start = cut;
        }
        client.send(&request[start..]);
        let answer = client.answer(Likely {
            closed: EARLY,
            reset: EARLY,
            ..NOT_HTTP
        });
        client.expect_body(&answer, &request, EARLY);
    }
    let mut client = server.connect();
    client.send_byte_by_byte(&request);
    let answer = client.answer(NOT_HTTP);
    client.expect_body(&answer, &request, EARLY);
}

#[test]
fn check_05_the_connection_is_closed() {
    after(check_01_a_response_in_good_form);
    let check = check!("after the answer the server closes the connection in order")
        .read("one-answer-then-the-end")
        .by_hand(
            "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port}; echo closed",
        );
    let server = check.start(&[]);
    for _ in 0..5 {
        let mut client = server.connect();
        client.send(request(&mut Random::default()));
        client.answer(NOT_HTTP);
        client.expect_end(Likely {
            silent: "the stream is still open. This chapter's server answers once and closes: drop \
                     the stream.",
            differs: "more bytes follow than Content-Length says.",
            ..Likely::default()
        });
    }
}

#[test]
fn check_06_a_real_client() {
    after(check_05_the_connection_is_closed);
    let check = check!("a real HTTP client understands the answer")
        .read("the-shape-of-a-response")
        .by_hand("curl -v http://{addr}/");
    let server = check.start(&[]);
    let path = format!("/{}", Random::default().word(8));
    let fetched = server.get(&path);
    let first = format!("GET {path} HTTP/1.1\r\n");
    if fetched.status != 200 || !fetched.body.starts_with(first.as_bytes()) {
        check.fail("reqwest got another answer than the raw client.", BODY);
    }
}

#[test]
fn check_07_clients_that_leave() {
    after(check_05_the_connection_is_closed);
    let check = check!("clients that leave early do not end the server")
        .read("clients-that-leave")
        .by_hand("nc -N 127.0.0.1 {port} < /dev/null; curl -i http://{addr}/");
    let server = check.start(&[]);
    const LEFT: &str = "a client that leaves early is one client's affair: no unwrap(), no panic, \
                        and no loop that reads Ok(0) for ever.";
    for head in ["", "GET", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = server.connect();
        client.send(head).half_close();
    }
    for _ in 0..3 {
        let mut client = server.connect();
        client.send(request(&mut Random::default()));
        client.reset();
    }
    let mut client = server.connect();
    let request = request(&mut Random::default());
    client.send(&request);
    let answer = client.answer(Likely::always(LEFT));
    client.expect_body(&answer, &request, LEFT);
    server.must_still_run();
}
