//! HTTP as bytes: this file parses and formats them, and knows no sockets.

use std::fs::File;

/// The longest request line that is read, in bytes (RFC 9112, section 3, asks for at least 8000).
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

    fn bad_request(why: &'static str) -> Refusal {
        Refusal::new(400, why)
    }
}

/// Finds the end of a head in bytes that arrive little by little, and looks at each byte once.
#[derive(Debug, Default)]
pub struct HeadScanner {
    /// How many bytes have been looked at.
    seen: usize,
    /// Where the line begins that is being looked at.
    line_start: usize,
}

impl HeadScanner {
    /// Looks at the bytes that are new since the last call. `bytes` holds everything that has
    /// arrived since the head began.
    ///
    /// Returns the length of the head with its blank line, or `None` while that has not arrived.
    ///
    /// # Errors
    ///
    /// Refuses a head that is too long (414, 431) or has a line that does not end in CR LF (400).
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
    /// Parses a complete head: a request line, field lines, and the blank line (RFC 9112, sections
    /// 2.1 to 5).
    ///
    /// # Errors
    ///
    /// Refuses what is malformed (400), a method that HTTP does not define (501), and a version
    /// other than 1.x (505).
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

    /// All fields in order: names as the client wrote them, values without the white space around.
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

    /// Whether no other request may follow on the connection: the client speaks HTTP/1.0, it says
    /// so (RFC 9112, section 9.3), or content follows the head, which nobody here reads.
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
            (None, _, Version::Http11) => Err(Refusal::bad_request("the Host field is missing")),
            (_, Some(_), _) => Err(Refusal::bad_request("there is more than one Host field")),
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
        Some(at) if bytes[..at].ends_with(b"\r") => Ok((&bytes[..at - 1], &bytes[at + 1..])),
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
        _ if is_token(word) => Err(Refusal::new(501, "this method is not implemented")),
        _ => Err(Refusal::bad_request("the method is not a token")),
    }
}

/// A target is visible ASCII: everything else has to be percent-encoded.
fn parse_target(word: &[u8]) -> Result<&str, Refusal> {
    match str::from_utf8(word) {
        Ok(target) if !word.is_empty() && word.iter().all(u8::is_ascii_graphic) => Ok(target),
        _ => Err(Refusal::bad_request(
            "the target is empty or not visible ASCII",
        )),
    }
}

/// HTTP-version = "HTTP/" DIGIT "." DIGIT
fn parse_version(word: &[u8]) -> Result<Version, Refusal> {
    match word {
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(Refusal::new(
            505,
            "this server speaks HTTP/1.0 and HTTP/1.1",
        )),
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
    // White space before the colon, or at the start of the line, makes the name no token.
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
    let tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
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
    /// A line end in the value would begin a line of its own, so a space takes its place (RFC 9110,
    /// section 5.5).
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

    /// Drops the content but keeps its length: the answer to HEAD (RFC 9110, section 9.3.2).
    pub fn without_content(mut self) -> Response {
        self.body = Body::Omitted(self.body.len());
        self
    }

    /// The content.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Appends the response as it goes over the wire (RFC 9112, sections 2.1 and 4), without the
    /// content of a file: whoever sends the response passes that on.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let status_line = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
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

/// The reason phrase of a status code (RFC 9110, section 15); empty where we know none.
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
    fn the_length_counts_bytes() {
        let text = formatted(&Response::new(200).with_body("né"));
        assert!(text.contains("Content-Length: 3\r\n"), "{text:?}");
        assert!(text.ends_with("\r\n\r\nné"), "{text:?}");
    }

    #[test]
    fn a_value_cannot_begin_another_field() {
        let text = formatted(&Response::new(200).with_field("A", "b\r\nC: d"));
        assert!(text.contains("\r\nA: b  C: d\r\n"), "{text:?}");
    }
}
