//! Milestone of chapter 03: each request is answered with a well-formed HTTP response
//! whose content is the request's head, byte for byte; then the connection is closed.

use std::time::Duration;

use harness::{Answer, Client, Likely, Program, Random, after, check, show};

const NOT_HTTP: Likely = Likely {
    silent: "the server waits for more than the blank line that ends the head, \
             perhaps for the client to close. A client that wants an answer keeps \
             its connection open.",
    closed: "the server closed before it had sent as much as it promised. Does \
             Content-Length count the content alone, without the head? Is everything \
             sent, with write_all()?",
    reset: "the server closed while a part of the request was still unread. The \
            kernel then sends RST, which can destroy the answer. Read the head up to \
            the blank line first.",
    differs: "a response is: status line, field lines, blank line, content. Each \
              line of the head ends in \\r\\n, the last field line too: the blank \
              line is one more \\r\\n.",
};
const EARLY: &str = "the server doesn't wait for the blank line. One read() returns \
                     what has arrived, which may be a part of the head: read until \
                     the blank line is there, and answer only then.";
const TEXT: &str = "the head went through a String on its way. It need not be UTF-8: \
                    keep it as bytes, a Vec<u8>, from read() to write_all().";

/// Why the content isn't the head, by what is different.
fn why_it_differs(answer: &Answer, head: &[u8]) -> &'static str {
    let body = answer.body();
    let missing = head.strip_prefix(body).map(<[u8]>::len);
    match missing {
        _ if body.starts_with(b"\r\n") => {
            "one blank line comes before the content, not two. The last field line \
             ends in \\r\\n, and one more \\r\\n is the blank line."
        }
        Some(..=4) => {
            "the blank line is missing: the content must be the head up to and with \
             the blank line. position() returns where the four bytes \\r\\n\\r\\n \
             begin; the head ends four bytes later."
        }
        Some(_) => {
            "the head was cut off too early. A place that position() returns is \
             counted from where the search began: if you don't search from the first \
             byte on, add that start, as in truncate(start + at + 4)."
        }
        None if body.contains(&0) => {
            "there are zero bytes in the content: was all of the buffer appended? \
             After a read() only its first bytes are new, as many as read() \
             returned: &buffer[..read]."
        }
        None => {
            "the content must be the head as it came: every byte from its first up \
             to and with the blank line."
        }
    }
}

/// Expects the head as the content of the answer.
#[track_caller]
fn expect_head(client: &Client, answer: &Answer, head: &[u8]) {
    client.expect_body(answer, head, why_it_differs(answer, head));
}

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
            "(printf 'GET / HTTP/1.1\\r\\n'; sleep 2; printf 'Host: a\\r\\n\\r\\n'; \
             sleep 1) \\\n  | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    let request = request(&mut Random::default());
    let mut client = server.connect();
    let mut start = 0;
    for cut in [10, 30, request.len() - 4] {
        client.send(&request[start..cut]).until_read();
        if client.is_turned_away() {
            check.fail(
                "The server closed the connection in the middle of the head.",
                "does read() have room in its buffer? The length of a \
                 Vec::with_capacity() is 0, and for that read() returns Ok(0), as it \
                 does at the end of the stream. Or the first read() is taken for the \
                 only one.",
            );
        }
        client.expect_nothing_yet(EARLY);
        start = cut;
    }
}

#[test]
fn check_02_a_response_in_good_form() {
    after(check_01_not_before_the_blank_line);
    let check = check!(
        "a request is answered with a response that HTTP clients can read"
    )
    .read("the-shape-of-a-response")
    .by_hand(
        "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port} | \
         cat -v",
    );
    let server = check.start(&[]);
    let mut client = server.connect();
    client.send(request(&mut Random::default()));
    // A server that says nothing has no trouble with the form of an answer.
    client.read("read-before-you-answer");
    client.expect_a_sign(NOT_HTTP.silent);
    client.read("the-shape-of-a-response");
    let answer = client.answer(NOT_HTTP);
    client.expect_status(&answer, &[200], "the status line is \"HTTP/1.1 200 OK\".");
    // A phrase may be any words, but not these.
    let reason = answer.reason().to_ascii_lowercase();
    if ["content-", "connection:"]
        .iter()
        .any(|name| reason.contains(name))
    {
        check.fail(
            format!(
                "The status line goes on: its reason phrase is \"{}\".",
                answer.reason()
            ),
            "the status line needs a line end of its own, \\r\\n. Without it, the \
             first field is a part of the reason phrase.",
        );
    }
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
    expect_head(&client, &answer, &request);
    client.expect_field(
        &answer,
        "Content-Type",
        "text/plain; charset=utf-8",
        |value| {
            let value = value.to_ascii_lowercase().replace([' ', '\t', '"'], "");
            value == "text/plain;charset=utf-8"
        },
        "the fields that with_field() collected belong between the status line and \
         the blank line. Without a type a browser guesses one, and may offer a \
         download instead of a page.",
    );
}

