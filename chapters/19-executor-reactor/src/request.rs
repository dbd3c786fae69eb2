//! A request as bytes: where its head ends, and what is in it.

use crate::host::is_host;
use crate::refusal::Refusal;

/// The longest request line that is read, in bytes (RFC 9112, section 3, asks for at
/// least 8000).
pub const MAX_REQUEST_LINE: usize = 8192;
/// The longest head that is read, in bytes, its request line included.
pub const MAX_HEAD: usize = 32 * 1024;

/// A request's head. It borrows everything from the bytes that it was parsed from.
#[derive(Debug)]
pub struct Request<'a> {
    method: Method,
    /// What the method is to be done to, as the client wrote it.
    target: &'a str,
    version: Version,
    /// All fields in order: names as the client wrote them, values without the white
    /// space around them.
    fields: Vec<(&'a str, &'a [u8])>,
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

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// It closes.
    Close,
    /// It stays open for another request, and the client has to be told: it speaks
    /// HTTP/1.0.
    KeepAlive,
    /// It stays open for another request, as it does by default in HTTP/1.1.
    Persist,
}

/// The versions of HTTP that this server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1, and any later 1.x, which must be understood as 1.1
    Http11,
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
            fields: parse_fields(fields)?,
        };
        request.check_host()?;
        Ok(request)
    }

    /// What is to be done.
    pub fn method(&self) -> Method {
        self.method
    }

    /// What it is to be done to, as the client wrote it.
    pub fn target(&self) -> &'a str {
        self.target
    }

    /// The version of HTTP that the client speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All fields in order: names as the client wrote them, values without the white
    /// space around them.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.fields.iter().copied()
    }

    /// The values of all fields of this name, in any case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// What the client wants to become of the connection after this request (RFC
    /// 9112, section 9.3).
    pub fn persistence(&self) -> Persistence {
        if self.has_option("Connection", b"close") {
            return Persistence::Close;
        }
        match self.version() {
            Version::Http11 => Persistence::Persist,
            Version::Http10 if self.has_option("Connection", b"keep-alive") => {
                Persistence::KeepAlive
            }
            Version::Http10 => Persistence::Close,
        }
    }

    /// Whether the client sends content only when it's told to (RFC 9110, section
    /// 10.1.1).
    pub fn expects_continue(&self) -> bool {
        self.version() == Version::Http11
            && self.has_option("Expect", b"100-continue")
    }

    /// Whether a field that is a list has this element, in any case.
    fn has_option(&self, name: &str, option: &[u8]) -> bool {
        self.values(name).any(|value| {
            let mut options = value.split(|byte| *byte == b',');
            options.any(|found| found.trim_ascii().eq_ignore_ascii_case(option))
        })
    }

    /// A 1.1 request must name its host once (RFC 9112, section 3.2).
    fn check_host(&self) -> Result<(), Refusal> {
        let mut hosts = self.values("Host");
        match (hosts.next(), hosts.next(), self.version()) {
            (None, _, Version::Http11) => {
                Err(Refusal::bad_request("the Host field is missing"))
            }
            (_, Some(_), _) => {
                Err(Refusal::bad_request("there is more than one Host field"))
            }
            (Some(host), ..) if !is_host(host) => {
                Err(Refusal::bad_request("the Host field is not a host"))
            }
            _ => Ok(()),
        }
    }
}

/// Splits bytes after their first CR LF, which neither part contains.
///
/// # Errors
///
/// Refuses a line that doesn't end in CR LF (400).
pub fn split_line(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
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

/// Parses the field lines up to the blank line.
fn parse_fields(bytes: &[u8]) -> Result<Vec<(&str, &[u8])>, Refusal> {
    let mut fields = Vec::new();
    let mut rest = bytes;
    loop {
        let (line, after) = split_line(rest)?;
        if line.is_empty() {
            return Ok(fields);
        }
        fields.push(split_field(line)?);
        rest = after;
    }
}

/// field-line = field-name ":" OWS field-value OWS
///
/// # Errors
///
/// Refuses a line that isn't a field line (400).
pub fn split_field(line: &[u8]) -> Result<(&str, &[u8]), Refusal> {
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

#[cfg(test)]
mod tests;
