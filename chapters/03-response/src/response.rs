//! A response as bytes.

/// A response that has all its content in memory.
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

    /// Appends the response as it goes over the wire (RFC 9112, sections 2.1 and 4).
    pub fn append_to(&self, out: &mut Vec<u8>) {
        todo!(
            "(2 of 2) append the status line, the field lines, Content-Length, the \
             blank line and the body"
        )
    }
}

/// The reason phrase of a status code (RFC 9110, section 15); empty where we know
/// none.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
