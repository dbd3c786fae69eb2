//! Milestone of chapter 04: requests are parsed as RFC 9112 says, however their bytes
//! arrive, and refused with the right status code where they are malformed, too long
//! or not supported.
//!
//! The program answers with what it understood: `method`, `target` and `version` on a
//! line each, then each field as `name: value`, the name in lower case and the value
//! trimmed.

use harness::{Answer, Client, Likely, Program, Random, after, printf};

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

const UNDERSTOOD: &str = "the content must show what the request said: method, target and version, \
                          then each field with its name in lower case and its value without the \
                          white space around it, in the order in which they came.";
const NO_ANSWER: Likely = Likely {
    silent: "the server is still reading. Has it seen the blank line? Its four bytes may arrive in \
             any number of pieces.",
    closed: "the server closed without an answer. A request that is refused is told why, with a \
             status code.",
    reset: "the server closed while bytes that the client had sent were still unread. The kernel \
            then sends RST, which can destroy an answer on its way. Shut down the sending half, and \
            read on until the client closes too.",
    differs: r"a response is: status line, field lines, blank line, content, with \r\n after each \
               line of the head.",
};

/// What the program must answer to a GET of this target with these fields.
fn understood(target: &str, fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut text =
        format!("method GET\ntarget {target}\nversion HTTP/1.1\n").into_bytes();
    for (name, value) in fields {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[test]
fn check_01_a_request_is_understood() {
    let check = check!("method, target, version and fields are understood")
        .read("the-request-line")
        .by_hand("curl -s 'http://{addr}/some/path?q=1'");
    let server = check.start(&[]);
    let word = Random::default().word(8);
    let target = format!("/{word}?{word}=%20");
    let mut client = server.connect();
    client.send(get(&target));
    let answer = client.answer(NO_ANSWER);
    client.expect_status(
        &answer,
        &[200],
        "this is a plain GET request in good form.",
    );
    client.expect_body(&answer, &understood(&target, &[("host", b"a")]), UNDERSTOOD);
}

#[test]
fn check_02_field_names_and_values() {
    after(check_01_a_request_is_understood);
    let check = check!("field names may be in any case; values are trimmed, and their bytes kept")
        .read("field-lines")
        .by_hand(
            "printf 'GET / HTTP/1.1\\r\\nhOST:   a \\t\\r\\nX:\\r\\n\\r\\n' | nc 127.0.0.1 {port}",
        );
    let word = Random::default().word(7);
    let word = word.as_bytes();
    const HOST: &[u8] = b"Host: a\r\n";
    let joined = |parts: &[&[u8]]| parts.concat();
    // What is sent as field lines, what must be understood, and why.
    type Field<'a> = (&'a str, Vec<u8>);
    let cases: [(Vec<u8>, Vec<Field>, &str); 7] = [
        (
            b"hOsT: a\r\n".to_vec(),
            vec![("host", b"a".to_vec())],
            "field names are the same in any case: hOsT is Host.",
        ),
        (
            joined(&[HOST, b"X: \t ", word, b"\t \r\n"]),
            vec![("host", b"a".to_vec()), ("x", word.to_vec())],
            "spaces and tabs around a value are no part of it.",
        ),
        (
            joined(&[HOST, b"X:", word, b"\r\nY:\r\n"]),
            vec![
                ("host", b"a".to_vec()),
                ("x", word.to_vec()),
                ("y", b"".to_vec()),
            ],
            "no space needs to stand behind the colon, and a value may be empty.",
        ),
        (
            joined(&[HOST, b"X: a:b::", word, b"\r\n"]),
            vec![("host", b"a".to_vec()), ("x", joined(&[b"a:b::", word]))],
            "the first colon ends the name. All others belong to the value.",
        ),
        (
            joined(&[HOST, b"X: caf\xe9 ", "żółw".as_bytes(), b"\r\n"]),
            vec![
                ("host", b"a".to_vec()),
                ("x", joined(&[b"caf\xe9 ", "żółw".as_bytes()])),
            ],
            "a value may have bytes beyond ASCII that are no UTF-8, such as \\xe9. Keep values as \
             bytes: to take them for text changes them, or panics.",
        ),
        (
            joined(&[HOST, b"Accept: one\r\nAccept: ", word, b"\r\n"]),
            vec![
                ("host", b"a".to_vec()),
                ("accept", b"one".to_vec()),
                ("accept", word.to_vec()),
            ],
            "a name may come more than once. Keep all of its lines, in their order.",
        ),
        (
            joined(&[HOST, b"!#$%&'*+-.^_`|~9: ", word, b"\r\n"]),
            vec![("host", b"a".to_vec()), ("!#$%&'*+-.^_`|~9", word.to_vec())],
            "a name is a token: these signs may all stand in it (RFC 9110, section 5.6.2).",
        ),
    ];
    for (fields, wanted, why) in cases {
        // A server for each: that it serves a second connection is checked later.
        let server = check.start(&[]);
        let mut client = server.connect();
        client.send([b"GET / HTTP/1.1\r\n".as_slice(), &fields, b"\r\n"].concat());
        let answer = client.answer(Likely {
            closed: why,
            reset: why,
            ..NO_ANSWER
        });
        client.expect_status(&answer, &[200], why);
        let wanted: Vec<(&str, &[u8])> =
            wanted.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        client.expect_body(&answer, &understood("/", &wanted), why);
    }
}

#[test]
fn check_03_in_pieces() {
    after(check_01_a_request_is_understood);
    let check = check!("a head may arrive in any pieces")
        .read("where-a-head-ends")
        .by_hand(
            "(printf 'GET / HTTP'; sleep 1; printf '/1.1\\r\\nHost: a\\r\\n\\r\\n'; sleep 1) | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    let target = format!("/{}", Random::default().word(5));
    let request = get(&target);
    let wanted = understood(&target, &[("host", b"a")]);
    const PIECES: &str = "one read() is not one request: keep what has come, and read on until the \
                          blank line is there. It may be cut anywhere, also between its \\r and \
                          its \\n.";
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
            "printf 'GET /1 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET /2 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc -N 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    const LOST: Likely = Likely {
        silent: "the bytes behind the first blank line were thrown away, and the server waits for \
                 more.",
        closed: "the bytes behind the first blank line belong to the next request. Keep them, and \
                 serve that request too before closing.",
        reset: "the second request was thrown away unread: keep the bytes behind the blank line.",
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
            let wanted = understood(target, &[("host", b"a")]);
            client.expect_status(&answer, &[200], LOST.closed);
            client.expect_body(&answer, &wanted, LOST.closed);
            if answer.closes() {
                closes_at.push(index);
            }
        }
        if closes_at.iter().any(|index| index + 1 < targets.len()) {
            check.fail(
                "An answer says \"Connection: close\", and another answer follows it.",
                "only the last answer on a connection says close: a client ignores what follows \
                 it.",
            );
        }
    }
}

