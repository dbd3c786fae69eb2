//! HTTP as bytes: this file parses and formats them, and knows no sockets.

use std::fs::File;

/// The longest request line that is read, in bytes (RFC 9112, section 3, asks for at
/// least 8000).
pub const MAX_REQUEST_LINE: usize = 8192;
/// The longest head that is read, in bytes, its request line included.
pub const MAX_HEAD: usize = 32 * 1024;

/// A request's head. It borrows everything from the bytes that it was parsed from.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is to be done.
    pub method: Method,
    /// What it is to be done to, as the client wrote it.
    pub target: &'a str,
    /// The version of HTTP that the client speaks.
    pub version: Version,
    /// All field lines, each with its line end.
    fields: &'a [u8],
}

/// The methods that HTTP defines (RFC 9110, section 9, and RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
}

/// The versions of HTTP that this server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1, and any later 1.x, which must be understood as 1.1
    Http11,
}

/// Why a request is not served: a status code, and the reason in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status code of the answer.
    pub status: u16,
    /// What is wrong with the request.
    pub why: &'static str,
}

impl Refusal {
    /// A refusal with this status code and reason.
    pub fn new(status: u16, why: &'static str) -> Refusal {
        Refusal { status, why }
    }

    /// A refusal of what is no request (400).
    pub fn bad_request(why: &'static str) -> Refusal {
        Refusal::new(400, why)
    }
}

/// Finds the end of a head in bytes that arrive little by little, and searches none
/// of them twice.
#[derive(Debug, Default)]
pub struct HeadScanner {
    /// How many bytes have been looked at.
    seen: usize,
    /// Where the line begins that is being looked at.
    line_start: usize,
}

impl HeadScanner {
    /// Looks at the bytes that are new since the last call. `bytes` holds everything
    /// that has arrived since the head began.
    ///
    /// Returns the length of the head with its blank line, or `None` while that has
    /// not arrived.
    ///
    /// # Errors
    ///
    /// Refuses a head that is too long (414, 431) or has a line that does not end in
    /// CR LF (400).
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        for (at, &byte) in bytes.iter().enumerate().skip(self.seen) {
            self.seen = at + 1;
            if self.line_start == 0 && at >= MAX_REQUEST_LINE {
                return Err(Refusal::new(414, "the request line is too long"));
            }
            if at >= MAX_HEAD {
                return Err(Refusal::new(431, "the head is too long"));
            }
            if byte != b'\n' {
                continue;
            }
            let line = &bytes[self.line_start..at];
            if line == b"\r" {
                return Ok(Some(at + 1));
            }
            if !line.ends_with(b"\r") {
                return Err(Refusal::bad_request("a line must end in CR LF"));
            }
            self.line_start = at + 1;
        }
        Ok(None)
    }
}

impl<'a> Request<'a> {
    /// Parses a complete head: a request line, field lines, and the blank line (RFC
    /// 9112, sections 2.1 to 5).
    ///
    /// # Errors
    ///
    /// Refuses what is malformed (400), a method that HTTP does not define (501), and
    /// a version other than 1.x (505).
    pub fn parse(head: &'a [u8]) -> Result<Request<'a>, Refusal> {
        let (line, fields) = split_line(head)?;
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::bad_request(
                "a request line is a method, a target and a version",
            ));
        };
        let request = Request {
            method: parse_method(method)?,
            target: parse_target(target)?,
            version: parse_version(version)?,
            fields: check_fields(fields)?,
        };
        request.check_host()?;
        Ok(request)
    }

    /// All fields in order: names as the client wrote them, values without the white
    /// space around.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            let (line, after) = split_line(rest).ok()?;
            rest = after;
            split_field(line).ok()
        })
    }

    /// The values of all fields of this name, in any case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Whether no other request may follow on the connection: the client speaks
    /// HTTP/1.0, it says so (RFC 9112, section 9.3), or content follows the head,
    /// which nobody here reads.
    pub fn is_last(&self) -> bool {
        let close = |value: &[u8]| {
            let mut options = value.split(|byte| *byte == b',');
            options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
        };
        self.version == Version::Http10
            || self.values("Connection").any(close)
            || self.values("Transfer-Encoding").next().is_some()
            || self.values("Content-Length").any(|value| value != b"0")
    }

    /// A 1.1 request must name its host once (RFC 9112, section 3.2).
    fn check_host(&self) -> Result<(), Refusal> {
        let mut hosts = self.values("Host");
        match (hosts.next(), hosts.next(), self.version) {
            (None, _, Version::Http11) => {
                Err(Refusal::bad_request("the Host field is missing"))
            }
            (_, Some(_), _) => {
                Err(Refusal::bad_request("there is more than one Host field"))
            }
            (Some(host), ..) if !host.iter().all(|byte| is_host(*byte)) => {
                Err(Refusal::bad_request("the Host field is not a host"))
            }
            _ => Ok(()),
        }
    }
}

