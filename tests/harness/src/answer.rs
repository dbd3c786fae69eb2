//! An HTTP/1.1 response, read strictly: each complaint carries the bytes with a caret
//! under the first wrong one.

use std::time::Instant;

use crate::client::End;
use crate::{Client, DEADLINE, Likely, bytes, show};

/// How many bytes of a head are read before the reader gives up.
const MAX_HEAD: usize = 64 * 1024;

/// A response that follows RFC 9112: status line, field lines, blank line, content.
pub struct Answer {
    raw: Vec<u8>,
    status: u16,
    fields: Vec<Field>,
    body_at: usize,
}

/// A field line, with the offset at which it begins.
struct Field {
    at: usize,
    name: String,
    value: Vec<u8>,
}

/// What is wrong with a response, and where.
#[derive(Debug)]
struct Complaint {
    at: usize,
    what: String,
}

impl Client {
    /// Reads a response to a request other than HEAD.
    #[track_caller]
    pub fn answer(&mut self, likely: Likely) -> Answer {
        self.read_answer(likely, true)
    }

    /// Reads a response to HEAD: it says how long the content would be and has none.
    #[track_caller]
    pub fn answer_to_head(&mut self, likely: Likely) -> Answer {
        self.read_answer(likely, false)
    }

    #[track_caller]
    fn read_answer(&mut self, likely: Likely, has_body: bool) -> Answer {
        self.check().step("read an HTTP response");
        let until = Instant::now() + DEADLINE;
        let head = loop {
            match read_head(self.pending()) {
                Ok(Some(head)) => break head,
                Ok(None) => {}
                Err(complaint) => self.complain(&complaint, likely.differs),
            }
            if let Err(end) = self.read_more(until) {
                self.cut_off(end, "the blank line that ends the head", &likely);
            }
        };
        let interim = (100..200).contains(&head.status) && head.status != 101;
        if interim {
            // An interim response (RFC 9110, section 15.2) comes before the one we
            // wait for.
            self.take(head.len);
            return self.read_answer(likely, has_body);
        }
        let without_content = !has_body || matches!(head.status, 204 | 304);
        let body_len = match (without_content, head.content_length()) {
            (true, _) => 0,
            (false, Ok(Some(len))) => len,
            (false, Ok(None)) => {
                let complaint = Complaint {
                    at: head.len.saturating_sub(2),
                    what: "the head ends here without a Content-Length field"
                        .to_owned(),
                };
                let likely = format!(
                    "without Content-Length the client cannot tell a whole answer from one that \
                     was cut off; {}",
                    likely.differs
                );
                self.complain(&complaint, &likely)
            }
            (false, Err(complaint)) => self.complain(&complaint, likely.differs),
        };
        while self.pending().len() < head.len + body_len {
            if let Err(end) = self.read_more(until) {
                let got = self.pending().len() - head.len;
                let missing = format!(
                    "{body_len} bytes of content (Content-Length), got {got}"
                );
                self.cut_off(end, &missing, &likely);
            }
        }
        Answer {
            raw: self.take(head.len + body_len),
            status: head.status,
            fields: head.fields,
            body_at: head.len,
        }
    }

    #[track_caller]
    fn complain(&self, complaint: &Complaint, likely: &str) -> ! {
        let stop = if complaint.what.ends_with('?') {
            ""
        } else {
            "."
        };
        self.missed(
            format!(
                "The answer is not HTTP at byte {}: {}{stop}",
                complaint.at, complaint.what
            ),
            bytes::with_caret(self.pending(), complaint.at, &complaint.what),
            likely,
        )
    }

    #[track_caller]
    fn cut_off(&self, end: End, wanted: &str, likely: &Likely) -> ! {
        let got = self.pending();
        self.missed(
            format!("{} before {wanted}.", end.sentence()),
            bytes::with_caret(got, got.len(), end.here()),
            likely.because(end),
        )
    }

