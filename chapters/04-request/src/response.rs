//! A response as bytes.

use crate::refusal::Refusal;
use crate::request::Persistence;

/// A response that has all its content in memory.
#[derive(Debug)]
pub struct Response {
    status: u16,
    /// Field lines, each with its line end.
    fields: Vec<u8>,
    body: Vec<u8>,
}

impl Response {
    /// An empty response with this status code, from 100 to 599.
    pub fn new(status: u16) -> Response {
        Response {
            status,
            fields: Vec::new(),
            body: Vec::new(),
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

    /// Sets the content.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Response {
        self.body = body.into();
        self
    }

    /// The content.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Appends the head as it goes over the wire (RFC 9112, sections 2.1 and 4): all
    /// that comes before the content.
    pub fn append_head(&self, persistence: Persistence, out: &mut Vec<u8>) {
        let status_line =
            format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        out.extend_from_slice(status_line.as_bytes());
        out.extend_from_slice(&self.fields);
        let length = format!("Content-Length: {}\r\n", self.body.len());
        out.extend_from_slice(length.as_bytes());
        if persistence == Persistence::Close {
            out.extend_from_slice(b"Connection: close\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Response {
        let Refusal { status, why } = refusal;
        Response::new(status)
            .with_field("Content-Type", "text/plain; charset=utf-8")
            .with_body(format!("{status} {}: {why}\n", reason(status)))
    }
}

/// The reason phrase of a status code (RFC 9110, section 15); empty where we know
/// none.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        405 => "Method Not Allowed",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