/// Splits bytes after their first CR LF, which neither part contains.
fn split_line(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if bytes[..at].ends_with(b"\r") => {
            Ok((&bytes[..at - 1], &bytes[at + 1..]))
        }
        _ => Err(Refusal::bad_request("a line must end in CR LF")),
    }
}

fn parse_method(word: &[u8]) -> Result<Method, Refusal> {
    match word {
        b"GET" => Ok(Method::Get),
        b"HEAD" => Ok(Method::Head),
        b"POST" => Ok(Method::Post),
        b"PUT" => Ok(Method::Put),
        b"DELETE" => Ok(Method::Delete),
        b"CONNECT" => Ok(Method::Connect),
        b"OPTIONS" => Ok(Method::Options),
        b"TRACE" => Ok(Method::Trace),
        b"PATCH" => Ok(Method::Patch),
        _ if is_token(word) => {
            Err(Refusal::new(501, "this method is not implemented"))
        }
        _ => Err(Refusal::bad_request("the method is not a token")),
    }
}

/// A target is visible ASCII: everything else has to be percent-encoded.
fn parse_target(word: &[u8]) -> Result<&str, Refusal> {
    match str::from_utf8(word) {
        Ok(target) if !word.is_empty() && word.iter().all(u8::is_ascii_graphic) => {
            Ok(target)
        }
        _ => Err(Refusal::bad_request(
            "the target is empty or not visible ASCII",
        )),
    }
}

/// HTTP-version = "HTTP/" DIGIT "." DIGIT
fn parse_version(word: &[u8]) -> Result<Version, Refusal> {
    match word {
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => {
            Ok(Version::Http11)
        }
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(
            Refusal::new(505, "this server speaks HTTP/1.0 and HTTP/1.1"),
        ),
        _ => Err(Refusal::bad_request(
            "the version is not HTTP/ and two digits",
        )),
    }
}

/// Checks the field lines up to the blank line, and returns them.
fn check_fields(fields: &[u8]) -> Result<&[u8], Refusal> {
    let mut rest = fields;
    loop {
        let (line, after) = split_line(rest)?;
        if line.is_empty() {
            return Ok(&fields[..fields.len() - rest.len()]);
        }
        split_field(line)?;
        rest = after;
    }
}

/// field-line = field-name ":" OWS field-value OWS
fn split_field(line: &[u8]) -> Result<(&str, &[u8]), Refusal> {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Err(Refusal::bad_request("a field line needs a colon"));
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    // White space before the colon, or at the start of the line, makes the name no
    // token.
    let (true, Ok(name)) = (is_token(name), str::from_utf8(name)) else {
        return Err(Refusal::bad_request("a field name is not a token"));
    };
    if value
        .iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
    {
        return Err(Refusal::bad_request(
            "a field value has a control character",
        ));
    }
    Ok((name, value.trim_ascii()))
}

/// token = 1*tchar (RFC 9110, section 5.6.2)
fn is_token(word: &[u8]) -> bool {
    let tchar =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !word.is_empty() && word.iter().all(tchar)
}

/// What a host and a port may consist of (RFC 3986, section 3.2).
fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

/// The content of a response.
pub enum Body {
    /// Content in memory.
    Bytes(Vec<u8>),
    /// This many bytes of a file, from its start.
    File(File, u64),
    /// No content, but the length that it would have: the answer to HEAD.
    Omitted(u64),
}

impl Body {
    /// The length in bytes that the Content-Length field gives.
    fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, len) | Body::Omitted(len) => *len,
        }
    }
}

/// A response: a status code, fields and content.
pub struct Response {
    status: u16,
    /// Field lines, each with its line end.
    fields: Vec<u8>,
    body: Body,
}

impl Response {
    /// An empty response with this status code, from 100 to 599.
    pub fn new(status: u16) -> Response {
        Response {
            status,
            fields: Vec::new(),
            body: Body::Bytes(Vec::new()),
        }
    }