    /// Checks an answer, and shows it with a caret at `at` where it fails.
    #[track_caller]
    fn refuse(
        &self,
        answer: &Answer,
        at: usize,
        problem: &str,
        note: &str,
        likely: &str,
    ) -> ! {
        self.missed(
            problem.to_owned(),
            bytes::with_caret(&answer.raw, at, note),
            likely,
        )
    }

    /// Checks the status code.
    #[track_caller]
    pub fn expect_status(&self, answer: &Answer, wanted: &[u16], likely: &str) {
        if !wanted.contains(&answer.status) {
            let wanted: Vec<String> = wanted.iter().map(u16::to_string).collect();
            let wanted = wanted.join(" or ");
            let problem = format!("The status is {}, not {wanted}.", answer.status);
            // "HTTP/1.1 " is nine bytes long.
            self.refuse(answer, 9, &problem, &format!("expected {wanted}"), likely);
        }
    }

    /// Checks that a field is there, once, with a value that `accepts` accepts;
    /// `wanted` says in words what that is.
    #[track_caller]
    pub fn expect_field(
        &self,
        answer: &Answer,
        name: &str,
        wanted: &str,
        accepts: impl Fn(&str) -> bool,
        likely: &str,
    ) {
        let found: Vec<&Field> = answer.fields_named(name).collect();
        match found.as_slice() {
            [] => {
                let end = answer.body_at.saturating_sub(2);
                let problem = format!("The answer has no {name} field.");
                self.refuse(
                    answer,
                    end,
                    &problem,
                    &format!("no {name} above"),
                    likely,
                );
            }
            [field] if accepts(&String::from_utf8_lossy(&field.value)) => {}
            [field] => {
                let at = field.at + name.len() + 2;
                let problem = format!(
                    "The {name} field is {}, not {wanted}.",
                    show(&field.value)
                );
                self.refuse(
                    answer,
                    at,
                    &problem,
                    &format!("expected {wanted}"),
                    likely,
                );
            }
            [_, second, ..] => {
                let problem =
                    format!("The answer has {} {name} fields.", found.len());
                self.refuse(answer, second.at, &problem, "once is enough", likely);
            }
        }
    }

    /// Checks that the content is exactly `wanted`.
    #[track_caller]
    pub fn expect_body(&self, answer: &Answer, wanted: &[u8], likely: &str) {
        let body = answer.body();
        if body == wanted {
            return;
        }
        let same = body.iter().zip(wanted).take_while(|(a, b)| a == b).count();
        let rest = &wanted[same..];
        let note = match (same == body.len(), rest.is_empty()) {
            (true, _) => format!("ends here; expected {} bytes more", rest.len()),
            (false, true) => "nothing more was expected".to_owned(),
            (false, false) => {
                format!("expected \"{}\"", show(&rest[..rest.len().min(24)]))
            }
        };
        let problem = format!("The content differs from byte {same} on.");
        self.refuse(answer, answer.body_at + same, &problem, &note, likely);
    }

    /// Expects that the content of a file that must not be served is nowhere in an
    /// answer's content.
    #[track_caller]
    pub fn expect_body_without(&self, answer: &Answer, secret: &[u8], likely: &str) {
        let mut places = answer.body().windows(secret.len());
        if let Some(at) = places.position(|place| place == secret) {
            let problem = "The secret came out: this file lies outside the root.";
            let note = "this must never be sent";
            self.refuse(answer, answer.body_at + at, problem, note, likely);
        }
    }
}

impl Answer {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value of the first field of this name, in any case.
    pub fn field(&self, name: &str) -> Option<String> {
        let field = self.fields_named(name).next()?;
        Some(String::from_utf8_lossy(&field.value).into_owned())
    }

    /// The content.
    pub fn body(&self) -> &[u8] {
        &self.raw[self.body_at..]
    }

    /// Whether the server says that it closes the connection after this answer.
    pub fn closes(&self) -> bool {
        self.field("connection").is_some_and(|value| {
            value
                .split(',')
                .any(|option| option.trim().eq_ignore_ascii_case("close"))
        })
    }

    fn fields_named(&self, name: &str) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
    }
}

