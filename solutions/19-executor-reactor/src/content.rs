//! Where a request's content ends. Nothing here wants the content, but the next
//! request begins after it.

use crate::refusal::Refusal;
use crate::request::{Request, Version, split_field, split_line};

/// The longest content that is read, in bytes, what delimits its chunks included.
pub const MAX_CONTENT: usize = 1024 * 1024;
/// The refusal of content that is longer.
pub const TOO_LARGE: Refusal = Refusal::new(413, "the content is too large");
/// The refusal of content that doesn't come in time.
pub const LATE_CONTENT: Refusal =
    Refusal::new(408, "the content took too long to arrive");
/// The refusal of content after whose beginning the client is done.
pub const HALF_THE_CONTENT: Refusal =
    Refusal::bad_request("the content ends too early");
/// The longest line between chunks that is read.
const MAX_CHUNK_LINE: usize = 1024;

/// What is still to come of a request's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// This many bytes.
    Length(u64),
    /// Chunks, each with its size before it (RFC 9112, section 7.1).
    Chunked(Chunks),
}

/// What comes next in chunked content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunks {
    /// A line with the size of a chunk.
    Size,
    /// This many bytes of a chunk.
    Data(u64),
    /// The line end after a chunk.
    DataEnd,
    /// Field lines, and the blank line after them.
    Trailers,
    /// Nothing more.
    End,
}

impl Content {
    /// How the end of the content is found (RFC 9112, section 6).
    ///
    /// # Errors
    ///
    /// Refuses what two servers could understand in two ways (400): where they
    /// disagree about the end of one request, they disagree about where the next one
    /// begins. Refuses codings that this server cannot undo (501).
    pub fn of(request: &Request) -> Result<Content, Refusal> {
        let mut codings = request.values("Transfer-Encoding");
        let mut lengths = request.values("Content-Length");
        match (codings.next(), lengths.next()) {
            (None, None) => Ok(Content::Length(0)),
            (Some(_), Some(_)) => Err(Refusal::bad_request(
                "the length of the content is given in two ways",
            )),
            (None, Some(length)) => match lengths.next() {
                None => parse_length(length).map(Content::Length),
                Some(_) => {
                    Err(Refusal::bad_request("there are two Content-Length fields"))
                }
            },
            (Some(_), None) if request.version() == Version::Http10 => {
                Err(Refusal::bad_request("HTTP/1.0 knows no Transfer-Encoding"))
            }
            (Some(coding), None) => match codings.next() {
                None => parse_coding(coding),
                Some(_) => Err(Refusal::bad_request(
                    "there are two Transfer-Encoding fields",
                )),
            },
        }
    }

    /// Whether all has come.
    pub fn is_complete(&self) -> bool {
        matches!(self, Content::Length(0) | Content::Chunked(Chunks::End))
    }

    /// Looks at bytes that have come, and returns how many of them are used up by the
    /// content. The others are wanted again, with more after them.
    ///
    /// # Errors
    ///
    /// Refuses chunks whose end cannot be told for certain (400).
    pub fn scan(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut used = 0;
        while !self.is_complete() {
            let step = match self {
                Content::Length(left) => take(left, &bytes[used..]),
                Content::Chunked(chunks) => chunks.step(&bytes[used..])?,
            };
            match step {
                0 => break,
                step => used += step,
            }
        }
        Ok(used)
    }
}

impl Chunks {
    /// Uses up one piece of the content, or nothing if it is not complete.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        match self {
            Chunks::Size => {
                let Some(line) = whole_line(bytes)? else {
                    return Ok(0);
                };
                *self = match chunk_size(line)? {
                    0 => Chunks::Trailers,
                    size => Chunks::Data(size),
                };
                Ok(line.len() + 2)
            }
            Chunks::Data(left) => {
                let used = take(left, bytes);
                if *left == 0 {
                    *self = Chunks::DataEnd;
                }
                Ok(used)
            }
            Chunks::DataEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    *self = Chunks::Size;
                    Ok(2)
                }
                [] | [b'\r'] => Ok(0),
                _ => Err(Refusal::bad_request("a chunk is longer than its size")),
            },
            Chunks::Trailers => {
                let Some(line) = whole_line(bytes)? else {
                    return Ok(0);
                };
                if line.is_empty() {
                    *self = Chunks::End;
                } else {
                    split_field(line)?;
                }
                Ok(line.len() + 2)
            }
            Chunks::End => Ok(0),
        }
    }
}

/// Content-Length = 1*DIGIT: no sign, no list, no white space (RFC 9110, section
/// 8.6).
fn parse_length(value: &[u8]) -> Result<u64, Refusal> {
    let digits = str::from_utf8(value).ok().filter(|value| {
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
    });
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or(Refusal::bad_request("the Content-Length is not a number"))
}

/// The value of Transfer-Encoding. Where the last coding is not chunked, nobody knows
/// where the content ends; where it is, one that we cannot undo may stand before it
/// (RFC 9112, section 6.3).
fn parse_coding(value: &[u8]) -> Result<Content, Refusal> {
    let is_chunked =
        |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
    let mut codings = value.rsplit(|byte| *byte == b',');
    let ends_in_chunks = codings.next().is_some_and(is_chunked);
    match (ends_in_chunks, codings.next()) {
        (true, None) => Ok(Content::Chunked(Chunks::Size)),
        (true, Some(before)) if !is_chunked(before) => {
            Err(Refusal::new(501, "no coding but chunked is implemented"))
        }
        _ => Err(Refusal::bad_request(
            "the content must be chunked once, at last",
        )),
    }
}

/// Takes as many bytes as are there and still belong to the content.
fn take(left: &mut u64, bytes: &[u8]) -> usize {
    let taken = bytes
        .len()
        .min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= taken as u64;
    taken
}

/// A line without its CR LF; `None` while it is not complete.
fn whole_line(bytes: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    let start = &bytes[..bytes.len().min(MAX_CHUNK_LINE)];
    if start.contains(&b'\n') {
        split_line(bytes).map(|(line, _)| Some(line))
    } else if bytes.len() < MAX_CHUNK_LINE {
        Ok(None)
    } else {
        Err(Refusal::bad_request(
            "a line in chunked content is too long",
        ))
    }
}

/// chunk-size [ chunk-ext ]: hexadecimal digits, and perhaps something behind a
/// semicolon, which is ignored.
fn chunk_size(line: &[u8]) -> Result<u64, Refusal> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
    let (size, extension) = line.split_at(digits.count());
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let is_extension =
        extension.is_empty() || extension.trim_ascii_start().starts_with(b";");
    // 15 digits are beyond any content, and cannot overflow.
    match str::from_utf8(size) {
        Ok(size)
            if size.len() <= 15 && is_extension && !extension.iter().any(control) =>
        {
            u64::from_str_radix(size, 16)
                .map_err(|_| Refusal::bad_request("a chunk has no size"))
        }
        _ => Err(Refusal::bad_request("the size of a chunk is not a number")),
    }
}

#[cfg(test)]
mod tests;