#[test]
fn check_04_length_in_bytes() {
    after(check_03_the_content_is_the_head);
    let check =
        check!("bytes are counted and sent, whatever characters they are, or none")
            .read("content-length-counts-bytes")
            .by_hand("curl -i -H 'X-Name: żółw 🐢' http://{addr}/");
    let server = check.start(&[]);
    const LENGTH: &str = "Content-Length is smaller than the content: does it count \
                          characters, chars().count(), instead of bytes, len()?";
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
        "printf 'GET / HTTP/1.1\\r\\nX: caf\\351\\r\\n\\r\\n' | nc 127.0.0.1 {port} \
         | od -c",
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
    let check = check!(
        "the blank line is found wherever the reads happen to part it"
    )
    .read("read-before-you-answer")
    .by_hand(
        "(printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r'; sleep 2; printf '\\n'; \
         sleep 1) \\\n  | nc 127.0.0.1 {port}",
    );
    let server = check.start(&[]);
    takes_its_time(&server);
    const PARTED: Likely = Likely {
        silent: "the four bytes \\r\\n\\r\\n came in two reads, and the server still \
                 waits for them. Search what has come so far, not only what the last \
                 read() brought; or begin three bytes before that.",
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
        expect_head(&client, &answer, &request);
    }
    let mut client = server.connect();
    let cuts: Vec<usize> = (end - 12..end).collect();
    client.send_in_pieces(&request, &cuts);
    let answer = client.answer(PARTED);
    expect_head(&client, &answer, &request);
    larger_than_a_buffer(&server);
}

/// A client that waits in the middle of its head, longer than a read timeout that is
/// set out of habit.
#[track_caller]
fn takes_its_time(server: &Program) {
    const PAUSE: Duration = Duration::from_millis(1200);
    const GAVE_UP: &str = "the server gave up on a client that takes its time: does \
                           a read timeout, set_read_timeout(), end the connection? A \
                           head may take as long as it takes; limits come in chapter \
                           10.";
    let request = request(&mut Random::default());
    let mut client = server.connect();
    client.by_hand(
        "(printf 'GET /'; sleep 2; printf ' HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; \
         sleep 1) \\\n  | nc 127.0.0.1 {port}",
    );
    client.send(&request[..12]).until_read();
    server.nothing_happens_for(PAUSE);
    client.send(&request[12..]);
    let answer = client.answer(Likely::always(GAVE_UP));
    client.expect_status(&answer, &[200], GAVE_UP);
    expect_head(&client, &answer, &request);
}

const FULL: &str = "a buffer of a fixed size is full. A read() into its empty rest, \
                    as in &mut buffer[len..], returns Ok(0), which looks like the \
                    end of the stream. Append what each read() brings to a Vec, \
                    which grows.";

/// A head that fits into none of the usual buffers.
#[track_caller]
fn larger_than_a_buffer(server: &Program) {
    const LEN: usize = 17_000;
    let mut client = server.connect();
    client.by_hand(
        "curl -s -H \"X-Long: $(head -c 17000 /dev/zero | tr '\\0' a)\" \
         http://{addr}/ | wc -c",
    );
    let word = Random::default().word(9);
    let head = format!(
        "GET /{word} HTTP/1.1\r\nX-Long: {}\r\n\r\n",
        "a".repeat(LEN)
    );
    client.send(&head);
    let answer = client.answer(Likely {
        silent: FULL,
        closed: FULL,
        reset: FULL,
        ..NOT_HTTP
    });
    // A server may refuse such a head (RFC 9110, section 15.5).
    if !(400..500).contains(&answer.status()) {
        expect_head(&client, &answer, head.as_bytes());
    }
}

