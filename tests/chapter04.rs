//! Milestone of chapter 04: requests are parsed as RFC 9112 says, however their bytes arrive, and
//! refused with the right status code where they are malformed, too long or not supported.
//!
//! The program answers with what it understood: `method`, `target` and `version` on a line each,
//! then each field as `name: value`, the name in lower case and the value trimmed.

use harness::{Client, Likely, Program, Random, after, check};

const UNDERSTOOD: &str = "the content must show what the request said: method, target and version, \
                          then each field with its name in lower case and its value without the \
                          white space around it, in the order in which they came.";
const NO_ANSWER: Likely = Likely {
    silent: "the server is still reading. Has it seen the blank line? The four bytes may arrive in \
             any number of pieces.",
    closed: "the server closed without an answer: each request that is refused is told why, with a \
             status code.",
    reset: "the answer was lost: the server closed while bytes that the client had sent were still \
            unread, and the kernel sent RST. Shut down the sending half, and read on until the \
            client closes too.",
    differs: r"a response is: status line, field lines, blank line, content, with \r\n after each \
               line of the head.",
};

/// What the program must answer to a GET of this target with these fields.
fn understood(target: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("method GET\ntarget {target}\nversion HTTP/1.1\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.into_bytes()
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[test]
fn check_01_a_request_is_understood() {
    let check = check!("method, target, version and fields are understood")
        .read("the-request-line")
        .by_hand("curl -s http://{addr}/some/path?q=1");
    let server = check.start(&[]);
    let word = Random::default().word(8);
    let target = format!("/{word}?{word}=%20");
    let mut client = server.connect();
    client.send(get(&target));
    let answer = client.answer(NO_ANSWER);
    client.expect_status(&answer, &[200], "this is a plain GET request in good form.");
    client.expect_body(&answer, &understood(&target, &[("host", "a")]), UNDERSTOOD);
}

#[test]
fn check_02_field_names_and_values() {
    after(check_01_a_request_is_understood);
    let check = check!("names are compared in any case, values trimmed, and bytes kept")
        .read("field-lines")
        .by_hand(
            "printf 'GET / HTTP/1.1\\r\\nhOST:   a \\t\\r\\nX:\\r\\n\\r\\n' | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    let word = Random::default().word(7);
    let mut client = server.connect();
    client.send(format!(
        "GET / HTTP/1.1\r\nhOsT:\t a \t\r\nX-EMPTY:\r\nx-colons:a:b::{word}\r\nX-Inner: a  {word}\r\n\
         Accept: one\r\nAccept: two\r\nX-Name: żółw\r\n!#$%&'*+-.^_`|~9: token\r\n\r\n"
    ));
    let answer = client.answer(NO_ANSWER);
    client.expect_status(
        &answer,
        &[200],
        "every line of this head is valid: names in any case, values that are empty, that contain \
         colons or bytes beyond ASCII, tabs and spaces around them, and odd names that are tokens.",
    );
    let wanted = understood(
        "/",
        &[
            ("host", "a"),
            ("x-empty", ""),
            ("x-colons", &format!("a:b::{word}")),
            ("x-inner", &format!("a  {word}")),
            ("accept", "one"),
            ("accept", "two"),
            ("x-name", "żółw"),
            ("!#$%&'*+-.^_`|~9", "token"),
        ],
    );
    client.expect_body(&answer, &wanted, UNDERSTOOD);
}

#[test]
fn check_03_byte_by_byte() {
    after(check_01_a_request_is_understood);
    let check = check!("a head may arrive in any pieces")
        .read("bytes-arrive-as-they-please")
        .by_hand(
            "(printf 'GET / HTTP'; sleep 1; printf '/1.1\\r\\nHost: a\\r\\n\\r\\n'; sleep 1) | nc 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    let target = format!("/{}", Random::default().word(5));
    let request = get(&target);
    let wanted = understood(&target, &[("host", "a")]);
    const PIECES: &str = "one read() is not one request: keep what has come, and read on until the \
                          blank line is there.";
    let mut client = server.connect();
    let likely = || Likely {
        closed: PIECES,
        reset: PIECES,
        ..NO_ANSWER
    };
    client.send_byte_by_byte(request.as_bytes());
    let answer = client.answer(likely());
    client.expect_body(&answer, &wanted, PIECES);
    drop(client);
    for cut in [4, request.len() - 3, request.len() - 2, request.len() - 1] {
        let mut client = server.connect();
        client.send_in_pieces(request.as_bytes(), &[cut]);
        let answer = client.answer(likely());
        client.expect_body(&answer, &wanted, PIECES);
    }
}

#[test]
fn check_04_two_at_once() {
    after(check_03_byte_by_byte);
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
    // Once in one piece, and once with the second request cut in two: its first part arrives with
    // the first request.
    for pieces in [1, 2] {
        let mut random = Random::default();
        let targets: Vec<String> = (0..3).map(|_| format!("/{}", random.word(6))).collect();
        let requests: String = targets.iter().map(|target| get(target)).collect();
        let mut client = server.connect();
        match pieces {
            1 => client.send(&requests),
            _ => client.send_in_pieces(requests.as_bytes(), &[requests.len() - 5]),
        };
        for (index, target) in targets.iter().enumerate() {
            let answer = client.answer(if index == 0 { NO_ANSWER } else { LOST });
            let wanted = understood(target, &[("host", "a")]);
            client.expect_body(&answer, &wanted, LOST.closed);
            if answer.closes() && index + 1 < targets.len() {
                check.fail(
                    "The answer says \"Connection: close\", but another request was already sent.",
                    "only the last answer on a connection says close: a client ignores what \
                     follows it.",
                );
            }
        }
    }
}

#[test]
fn check_05_malformed_requests() {
    after(check_03_byte_by_byte);
    let check = check!("a malformed request is refused with 400")
        .read("when-to-refuse")
        .by_hand("printf 'GET  / HTTP/1.1\\r\\n\\r\\n' | nc 127.0.0.1 {port}");
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
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "single spaces separate the three words; here the target would be empty.",
        ),
        (
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "a space after the version makes four words.",
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
            "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n",
            "a control character cannot stand in a target.",
        ),
        (
            "GET / HTTP/1.1\r\nHost a\r\n\r\n",
            "a field line needs a colon.",
        ),
        (
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "white space between name and colon must be refused (RFC 9112, section 5.1): proxies have disagreed about it.",
        ),
        (
            "GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n",
            "a field name cannot be empty.",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "a line that begins with white space was once a continuation, obs-fold; a server refuses it (RFC 9112, section 5.2).",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
            "NUL cannot stand in a field value.",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
            r"\r alone cannot stand in a head.",
        ),
        (
            "GET / HTTP/1.1\r\n\r\n",
            "a 1.1 request without a Host field must be refused (RFC 9112, section 3.2).",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
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
}

#[test]
fn check_06_a_head_that_ends_too_early() {
    after(check_05_malformed_requests);
    let check = check!("a client that closes in the middle of a head is told so, or left alone")
        .read("when-to-refuse");
    let server = check.start(&[]);
    const LOOP: &str = "read() returns Ok(0) for ever once the client has closed its half: take it \
                        as the end.";
    for part in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = server.connect();
        client.send(part).half_close();
        if !client.ends_at_once() {
            let answer = client.answer(Likely::always(LOOP));
            client.expect_status(&answer, &[400], "half a head is no request.");
            client.expect_end(Likely::always(LOOP));
        }
    }
    still_serves(&server);
}

#[test]
fn check_07_not_implemented() {
    after(check_03_byte_by_byte);
    let check = check!("methods and versions that are not supported get 405, 501 and 505")
        .read("when-to-refuse")
        .by_hand("curl -si -X BREW http://{addr}/");
    let server = check.start(&[]);
    let cases: &[(&str, &[u16], &str)] = &[
        (
            "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
            &[501],
            "the server does not know this method at all: 501.",
        ),
        (
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            &[501],
            "methods are compared with their case: get is not GET, but a method nobody knows.",
        ),
        (
            "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
            &[405],
            "the server knows DELETE, but this resource cannot be deleted: 405.",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
            &[405],
            "the server knows POST, but nothing here takes it: 405.",
        ),
        (
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            &[505],
            "the major version is not 1.",
        ),
        (
            "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
            &[505],
            "the major version is not 1.",
        ),
    ];
    for (request, wanted, why) in cases {
        refused(&server, request.as_bytes(), wanted, why);
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
    drop(client);

    let mut client = server.connect();
    client.send("GET /new HTTP/1.9\r\nHost: a\r\n\r\n");
    let answer = client.answer(NO_ANSWER);
    client.expect_status(
        &answer,
        &[200],
        "a higher minor version must be taken as the highest one that the server knows: 1.1.",
    );
    drop(client);

    let mut client = server.connect();
    client.send("GET /old HTTP/1.0\r\n\r\n");
    let answer = client.answer(NO_ANSWER);
    client.expect_status(
        &answer,
        &[200],
        "HTTP/1.0 is supported, and needs no Host field.",
    );
}

#[test]
fn check_08_a_head_that_never_ends() {
    after(check_05_malformed_requests);
    let check = check!("a head that never ends is refused, and the client gets to read why")
        .read("a-head-has-a-limit")
        .by_hand("head -c 1000000 /dev/zero | tr '\\0' a | nc 127.0.0.1 {port} | head -1");
    let server = check.start(&[]);
    const LIMIT: usize = 1 << 20;
    let endless: [(&str, &[u16], &str); 3] = [
        (
            "GET /",
            &[414],
            "the request line is longer than any that the server wants to read: 414.",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX: ",
            &[431],
            "the fields are longer than the server wants to read: 431.",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\n",
            &[431],
            "the fields are longer than the server wants to read: 431.",
        ),
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
        client.expect_status(&answer, wanted, why);
    }
    still_serves(&server);
}

#[test]
fn check_09_a_long_head_within_reason() {
    after(check_03_byte_by_byte);
    let check = check!("a request line of 8000 bytes is read, as RFC 9112 recommends")
        .read("a-head-has-a-limit");
    let server = check.start(&[]);
    let target = format!("/{}", "a".repeat(8000 - "GET / HTTP/1.1\r\n".len()));
    let mut client = server.connect();
    client.send(get(&target));
    let answer = client.answer(NO_ANSWER);
    client.expect_status(
        &answer,
        &[200],
        "the limit for the request line is too low.",
    );
    client.expect_body(&answer, &understood(&target, &[("host", "a")]), UNDERSTOOD);
}

#[test]
fn check_10_refused_and_still_read() {
    after(check_08_a_head_that_never_ends);
    let check = check!("an answer arrives also where the client has sent more than was read")
        .read("close-so-that-the-answer-arrives")
        .by_hand("head -c 200000 /dev/zero | curl -si --data-binary @- http://{addr}/");
    let server = check.start(&[]);
    for size in [10, 200_000] {
        let mut client = server.connect();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n"
        ));
        client.send("x".repeat(size)).until_read();
        let answer = client.answer(NO_ANSWER);
        client.expect_status(&answer, &[405], "nothing here takes POST.");
        client.expect_end(Likely {
            differs: "the content was taken for another request. This chapter does not read \
                      content: after a request that has some, close.",
            silent: "after the answer the server must close its side.",
            ..NO_ANSWER
        });
    }
    still_serves(&server);
}

#[test]
fn check_11_empty_lines_before_a_request() {
    after(check_03_byte_by_byte);
    let check = check!("an empty line before a request is ignored (RFC 9112, section 2.2)")
        .read("what-is-left-over");
    let server = check.start(&[]);
    let mut client = server.connect();
    client.send(format!("\r\n{}", get("/late")));
    let answer = client.answer(NO_ANSWER);
    client.expect_status(
        &answer,
        &[200],
        "the empty line was taken for a request, or for its end.",
    );
    client.expect_body(&answer, &understood("/late", &[("host", "a")]), UNDERSTOOD);
}

#[test]
fn check_12_a_real_client() {
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

/// Sends a request on a connection of its own, and expects one of these status codes.
#[track_caller]
fn refused(server: &Program, request: &[u8], wanted: &[u16], why: &str) {
    let mut client: Client = server.connect();
    client.send(request);
    let answer = client.answer(NO_ANSWER);
    client.expect_status(&answer, wanted, why);
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
