use super::*;

/// What the scanner says of bytes that arrive in pieces, which end at these
/// places.
fn scan(
    bytes: &[u8],
    ends: impl IntoIterator<Item = usize>,
) -> Result<Option<usize>, Refusal> {
    let mut scanner = HeadScanner::default();
    for end in ends {
        match scanner.scan(&bytes[..end])? {
            None => {}
            found => return Ok(found),
        }
    }
    Ok(None)
}

/// How a test's input was taken.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused(u16),
}
use Verdict::{Accepted, Refused};

fn verdict<T>(outcome: Result<T, Refusal>) -> Verdict {
    outcome.map_or_else(|refusal| Refused(refusal.status), |_| Accepted)
}

#[test]
fn scan_finds_the_blank_line() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next";
    assert_eq!(scan(bytes, [bytes.len()]), Ok(Some(27)), "in one piece");
    assert_eq!(scan(bytes, 1..bytes.len()), Ok(Some(27)), "byte by byte");
    assert_eq!(scan(b"\r\n", [2]), Ok(Some(2)), "a blank line alone");
}

#[test]
fn scan_waits_for_the_blank_line() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(scan(head, [0]), Ok(None), "no bytes at all");
    for end in 1..head.len() {
        assert_eq!(scan(head, [end]), Ok(None), "the first {end} bytes");
    }
}

#[test]
fn scan_does_not_search_old_bytes_again() {
    let first = b"GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789";
    let mut scanner = HeadScanner::default();
    assert_eq!(scanner.scan(first), Ok(None));
    // To see whether they are searched again, line ends are put in their place.
    let mut bytes = vec![b'\n'; first.len() - 4];
    bytes.extend_from_slice(b"6789\r\n\r\n");
    let outcome = scanner.scan(&bytes);
    let len = bytes.len();
    assert_eq!(outcome, Ok(Some(len)), "begin where the last call ended");
}

#[test]
fn scan_refuses_a_line_that_ends_in_lf_alone() {
    for head in ["GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n", "\n"] {
        let outcome = scan(head.as_bytes(), [head.len()]);
        assert_eq!(verdict(outcome), Refused(400), "{head:?}");
    }
}

#[test]
fn scan_refuses_a_request_line_that_is_too_long() {
    let mut line = vec![b'a'; MAX_REQUEST_LINE - 2];
    line.extend_from_slice(b"\r\n\r\n");
    let outcome = scan(&line, [line.len()]);
    let len = MAX_REQUEST_LINE + 2;
    assert_eq!(outcome, Ok(Some(len)), "the longest line");
    let longer = [b"a".as_slice(), &line].concat();
    let outcome = scan(&longer, [longer.len()]);
    assert_eq!(verdict(outcome), Refused(414), "a line of one byte more");
    let endless = vec![b'a'; MAX_REQUEST_LINE + 1];
    let outcome = scan(&endless, [endless.len()]);
    assert_eq!(verdict(outcome), Refused(414), "a line without its end");
}

#[test]
fn scan_refuses_a_head_that_is_too_long() {
    let mut head = b"GET / HTTP/1.1\r\nX: ".to_vec();
    head.resize(MAX_HEAD - 4, b'a');
    head.extend_from_slice(b"\r\n\r\n");
    let outcome = scan(&head, [head.len()]);
    assert_eq!(outcome, Ok(Some(MAX_HEAD)), "the longest head");
    head.insert(20, b'a');
    let outcome = scan(&head, [head.len()]);
    assert_eq!(verdict(outcome), Refused(431), "a head of one byte more");
    let many = "X: y\r\n".repeat(MAX_HEAD / 6 + 1);
    let outcome = scan(many.as_bytes(), [many.len()]);
    assert_eq!(verdict(outcome), Refused(431), "lines without end");
}