/// A complete head of a response.
#[derive(Debug)]
struct Head {
    status: u16,
    fields: Vec<Field>,
    len: usize,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, show(&self.value))
    }
}

/// Reads a head: `None` where more bytes are needed.
fn read_head(bytes: &[u8]) -> Result<Option<Head>, Complaint> {
    let mut at = 0;
    let mut status = None;
    let mut fields = Vec::new();
    loop {
        let Some(line) = read_line(bytes, at)? else {
            if status.is_none() {
                begins_like_http(bytes)?;
            }
            if bytes.len() > MAX_HEAD {
                return Err(complaint(
                    MAX_HEAD,
                    "64 KiB without the end of the head",
                ));
            }
            return Ok(None);
        };
        let next = at + line.len() + 2;
        match status {
            None => status = Some(read_status_line(line)?),
            Some(status) if line.is_empty() => {
                return Ok(Some(Head {
                    status,
                    fields,
                    len: next,
                }));
            }
            Some(_) => fields.push(read_field(line, at)?),
        }
        at = next;
    }
}

/// A line without its CRLF.
fn read_line(bytes: &[u8], at: usize) -> Result<Option<&[u8]>, Complaint> {
    for (index, byte) in bytes.iter().enumerate().skip(at) {
        match byte {
            b'\n' if index > at && bytes[index - 1] == b'\r' => {
                return Ok(Some(&bytes[at..index - 1]));
            }
            b'\n' => {
                let what = match index == at && at > 0 {
                    // `"…\r\n` and the rest of the literal on the next line of the
                    // source
                    true => {
                        r"a blank line is \r\n, this one is \n alone: is a string literal broken over lines in your source?"
                    }
                    false => r"a line ends in \r\n, this one in \n alone",
                };
                return Err(complaint(index, what));
            }
            _ if index > at && bytes[index - 1] == b'\r' => {
                return Err(complaint(index, r"\r must be followed by \n"));
            }
            0 => return Err(complaint(index, "a NUL byte in the head")),
            _ => {}
        }
    }
    Ok(None)
}

fn begins_like_http(bytes: &[u8]) -> Result<(), Complaint> {
    let wanted = b"HTTP/1.";
    let same = bytes.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    if same < bytes.len() && same < wanted.len() {
        return Err(complaint(same, "a response begins with HTTP/1.1"));
    }
    Ok(())
}

/// status-line = HTTP-version SP status-code SP [ reason-phrase ]
fn read_status_line(line: &[u8]) -> Result<u16, Complaint> {
    begins_like_http(line)?;
    if !line.get(7).is_some_and(u8::is_ascii_digit) {
        return Err(complaint(
            7,
            "a digit of the version belongs here, as in HTTP/1.1",
        ));
    }
    if line.get(8) != Some(&b' ') {
        return Err(complaint(
            8,
            "one space belongs between the version and the status code",
        ));
    }
    let mut status = 0;
    for at in 9..12 {
        match line.get(at) {
            Some(digit) if digit.is_ascii_digit() => {
                status = status * 10 + u16::from(digit - b'0');
            }
            _ => return Err(complaint(at, "a status code is three digits")),
        }
    }
    if !(100..600).contains(&status) {
        return Err(complaint(9, "a status code is from 100 to 599"));
    }
    match line.get(12) {
        Some(b' ') => Ok(status),
        Some(_) => Err(complaint(12, "one space belongs after the status code")),
        None => Err(complaint(
            12,
            "a space belongs after the status code even where the reason phrase is empty",
        )),
    }
}

