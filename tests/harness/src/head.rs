//! The head of an HTTP/1.1 response, read strictly: status line and field lines as in
//! RFC 9112.

use crate::show;

/// How many bytes of a head are read before the reader gives up.
const MAX_HEAD: usize = 64 * 1024;

/// A field line, with the offset at which it begins.
pub(crate) struct Field {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

/// What is wrong with a response, and where.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) at: usize,
    pub(crate) what: String,
}

/// A complete head of a response.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) fields: Vec<Field>,
    pub(crate) len: usize,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, show(&self.value))
    }
}

/// Reads a head: `None` if more bytes are needed.
pub(crate) fn read_head(bytes: &[u8]) -> Result<Option<Head>, Complaint> {
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
                        "a blank line is \\r\\n, this one is \\n alone: is a string \
                         literal broken over lines in your source?"
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
            "a space belongs after the status code even if the reason phrase is \
             empty",
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
        let what = "a field line needs a colon: is the blank line before the content \
                    missing?";
        return Err(complaint(at + line.len(), what));
    };
    for (index, byte) in line[..colon].iter().enumerate() {
        if !is_token(*byte) {
            let what = format!("{:?} can't be part of a field name", show(&[*byte]));
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
    pub(crate) fn content_length(&self) -> Result<Option<usize>, Complaint> {
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
            length =
                Some(value.map_err(|_| {
                    complaint(at, "a length that no machine can hold")
                })?);
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
            b"HTTP/1.1 200 OK\r\n\
              Date: today\r\n\
              X-Empty:\r\n\
              Content-Length: \t 12 \t\r\n\
              \r\n",
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
    fn a_length_is_digits_and_comes_once() {
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