#[test]
fn scan_comes_to_one_verdict_however_the_bytes_are_split() {
    const SOME: &[u8] = b"\r\n\r\n\r\nab: \t\0\xff";
    // A small pseudo-random generator, xorshift64: the same numbers in every run.
    let mut state = 0x5DEE_CE66_D1CE_4E5B_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % limit
    };
    for case in 0..2_000 {
        // Now and then a head that is long enough to be refused, of lines that
        // are in order.
        let (bytes, longest_piece) = if case % 100 == 99 {
            let line = vec![b'a'; 1 + below(2 * MAX_REQUEST_LINE)];
            let line = [line.as_slice(), b"\r\n"].concat();
            (line.repeat(1 + 2 * MAX_HEAD / line.len()), 4096)
        } else {
            let any = |_| SOME[below(SOME.len())];
            ((0..64).map(any).collect::<Vec<u8>>(), 1 + case % 20)
        };
        let mut ends = Vec::new();
        let mut end = 0;
        while end < bytes.len() {
            end = bytes.len().min(end + 1 + below(longest_piece));
            ends.push(end);
        }
        assert_eq!(
            scan(&bytes, ends.iter().copied()),
            scan(&bytes, [bytes.len()]),
            "in pieces (left) and in one (right): case {case}, {} bytes that begin \
             with \"{}\", in pieces that end at {ends:?}",
            bytes.len(),
            bytes[..bytes.len().min(64)].escape_ascii()
        );
    }
}

#[test]
fn parse_wants_three_words() {
    for line in [
        "",
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / a HTTP/1.1",
    ] {
        let head = format!("{line}\r\nHost: a\r\n\r\n");
        let outcome =
            std::panic::catch_unwind(|| verdict(Request::parse(head.as_bytes())));
        let outcome = outcome.unwrap_or_else(|_| {
            panic!("{line:?} has not three words, but its parts were parsed")
        });
        assert_eq!(outcome, Refused(400), "{line:?}");
    }
}

#[test]
fn methods_are_known_by_their_names() {
    let methods = [
        ("GET", Method::Get),
        ("HEAD", Method::Head),
        ("POST", Method::Post),
        ("PUT", Method::Put),
        ("DELETE", Method::Delete),
        ("CONNECT", Method::Connect),
        ("OPTIONS", Method::Options),
        ("TRACE", Method::Trace),
        ("PATCH", Method::Patch),
    ];
    for (word, method) in methods {
        assert_eq!(parse_method(word.as_bytes()), Ok(method));
    }
}

#[test]
fn target_is_visible_ascii() {
    for target in ["/", "/a/b?c=%20&d", "*", "http://a/b", "a:443"] {
        assert_eq!(parse_target(target.as_bytes()), Ok(target));
    }
    for target in ["", "/\0", "/\t", "/\x7f", "/ż"] {
        let outcome = parse_target(target.as_bytes());
        assert_eq!(verdict(outcome), Refused(400), "{target:?}");
    }
    assert_eq!(verdict(parse_target(b"/\xff")), Refused(400), "no UTF-8");
}

#[test]
fn version_is_1_0_or_1_1_or_refused() {
    assert_eq!(parse_version(b"HTTP/1.0"), Ok(Version::Http10));
    for version in ["HTTP/1.1", "HTTP/1.2", "HTTP/1.9"] {
        let outcome = parse_version(version.as_bytes());
        assert_eq!(outcome, Ok(Version::Http11), "{version:?}");
    }
    for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/9.1"] {
        let outcome = parse_version(version.as_bytes());
        assert_eq!(verdict(outcome), Refused(505), "{version:?}");
    }
    for version in [
        "",
        "HTTP",
        "HTTP/",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/1.x",
        "HTTP/1.10",
        "HTTP/11.1",
        "HTTP/x.1",
        "http/1.1",
        "HTTPS/1.1",
    ] {
        let outcome = parse_version(version.as_bytes());
        assert_eq!(verdict(outcome), Refused(400), "{version:?}");
    }
}

