//! Milestone of chapter 03: each request is answered with a well-formed HTTP response
//! whose content is the request's head, byte for byte; then the connection is closed.

use harness::{Likely, Random, after, check, show};

const NOT_HTTP: Likely = Likely {
    silent: "the server waits for more than the blank line that ends the head, perhaps for the \
             client to close. A client that wants an answer keeps its connection open.",
    closed: "the server closed before it had sent as much as it promised. Does Content-Length count \
             the content alone, without the head? Is everything sent, with write_all()?",
    reset: "the server closed while a part of the request was still unread. The kernel then sends \
            RST, which can destroy the answer. Read the head up to the blank line first.",
    differs: "a response is: status line, field lines, blank line, content. Each line of the head \
              ends in \\r\\n, also the last field line: the blank line is one more \\r\\n.",
};
const EARLY: &str = "the server does not wait for the blank line. One read() returns what has \
                     arrived, which may be a part of the head: read until the blank line is there, \
                     and answer only then.";
const BODY: &str = "the content must be the head as it came: every byte from its first up to and \
                    with the blank line. One blank line stands before the content, not two.";
const TEXT: &str = "the head went through a String on its way. It need not be UTF-8: keep it as bytes, \
                    a Vec<u8>, from read() to write_all().";

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
fn check_01_not_before_the_blank_line() {
    let check = check!("the server says nothing before it has read the whole head")
        .read("read-before-you-answer")
        .by_hand(
            "(printf 'GET / HTTP/1.1\\r\\n'; sleep 2; printf 'Host: a\\r\\n\\r\\n'; sleep 1) | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    let request = request(&mut Random::default());
    let mut client = server.connect();
    let mut start = 0;
    for cut in [10, 30, request.len() - 4] {
        client.send(&request[start..cut]).until_read();
        client.expect_nothing_yet(EARLY);
        start = cut;
    }
}

#[test]
fn check_02_a_response_in_good_form() {
    after(check_01_not_before_the_blank_line);
    let check = check!("a request is answered with a response that HTTP clients can read")
        .read("the-shape-of-a-response")
        .by_hand("printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port} | cat -v");
    let server = check.start(&[]);
    let mut client = server.connect();
    client.send(request(&mut Random::default()));
    // Who says nothing has no trouble with the form of an answer.
    client.read("read-before-you-answer");
    client.expect_a_sign(NOT_HTTP.silent);
    client.read("the-shape-of-a-response");
    let answer = client.answer(NOT_HTTP);
    client.expect_status(&answer, &[200], "the status line is \"HTTP/1.1 200 OK\".");
}

#[test]
fn check_03_the_content_is_the_head() {
    after(check_02_a_response_in_good_form);
    let check = check!(
        "the content is the request's head, byte for byte, and its type is named"
    )
    .read("the-shape-of-a-response")
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
            let value = value.to_ascii_lowercase().replace([' ', '\t', '"'], "");
            value == "text/plain;charset=utf-8"
        },
        "the fields that with_field() collected must stand between the status line and the blank \
         line. Without a type a browser guesses one, and may offer a download instead of a page.",
    );
}

#[test]
fn check_04_length_in_bytes() {
    after(check_03_the_content_is_the_head);
    let check = check!(
        "bytes are counted and sent, also of long characters and of what is no text"
    )
    .read("content-length-counts-bytes")
    .by_hand("curl -i -H 'X-Name: żółw 🐢' http://{addr}/");
    let server = check.start(&[]);
    const LENGTH: &str = "Content-Length is smaller than the content: does it count characters, \
                          chars().count(), instead of bytes, len()?";
    let word = Random::default().word(5);
    let text = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Name: żółw 🐢 {word}\r\n\r\n"
    );
    let mut client = server.connect();
    client.send(&text);
    let answer = client.answer(NOT_HTTP);
    if text.as_bytes().starts_with(answer.body()) {
        client.expect_body(&answer, text.as_bytes(), LENGTH);
    }
    client.expect_body(&answer, text.as_bytes(), TEXT);

    let check = check.read("read-before-you-answer").by_hand(
        "printf 'GET / HTTP/1.1\\r\\nX: caf\\351\\r\\n\\r\\n' | nc 127.0.0.1 {port} | od -c",
    );
    let server = check.start(&[]);
    let mut no_text = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Latin-1: caf".to_vec();
    no_text.extend(b"\xe9\r\n\r\n");
    let mut client = server.connect();
    client.send(&no_text);
    let answer = client.answer(Likely::always(TEXT));
    client.expect_body(&answer, &no_text, TEXT);
}

#[test]
fn check_05_however_it_arrives() {
    after(check_03_the_content_is_the_head);
    let check = check!("the blank line is found wherever the reads happen to part it")
        .read("read-before-you-answer")
        .by_hand(
            "(printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r'; sleep 2; printf '\\n'; sleep 1) | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    const PARTED: Likely = Likely {
        silent: "the four bytes \\r\\n\\r\\n came in two reads, and the server still waits for them. \
                 Search what has come so far, not only what the last read() brought; or begin three \
                 bytes before that.",
        closed: EARLY,
        reset: EARLY,
        differs: EARLY,
    };
    let request = request(&mut Random::default());
    let end = request.len();
    for cut in [end - 1, end - 2, end - 3] {
        let mut client = server.connect();
        client.send(&request[..cut]).until_read();
        client.expect_nothing_yet(EARLY).send(&request[cut..]);
        let answer = client.answer(PARTED);
        client.expect_body(&answer, &request, BODY);
    }
    let mut client = server.connect();
    let cuts: Vec<usize> = (end - 12..end).collect();
    client.send_in_pieces(&request, &cuts);
    let answer = client.answer(PARTED);
    client.expect_body(&answer, &request, BODY);
}

