//! A response as bytes.

use std::fs::File;

use crate::refusal::Refusal;
use crate::request::Persistence;

/// The content of a response.
#[derive(Debug)]
pub enum Body {
    /// Content in memory.
    Bytes(Vec<u8>),
    /// This many bytes of a file, from its start.
    File(File, u64),
}

impl Body {
    /// The length in bytes that the Content-Length field gives.
    fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, len) => *len,
        }
    }
}

/// A response: a status code, fields and content.
#[derive(Debug)]
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
            // Room for the usual ones.
            fields: Vec::with_capacity(128),
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

    /// The content.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Appends the head as it goes over the wire (RFC 9112, sections 2.1 and 4): all
    /// that comes before the content.
    ///
    /// `date` is the moment of the answer, as HTTP writes it.
    pub fn append_head(
        &self,
        persistence: Persistence,
        date: &str,
        out: &mut Vec<u8>,
    ) {
        // Room for the usual ones, and for content that's as short.
        out.reserve(256);
        out.extend_from_slice(b"HTTP/1.1 ");
        append_number(self.status.into(), out);
        out.push(b' ');
        out.extend_from_slice(reason(self.status).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.fields);
        out.extend_from_slice(b"Content-Length: ");
        append_number(self.body.len(), out);
        out.extend_from_slice(b"\r\nDate: ");
        out.extend_from_slice(date.as_bytes());
        out.extend_from_slice(match persistence {
            Persistence::Close => b"\r\nConnection: close\r\n\r\n".as_slice(),
            Persistence::KeepAlive => b"\r\nConnection: keep-alive\r\n\r\n",
            Persistence::Persist => b"\r\n\r\n",
        });
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

/// A response of plain text.
pub fn text(status: u16, body: String) -> Response {
    Response::new(status)
        .with_field("Content-Type", "text/plain; charset=utf-8")
        .with_body(body)
}

/// Appends a number's digits: twice for each answer, so without `format!` and its
/// machinery.
fn append_number(mut number: u64, out: &mut Vec<u8>) {
    // Room for the largest one.
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
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
        413 => "Content Too Large",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