    /// Adds a field line.
    ///
    /// A line end in the value would begin a line of its own, so a space takes its
    /// place (RFC 9110, section 5.5).
    pub fn with_field(mut self, name: &str, value: &str) -> Response {
        self.fields.extend_from_slice(name.as_bytes());
        self.fields.extend_from_slice(b": ");
        let value = value.bytes().map(|byte| match byte {
            b'\r' | b'\n' | b'\0' => b' ',
            byte => byte,
        });
        self.fields.extend(value);
        self.fields.extend_from_slice(b"\r\n");
        self
    }

    /// Sets content that is in memory.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Response {
        self.body = Body::Bytes(body.into());
        self
    }

    /// Sets the first `len` bytes of a file as the content.
    pub fn with_file(mut self, file: File, len: u64) -> Response {
        self.body = Body::File(file, len);
        self
    }

    /// Drops the content but keeps its length: the answer to HEAD (RFC 9110, section
    /// 9.3.2).
    pub fn without_content(mut self) -> Response {
        self.body = Body::Omitted(self.body.len());
        self
    }

    /// The content.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Appends the response as it goes over the wire (RFC 9112, sections 2.1 and 4),
    /// without the content of a file: whoever sends the response passes that on.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let status_line =
            format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        out.extend_from_slice(status_line.as_bytes());
        out.extend_from_slice(&self.fields);
        let length = format!("Content-Length: {}\r\n", self.body.len());
        out.extend_from_slice(length.as_bytes());
        out.extend_from_slice(b"\r\n");
        if let Body::Bytes(bytes) = &self.body {
            out.extend_from_slice(bytes);
        }
    }
}

impl From<Refusal> for Response {
    /// A small page that says what is wrong. It repeats nothing that the client sent.
    fn from(refusal: Refusal) -> Response {
        let Refusal { status, why } = refusal;
        let title = format!("{status} {}", reason(status));
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<title>{title}</title>\n\
             <h1>{title}</h1>\n<p>{why}</p>\n</html>\n"
        );
        Response::new(status)
            .with_field("Content-Type", "text/html; charset=utf-8")
            .with_body(page)
    }
}

/// The reason phrase of a status code (RFC 9110, section 15); empty where we know
/// none.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
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
                "in pieces (left) and in one (right): case {case}, {} bytes that begin with \"{}\", \
                 in pieces that end at {ends:?}",
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
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", Accepted),
            ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Accepted),
            ("GET / HTTP/1.0\r\n\r\n", Accepted),
        ];
        for (head, wanted) in cases {
            assert_eq!(verdict(Request::parse(head.as_bytes())), wanted, "{head:?}");
        }
    }

    #[test]
    fn the_last_request_is_known() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", true),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
                true,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n",
                false,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                false,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
                true,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                true,
            ),
        ];
        for (head, wanted) in cases {
            let request = Request::parse(head.as_bytes()).expect(head);
            assert_eq!(request.is_last(), wanted, "{head:?}");
        }
    }

    fn formatted(response: &Response) -> String {
        let mut out = Vec::new();
        response.append_to(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn an_empty_response_is_a_status_line_a_length_and_a_blank_line() {
        let text = formatted(&Response::new(200));
        assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn the_space_before_an_empty_reason_phrase_stays() {
        let text = formatted(&Response::new(299));
        assert_eq!(text, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn a_refusal_says_what_it_is_and_why() {
        for status in [400, 405, 414, 431, 501, 505] {
            let text = formatted(&Refusal::new(status, "no reason").into());
            let (status_line, _) = text.split_once("\r\n").expect(&text);
            assert!(status_line.len() > "HTTP/1.1 400 ".len(), "{text:?}");
            assert!(text.contains("no reason"), "{text:?}");
        }
    }

    #[test]
    fn the_length_counts_bytes() {
        let text = formatted(&Response::new(200).with_body("né"));
        assert!(text.contains("Content-Length: 3\r\n"), "{text:?}");
        assert!(text.ends_with("\r\n\r\nné"), "{text:?}");
    }

    #[test]
    fn the_answer_to_head_has_the_length_and_no_content() {
        let text = formatted(&Response::new(200).with_body("hi").without_content());
        assert!(text.ends_with("Content-Length: 2\r\n\r\n"), "{text:?}");
    }

    #[test]
    fn a_value_cannot_begin_another_field() {
        let text = formatted(&Response::new(200).with_field("A", "b\r\nC: d"));
        assert!(text.contains("\r\nA: b  C: d\r\n"), "{text:?}");
    }
}