/// field-line = field-name ":" OWS field-value OWS
fn read_field(line: &[u8], at: usize) -> Result<Field, Complaint> {
    if matches!(line[0], b' ' | b'\t') {
        return Err(complaint(
            at,
            "a field line must not begin with white space",
        ));
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        let what = "a field line needs a colon: is the blank line before the content missing?";
        return Err(complaint(at + line.len(), what));
    };
    for (index, byte) in line[..colon].iter().enumerate() {
        if !is_token(*byte) {
            let what = format!("{:?} cannot stand in a field name", show(&[*byte]));
            return Err(complaint(at + index, &what));
        }
    }
    if colon == 0 {
        return Err(complaint(at, "a field line needs a name before the colon"));
    }
    Ok(Field {
        at,
        name: String::from_utf8_lossy(&line[..colon]).into_owned(),
        value: line[colon + 1..].trim_ascii().to_vec(),
    })
}

impl Head {
    fn content_length(&self) -> Result<Option<usize>, Complaint> {
        let mut length = None;
        for field in &self.fields {
            if field.name.eq_ignore_ascii_case("transfer-encoding") {
                let what = "this course's servers say the length with Content-Length";
                return Err(complaint(field.at, what));
            }
            if !field.name.eq_ignore_ascii_case("content-length") {
                continue;
            }
            let at = field.at + field.name.len() + 2;
            if length.is_some() {
                return Err(complaint(field.at, "a second Content-Length"));
            }
            if field.value.is_empty() || !field.value.iter().all(u8::is_ascii_digit) {
                return Err(complaint(
                    at,
                    "a length is written in decimal digits alone",
                ));
            }
            let value = String::from_utf8_lossy(&field.value).parse();
            length = Some(
                value.map_err(|_| complaint(at, "a length beyond all measure"))?,
            );
        }
        Ok(length)
    }
}

fn complaint(at: usize, what: &str) -> Complaint {
    Complaint {
        at,
        what: what.to_owned(),
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> (usize, String) {
        let complaint = read_head(bytes).expect_err(&show(bytes));
        (complaint.at, complaint.what)
    }

    #[test]
    fn what_the_rfc_allows_is_accepted() {
        let ok: [&[u8]; 5] = [
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 \r\n\r\n",
            b"HTTP/1.0 404 Nowhere to be found\r\ncontent-length:3\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nDate: today\r\nX-Empty:\r\nContent-Length: \t 12 \t\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: \xff\xfe\r\n\r\nbody",
        ];
        for bytes in ok {
            let head = read_head(bytes).expect("no complaint").expect("complete");
            assert!(head.content_length().is_ok(), "{}", show(bytes));
        }
    }

    #[test]
    fn a_head_in_pieces_is_awaited() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        for len in 0..whole.len() {
            assert!(read_head(&whole[..len]).expect("no complaint").is_none());
        }
    }

    #[test]
    fn complaints_name_the_first_wrong_byte() {
        assert_eq!(refused(b"HTTP/1.1 200 OK\n").0, 15);
        assert_eq!(refused(b"http/1.1 200 OK\r\n").0, 0);
        assert_eq!(refused(b"HTTP/1.1 200\r\n").0, 12);
        assert_eq!(refused(b"HTTP/1.1  200 OK\r\n").0, 9);
        assert_eq!(refused(b"HTTP/1.1 20 OK\r\n").0, 11);
        assert_eq!(refused(b"hello").0, 0);
        let (at, what) = refused(b"HTTP/1.1 200 OK\r\nA: b\r\nhello\r\n");
        assert_eq!(at, 28);
        assert!(what.contains("blank line"), "{what}");
        assert_eq!(refused(b"HTTP/1.1 200 OK\r\nA : b\r\n").0, 18);
        assert_eq!(refused(b"HTTP/1.1 200 OK\r\n A: b\r\n").0, 17);
    }

    #[test]
    fn a_length_is_digits_and_stands_once() {
        let length = |fields: &str| {
            let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
            let head = read_head(head.as_bytes()).unwrap().unwrap();
            head.content_length().map_err(|complaint| complaint.at)
        };
        assert_eq!(length(""), Ok(None));
        assert_eq!(length("content-LENGTH: 12\r\n"), Ok(Some(12)));
        assert_eq!(length("Content-Length: +12\r\n"), Err(33));
        assert_eq!(
            length("Content-Length: 1\r\nContent-Length: 1\r\n"),
            Err(36)
        );
    }
}