#[test]
fn check_06_what_follows_the_head() {
    after(check_03_the_content_is_the_head);
    let check = check!("the head ends at its blank line, and nowhere else")
        .read("read-before-you-answer")
        .by_hand("curl -i --data-binary $'h\\r\\n\\r\\nello' http://{addr}/");
    let server = check.start(&[]);
    let word = Random::default().word(7);
    let head = format!(
        "POST /{word} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    );
    let mut client = server.connect();
    // A blank line in what follows is not the head's.
    client.send(format!("{head}h\r\n\r\nello"));
    let answer = client.answer(Likely {
        silent: "the server looks for the blank line at the end of what it has read. \
                 More may have come with it: here nine bytes of content. Look for it \
                 anywhere.",
        ..NOT_HTTP
    });
    client.expect_body(
        &answer,
        head.as_bytes(),
        "one read() may bring bytes from beyond the blank line. The head ends with \
         the blank line: cut off what follows, with truncate().",
    );

    // Neither \n\r nor \r\n\r is a blank line.
    let head = format!("GET /{word} HTTP/1.1\r\nX: a\n\rb\r\n\rc: d\r\n\r\n");
    let mut client = server.connect();
    client.by_hand(&format!(
        "{} | nc 127.0.0.1 {{port}} | od -c",
        harness::printf(head.as_bytes())
    ));
    client.send(&head);
    let answer = client.answer(NOT_HTTP);
    // A server may refuse a \r without its \n (RFC 9112, section 2.2).
    if !(400..500).contains(&answer.status()) {
        client.expect_body(
            &answer,
            head.as_bytes(),
            "a blank line is the four bytes \\r\\n\\r\\n in this order. \\n\\r alone \
             doesn't end a head.",
        );
    }
}

#[test]
fn check_07_the_connection_is_closed() {
    after(check_03_the_content_is_the_head);
    let check = check!("after the answer the server closes the connection in order")
        .read("one-answer-then-the-end")
        .by_hand(
            "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 {port} \
             | cat -v; echo closed",
        );
    let server = check.start(&[]);
    for _ in 0..5 {
        let mut client = server.connect();
        client.send(request(&mut Random::default()));
        client.answer(NOT_HTTP);
        client.expect_end(Likely {
            silent: "the stream is still open. This chapter's server answers once \
                     and closes: drop the stream.",
            differs: "more bytes follow than Content-Length says. Nothing belongs \
                      after the content, not even a line end.",
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
        check.fail(
            "reqwest got another answer than the raw client.",
            "the content must be the head as it came, from its first byte on.",
        );
    }
}

/// A write can be cut short only when the buffers on the way are full, which takes
/// megabytes; and the content is the head. Only Linux tells whether the program has
/// read it all.
#[test]
#[cfg(target_os = "linux")]
fn check_09_all_of_a_long_answer() {
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
        let len = lines * line.len();
        if client.flood(line.repeat(500).as_bytes(), len) < len {
            // A server may refuse such a head (RFC 9110, section 15.5).
            let answer = client.answer(Likely::always(FULL));
            let refusals: Vec<u16> = (400..500).collect();
            client.expect_status(&answer, &refusals, EARLY);
            return;
        }
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
        closed: "write() may send fewer bytes than it was given, and returns how \
                 many. write_all() goes on until all are sent.",
        ..NOT_HTTP
    });
    if (400..500).contains(&answer.status()) {
        // A server may refuse such a head (RFC 9110, section 15.5): nothing long
        // comes back then.
        return;
    }
    let head = [start, &line.repeat(LINES), "\r\n"].concat();
    expect_head(&client, &answer, head.as_bytes());
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
    const LEFT: &str = "a client that leaves before its head is complete is one \
                        client's affair: no unwrap(), no panic, and no loop in which \
                        read() returns Ok(0) forever.";
    for head in ["GET", "GET / HTTP/1.1\r\nHost: a\r\n", ""] {
        let mut client = server.connect();
        client.send(head).half_close();
        let back = client.read_to_end(Likely::always(LEFT));
        // No one waits for an answer, yet a server may say that it understood
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
                "half a head was taken for a whole one. Where read() returns Ok(0) \
                 and the blank line has not come, there's no request: return \
                 Ok(None), and not what has come.",
            );
        }
    }
    let check = check.by_hand(
        "python3 -c \"from socket import *; s = create_connection(('127.0.0.1', \
         {port}))\ns.send(b'GET / HT'); s.setsockopt(SOL_SOCKET, SO_LINGER, \
         b'\\1\\0\\0\\0' + bytes(4))\"\ncurl -i http://{addr}/",
    );
    let server = check.start(&[]);
    const RESET: &str = "a client that tears its connection down (RST) makes the \
                         next read() or write() return an error. It's one client's \
                         affair: return the error to serve(), which logs it and goes \
                         on with the next client.";
    let request = request(&mut Random::default());
    // With half a head a read() gets the error, with a whole one a write() does.
    for sent in [&request[..10], &request] {
        server.reset_behind(sent);
    }
    let mut client = server.connect();
    client.send(&request);
    let answer = client.answer(Likely::always(RESET));
    expect_head(&client, &answer, &request);
    server.must_still_run_after(RESET);
}

#[test]
fn check_11_starts_as_before() {
    after(check_01_not_before_the_blank_line);
    let check = check!("a program that can't start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