#[test]
fn check_06_what_follows_the_head() {
    after(check_03_the_content_is_the_head);
    let check =
        check!("the head ends at the blank line, also where more bytes follow")
            .read("read-before-you-answer")
            .by_hand("curl -i --data hello http://{addr}/");
    let server = check.start(&[]);
    let word = Random::default().word(7);
    let head = format!(
        "POST /{word} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
    );
    let mut client = server.connect();
    client.send(format!("{head}hello"));
    let answer = client.answer(Likely {
        silent: "the server looks for the blank line at the end of what it has read. More may have \
                 come with it: here five bytes of content. Look for it anywhere.",
        ..NOT_HTTP
    });
    client.expect_body(
        &answer,
        head.as_bytes(),
        "one read() may bring bytes from behind the blank line. The head ends with the blank line: \
         cut off what follows, with truncate().",
    );
}

#[test]
fn check_07_the_connection_is_closed() {
    after(check_03_the_content_is_the_head);
    let check = check!("after the answer the server closes the connection in order")
        .read("one-answer-then-the-end")
        .by_hand(
            "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port} | cat -v; echo closed",
        );
    let server = check.start(&[]);
    for _ in 0..5 {
        let mut client = server.connect();
        client.send(request(&mut Random::default()));
        client.answer(NOT_HTTP);
        client.expect_end(Likely {
            silent: "the stream is still open. This chapter's server answers once and closes: drop \
                     the stream.",
            differs: "more bytes follow than Content-Length says. Nothing belongs behind the content, \
                      no line end either.",
            ..Likely::default()
        });
    }
}

#[test]
fn check_08_a_real_client() {
    after(check_07_the_connection_is_closed);
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

/// A write can be cut short only when the buffers on the way are full, which takes
/// megabytes; and the content is the head. Only Linux tells whether the program has
/// read it all.
#[test]
#[cfg(target_os = "linux")]
fn check_09_all_of_a_long_answer() {
    use std::time::Duration;

    after(check_07_the_connection_is_closed);
    let check =
        check!("a long answer is sent to its end").read("one-answer-then-the-end");
    let server = check.start(&[]);
    const LINES: usize = 6000;
    let start = "GET / HTTP/1.1\r\nHost: localhost\r\n";
    let line = format!("X-Long: {}\r\n", Random::default().word(990));
    let mut client = server.connect();
    client.send(start);
    for lines in [1000, LINES - 1000] {
        client.flood(line.repeat(500).as_bytes(), lines * line.len());
        // Searching all of the head again after each read is right, but would take
        // minutes here.
        if !client.is_read_within(Duration::from_secs(1)) {
            check.pass_over(
                "it needs a search that does not begin anew after each read",
            );
            return;
        }
    }
    client.send("\r\n");
    // The answer has begun, and now waits for room: the client does not read on.
    client.read_some(1);
    server.stop_and_continue();
    let answer = client.answer(Likely {
        closed: "write() may send fewer bytes than it was given, and returns how many. write_all() \
                 goes on until all are sent.",
        ..NOT_HTTP
    });
    if (400..500).contains(&answer.status()) {
        // A server may refuse such a head (RFC 9110, section 15.5): nothing long
        // comes back then.
        return;
    }
    let head = [start, &line.repeat(LINES), "\r\n"].concat();
    client.expect_body(&answer, head.as_bytes(), BODY);
}

#[test]
fn check_10_clients_that_leave() {
    after(check_07_the_connection_is_closed);
    let check = check!("clients that leave early do not end the server")
        .read("clients-that-leave")
        .by_hand(
            "nc -N 127.0.0.1 {port} < /dev/null\n\
             printf 'GET / HT' | nc -N 127.0.0.1 {port}\n\
             curl -i http://{addr}/",
        );
    let server = check.start(&[]);
    const LEFT: &str = "a client that leaves before its head is complete is one client's affair: no \
                        unwrap(), no panic, and no loop in which read() returns Ok(0) for ever.";
    for head in ["GET", "GET / HTTP/1.1\r\nHost: a\r\n", ""] {
        let mut client = server.connect();
        client.send(head).half_close();
        let back = client.read_to_end(Likely::always(LEFT));
        // Nobody waits for an answer, yet a server may say that it understood
        // nothing: 400, 408.
        let refused = back.starts_with(b"HTTP/1.") && back.get(9) == Some(&b'4');
        if !back.is_empty() && !refused {
            let line = back.split_inclusive(|byte| *byte == b'\n').next();
            check.fail(
                format!(
                    "After \"{}\" and the end of the stream came an answer: \"{}\".",
                    show(head.as_bytes()),
                    show(line.unwrap_or_default())
                ),
                "half a head was taken for a whole one. Where read() returns Ok(0) and the blank \
                 line has not come, there is no request: return Ok(None), and not what has come.",
            );
        }
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

#[test]
fn check_11_starts_as_before() {
    after(check_01_not_before_the_blank_line);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