#[test]
fn check_05_an_empty_line_before_a_request() {
    after(check_03_in_pieces);
    let check = check!("an empty line before a request is ignored (RFC 9112, section 2.2)")
        .read("what-is-left-over")
        .by_hand("printf '\\r\\nGET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc -N 127.0.0.1 {port}");
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
    client.expect_body(&answer, &understood("/late", &[("host", b"a")]), EMPTY);
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
    let malformed: &[(&str, &str)] = &[
        (
            "\0\u{1}\u{2}\r\n\r\n",
            "the request line is no text at all.",
        ),
        (
            "GET\r\n\r\n",
            "the request line is one word; it needs three.",
        ),
        (
            "GET /\r\nHost: a\r\n\r\n",
            "HTTP/0.9 had no version; since then a request line has three words.",
        ),
        (
            "GET / a HTTP/1.1\r\nHost: a\r\n\r\n",
            "a space inside the target makes four words.",
        ),
        (
            "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "a method is a token, and a parenthesis cannot stand in a token.",
        ),
        (
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            "the version is written in capitals.",
        ),
        (
            "GET / HTTP/1\r\nHost: a\r\n\r\n",
            "a version has two digits with a point between them.",
        ),
        (
            "GET / HTTP/1.x\r\nHost: a\r\n\r\n",
            "a version has two digits with a point between them, and x is no digit.",
        ),
        (
            "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
            "a version has two digits with a point between them; this has three.",
        ),
        (
            "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n",
            "a control character cannot stand in a target.",
        ),
        (
            "GET / HTTP/1.1\r\nHost a\r\n\r\n",
            "a field line needs a colon.",
        ),
        (
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "white space between name and colon must be refused (RFC 9112, section 5.1): one server \
             trims it and another takes \"Host \" for another name, and that difference is a hole.",
        ),
        (
            "GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n",
            "a field name cannot be empty.",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX(: a\r\n\r\n",
            "a field name is a token, and a parenthesis cannot stand in a token.",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "a line that begins with white space once continued the line before. A server refuses \
             it, or puts a space in its place (RFC 9112, section 5.2), which no host can have.",
        ),
        (
            "GET / HTTP/1.1\r\n\r\n",
            "a 1.1 request without a Host field must be refused (RFC 9112, section 3.2).",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
            "a request with two Host fields must be refused (RFC 9112, section 3.2).",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            "a space cannot stand in a host.",
        ),
    ];
    for (request, why) in malformed {
        refused(&server, request.as_bytes(), &[400], why);
    }

    // RFC 9110, section 5.5: a server refuses these, or puts a space in the place of
    // each.
    for control in ['\0', '\r'] {
        let head = format!("GET /x HTTP/1.1\r\nHost: a\r\nX: a{control}b\r\n\r\n");
        const WHY: &str = "NUL, or \\r without \\n, in a value must be refused, or replaced by a \
                           space: programs behind this one may take it for an end.";
        let answer = refused(&server, head.as_bytes(), &[400, 200], WHY);
        let replaced = understood("/x", &[("host", b"a"), ("x", b"a b")]);
        if answer.status() == 200 && answer.body() != replaced {
            check.fail("A control character in a field value was let through.", WHY);
        }
    }

    // RFC 9112, section 3: a server may be lenient about white space in the request
    // line.
    for line in ["GET  /x HTTP/1.1", "GET /x HTTP/1.1 "] {
        const WHY: &str =
            "one space stands between the words, and none at the end: 400.";
        let head = format!("{line}\r\nHost: a\r\n\r\n");
        let answer = refused(&server, head.as_bytes(), &[400, 200], WHY);
        if answer.status() == 200
            && answer.body() != understood("/x", &[("host", b"a")])
        {
            check.fail(
                "A request line with spare white space was misunderstood.",
                WHY,
            );
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
    const LOOP: &str = "read() returns Ok(0) for ever once the client has closed its half: that is \
                        the end, and the connection with it.";
    for part in ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = server.connect();
        client.send(part).half_close();
        let answer = client.read_to_end(Likely::always(LOOP));
        if !answer.is_empty() && answer.get(8..12) != Some(b" 400") {
            check.fail(
                format!(
                    "Half a head was answered with \"{}…\".",
                    harness::show(&answer[..answer.len().min(40)])
                ),
                "half a head is no request: answer 400, or close without an answer.",
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
    let cases: &[(&str, u16, &str)] = &[
        (
            "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
            501,
            "the server does not know this method at all: 501.",
        ),
        (
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            501,
            "methods are compared with their case: get is not GET, but a method nobody knows: 501.",
        ),
        (
            "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
            405,
            "the server knows DELETE, but this resource cannot be deleted: 405.",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
            405,
            "the server knows POST, but nothing here takes it: 405.",
        ),
        (
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            505,
            "a version in good form whose first digit is not 1 is not supported: 505.",
        ),
        (
            "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
            505,
            "a version in good form whose first digit is not 1 is not supported: 505.",
        ),
        (
            "GET / HTTP/1.9\r\nHost: a\r\n\r\n",
            200,
            "a higher minor version is taken for the highest that the server knows, 1.1.",
        ),
        (
            "GET / HTTP/1.0\r\n\r\n",
            200,
            "HTTP/1.0 is supported, and needs no Host field.",
        ),
    ];
    for (request, wanted, why) in cases {
        refused(&server, request.as_bytes(), &[*wanted], why);
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

    // The answer behind it must begin where the head ends: so there was no content.
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
    client.expect_body(&answer, &understood("/second", &[("host", b"a")]), HEAD);
}

#[test]
fn check_09_a_head_that_never_ends() {
    after(check_06_malformed_requests);
    let check = check!(
        "a head that never ends is refused, and the client gets to read why"
    )
    .read("a-head-has-a-limit")
    .by_hand(
        "head -c 1000000 /dev/zero | tr '\\0' a | nc 127.0.0.1 {port} | head -1",
    );
    let server = check.start(&[]);
    const LIMIT: usize = 1 << 20;
    const LINE: &str = "the request line is longer than any that the server wants to read, and the \
                        status for that is 414.";
    const FIELDS: &str = "the request line was fine, but the fields are more than the server wants \
                          to read, and the status for that is 431.";
    let endless: [(&str, u16, &str); 3] = [
        ("GET /", 414, LINE),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: ", 431, FIELDS),
        ("GET / HTTP/1.1\r\nHost: a\r\n", 431, FIELDS),
    ];
    for (start, wanted, why) in endless {
        let mut client = server.connect();
        client.send(start);
        let chunk = if start.ends_with('\n') {
            "X: y\r\n".repeat(1000)
        } else {
            "a".repeat(6000)
        };
        if client.flood(chunk.as_bytes(), LIMIT) >= LIMIT {
            check.fail(
                format!("The program read {LIMIT} bytes of a head and asked for more."),
                "without a limit, one client can fill the server's memory. Count what has come, and \
                 refuse with 414 or 431.",
            );
        }
        let answer = client.answer(NO_ANSWER);
        client.expect_status(&answer, &[wanted], why);
    }
    still_serves(&server);
}

#[test]
fn check_10_a_long_head_within_reason() {
    after(check_03_in_pieces);
    let check = check!(
        "a request line of 8000 bytes is read, as RFC 9112 recommends"
    )
    .read("a-head-has-a-limit")
    .by_hand(
        "curl -s http://{addr}/$(head -c 7900 /dev/zero | tr '\\0' a) | head -c 80",
    );
    let server = check.start(&[]);
    let target = format!("/{}", "a".repeat(8000 - "GET / HTTP/1.1\r\n".len()));
    let mut client = server.connect();
    client.send(get(&target));
    const LOW: &str = "the limit is too low, or the head was taken for complete when one buffer was \
                       full: a head may be longer than what one read() returns.";
    let answer = client.answer(Likely {
        closed: LOW,
        ..NO_ANSWER
    });
    client.expect_status(&answer, &[200], LOW);
    client.expect_body(&answer, &understood(&target, &[("host", b"a")]), LOW);
}

#[test]
fn check_11_the_answer_arrives() {
    after(check_06_malformed_requests);
    let check =
        check!("an answer arrives also where the client has sent more than was read")
            .read("close-so-that-the-answer-arrives")
            .by_hand(
                "head -c 200000 /dev/zero | curl -si --data-binary @- http://{addr}/",
            );
    let server = check.start(&[]);
    // The content is no request, whatever it looks like.
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
            differs: "the content was taken for another request. This chapter does not read \
                      content: after a request that has some, close.",
            silent: "after the answer the server must close its side.",
            ..NO_ANSWER
        };
        if answer.closes() {
            // The client has read the answer to its end. What it still sends is taken
            // for a while.
            client.expect_end(END);
            client.expect_lingering(
                "the server closed the socket at once. Shut down the sending half, and read on until \
                 the client closes too, discarding what comes: a byte for a closed socket is \
                 answered with RST, which can destroy an answer on its way.",
            );
            client.half_close();
        } else {
            client.half_close();
            client.expect_end(END);
        }
    }
    still_serves(&server);
}

#[test]
fn check_12_a_client_that_stays() {
    after(check_11_the_answer_arrives);
    let check = check!("a client that has its answer and stays does not hold up the next one")
        .read("close-so-that-the-answer-arrives")
        .by_hand(
            "(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 60) | nc 127.0.0.1 {port} & curl -s http://{addr}/",
        );
    const STAYS: &str = "the server reads on until the first client closes, and that one does not. \
                         Give it a second, no more.";
    const DRIBBLES: &str = "each byte that the first client sends gives it another second. Compute \
                            one deadline before the loop, and before each read what is left of it.";
    // One client is silent and another goes on sending: each has a server of its own,
    // so that the two are waited for together.
    let cases = [(false, STAYS), (true, DRIBBLES)].map(|(dribbles, why)| {
        let server = check.start(&[]);
        let mut stays = server.connect();
        stays.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = stays.answer(NO_ANSWER);
        stays.expect_status(&answer, &[200], "this is a GET request in good form.");
        if dribbles {
            stays.dribble();
        }
        (server, stays, why)
    });
    for (server, _stays, silent) in &cases {
        let mut client = server.connect();
        client.send(get("/next"));
        let answer = client.answer(Likely {
            silent,
            ..NO_ANSWER
        });
        client.expect_status(&answer, &[200], "this is a GET request in good form.");
    }
}

#[test]
fn check_13_the_last_request() {
    after(check_04_two_at_once);
    let check = check!("after a request that says close, nothing more is answered")
        .read("close-so-that-the-answer-arrives")
        .by_hand(
            "printf 'GET /1 HTTP/1.0\\r\\n\\r\\nGET /2 HTTP/1.0\\r\\n\\r\\n' | nc -N 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    const CLOSE: &str = "a client that says \"Connection: close\", or speaks HTTP/1.0, wants one \
                         answer and then the end. The server must not process what follows (RFC \
                         9112, section 9.6).";
    for first in [
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /1 HTTP/1.1\r\nHost: a\r\ncOnnection: x ,\tClose\r\n\r\n",
        "GET /1 HTTP/1.0\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.send(format!("{first}{}", get("/2")));
        let answer = client.answer(NO_ANSWER);
        client.expect_status(&answer, &[200], "this is a GET request in good form.");
        client.expect_end(Likely {
            differs: CLOSE,
            silent: CLOSE,
            ..NO_ANSWER
        });
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
        check.fail(
            "reqwest got another answer than the raw client.",
            UNDERSTOOD,
        );
    }
}

#[test]
fn check_15_starts_as_before() {
    after(check_01_a_request_is_understood);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}

/// Sends a request on a connection of its own, and expects one of these status codes.
#[track_caller]
fn refused(server: &Program, request: &[u8], wanted: &[u16], why: &str) -> Answer {
    let mut client: Client = server.connect();
    client.by_hand(&format!("{} | nc 127.0.0.1 {{port}}", printf(request)));
    client.send(request);
    let answer = client.answer(NO_ANSWER);
    client.expect_status(&answer, wanted, why);
    answer
}

#[track_caller]
fn still_serves(server: &Program) {
    let mut client = server.connect();
    client.send(get("/still"));
    let answer = client.answer(NO_ANSWER);
    client.expect_status(
        &answer,
        &[200],
        "one bad client must not hurt the next one.",
    );
    server.must_still_run();
}