#[test]
fn split_field_finds_name_and_value() {
    let cases: [(&[u8], &str, &[u8]); 6] = [
        (b"Host: a", "Host", b"a"),
        (b"hOsT:a", "hOsT", b"a"),
        (b"X: \t a  b\t ", "X", b"a  b"),
        (b"X:a:b::c", "X", b"a:b::c"),
        (b"X:", "X", b""),
        (b"!#$%&'*+-.^_`|~9: caf\xe9", "!#$%&'*+-.^_`|~9", b"caf\xe9"),
    ];
    for (line, name, value) in cases {
        let line_shown = String::from_utf8_lossy(line);
        let (got_name, got_value) = split_field(line).expect(&line_shown);
        assert_eq!(got_name, name, "the name in {line_shown:?}");
        let [got_value, value] = [got_value, value].map(String::from_utf8_lossy);
        assert_eq!(got_value, value, "the value in {line_shown:?}");
    }
}

#[test]
fn split_field_refuses_what_is_no_field() {
    for line in [
        "Host a",
        "Host : a",
        " Host: a",
        "\tHost: a",
        ": a",
        "Hóst: a",
        "H(st: a",
        "X: a\0b",
        "X: a\rb",
        "X: a\r",
        "X: \x7f",
    ] {
        let outcome = split_field(line.as_bytes());
        assert_eq!(verdict(outcome), Refused(400), "{line:?}");
    }
}

#[test]
fn parse_understands_a_whole_head() {
    let head = b"HEAD /a?b HTTP/1.1\r\nhost: a\r\nX: 1\r\nx:  2\r\n\r\n";
    let request = Request::parse(head).expect("it is in good form");
    assert_eq!(request.method, Method::Head);
    assert_eq!(request.target, "/a?b");
    assert_eq!(request.version, Version::Http11);
    let names: Vec<&str> = request.fields().map(|(name, _)| name).collect();
    assert_eq!(names, ["host", "X", "x"]);
    let values: Vec<&[u8]> = request.values("x").collect();
    assert_eq!(values, [b"1", b"2"]);
}

#[test]
fn parse_refuses_with_the_right_status() {
    let cases = [
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(501)),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(501)),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", Refused(505)),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", Accepted),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Accepted),
        ("GET / HTTP/1.0\r\n\r\n", Accepted),
    ];
    for (head, wanted) in cases {
        assert_eq!(verdict(Request::parse(head.as_bytes())), wanted, "{head:?}");
    }
}

/// Checks a request that has these lines, from its version on.
fn request(lines: &str, check: impl Fn(&Request)) {
    let head = format!("GET / HTTP/{lines}\r\n\r\n");
    check(&Request::parse(head.as_bytes()).expect(&head));
}

#[test]
fn persistence_depends_on_version_and_connection() {
    use Persistence::{Close, KeepAlive, Persist};
    for (lines, wanted) in [
        ("1.1\r\nHost: a", Persist),
        ("1.1\r\nHost: a\r\nConnection: close", Close),
        ("1.1\r\nHost: a\r\nConnection: keep-alive", Persist),
        ("1.1\r\nHost: a\r\nConnection: x, Close", Close),
        (
            "1.1\r\nHost: a\r\nConnection: x\r\nConnection: close",
            Close,
        ),
        ("1.1\r\nHost: a\r\nConnection: keep-alive, close", Close),
        ("1.1\r\nHost: a\r\nConnection: closed", Persist),
        ("1.1\r\nHost: a\r\nClose: x", Persist),
        ("1.0", Close),
        ("1.0\r\nConnection: keep-alive", KeepAlive),
        ("1.0\r\nConnection: x,\tKeep-Alive", KeepAlive),
        ("1.0\r\nConnection: close, keep-alive", Close),
        ("1.0\r\nKeep-Alive: x", Close),
        ("1.7\r\nHost: a", Persist),
    ] {
        request(lines, |request| {
            assert_eq!(request.persistence(), wanted, "{lines:?}");
        });
    }
}

#[test]
fn content_keeps_the_connection_open() {
    for field in ["Content-Length: 1", "Transfer-Encoding: chunked"] {
        request(&format!("1.1\r\nHost: a\r\n{field}"), |request| {
            assert_eq!(request.persistence(), Persistence::Persist, "{field}");
        });
    }
}
