//! A connection: a socket, and the bytes that have been read from it and not used
//! yet.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Take, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::refusal::{Failure, Refusal};
use crate::request::{HeadScanner, Persistence};
use crate::response::{Body, Response};

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);

const HALF_A_HEAD: Refusal =
    Refusal::bad_request("the head ends before its blank line");

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What has been read, from the last read that found it empty.
    input: Vec<u8>,
    /// Where the next head begins in the input.
    start: usize,
    scanner: HeadScanner,
    /// Whether the head that was read last is one of HEAD, whose answer has no
    /// content (RFC 9110, section 9.3.2), not even if it's a refusal.
    is_head: bool,
}

impl Connection {
    /// Takes over a stream from which nothing has been read.
    pub fn new(stream: TcpStream) -> Connection {
        Connection {
            stream,
            input: Vec::new(),
            start: 0,
            scanner: HeadScanner::default(),
            is_head: false,
        }
    }

    /// Reads until a whole head is there, and returns its length; `None` if the
    /// client is done.
    ///
    /// # Errors
    ///
    /// Fails if a read fails, as with a reset connection, and refuses what can't
    /// become the head of a request.
    pub fn read_head(&mut self) -> Result<Option<usize>, Failure> {
        loop {
            self.is_head = self.unread().starts_with(b"HEAD ");
            match self.scanner.scan(&self.input[self.start..])? {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Some(2) => self.consume(2),
                Some(len) => return Ok(Some(len)),
                None => match self.fill()? {
                    0 if self.unread().is_empty() => return Ok(None),
                    0 => return Err(HALF_A_HEAD.into()),
                    _ => {}
                },
            }
        }
    }

    /// What has been read and not consumed.
    fn unread(&self) -> &[u8] {
        &self.input[self.start..]
    }

    /// Reads once, and returns how many bytes came: 0 at the end of the stream.
    fn fill(&mut self) -> io::Result<usize> {
        self.input.drain(..self.start);
        self.start = 0;
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(read) => {
                    self.input.extend_from_slice(&buffer[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The head that [`Connection::read_head`] found.
    ///
    /// # Panics
    ///
    /// Panics if `len` is more than has been read.
    pub fn head(&self, len: usize) -> &[u8] {
        &self.unread()[..len]
    }

    /// Drops a head that has been dealt with. What was read after it stays.
    pub fn consume(&mut self, len: usize) {
        self.start += len;
        self.scanner = HeadScanner::default();
    }

    /// Whether bytes of another request have been read.
    fn has_more(&self) -> bool {
        self.unread().iter().any(|b| !matches!(b, b'\r' | b'\n'))
    }

    // ANCHOR: send
    /// Sends a response. Returns whether another request is to be read: that's so if
    /// the client wants it, and if bytes of one have come already.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection, or of a file
    /// that can't be read to the length that the head has promised. No other answer
    /// can come after that.
    pub fn send(
        &mut self,
        response: Response,
        persistence: Persistence,
    ) -> io::Result<bool> {
        let persistence = if self.has_more() {
            persistence
        } else {
            Persistence::Close
        };
        let mut bytes = Vec::new();
        response.append_head(persistence, &mut bytes);
        match response.into_body() {
            // The answer to HEAD is a head alone.
            _ if self.is_head => self.stream.write_all(&bytes)?,
            Body::Bytes(content) => {
                bytes.extend(content);
                self.stream.write_all(&bytes)?;
            }
            Body::File(file, len) => {
                self.stream.write_all(&bytes)?;
                self.send_file(file.take(len))?;
            }
        }
        Ok(persistence != Persistence::Close)
    }

    /// Sends what is left of a file, down to its limit.
    fn send_file(&mut self, mut file: Take<File>) -> io::Result<()> {
        io::copy(&mut file, &mut self.stream)?;
        match file.limit() {
            0 => Ok(()),
            _ => Err(io::Error::other("a file became shorter while it was sent")),
        }
    }
    // ANCHOR_END: send

    /// Closes the connection so that the last answer arrives.
    ///
    /// Closing a socket with unread input makes the kernel send RST, which can
    /// destroy the answer. So we say that we are done, and read what comes until the
    /// client closes too (RFC 9112, section 9.6).
    pub fn finish(mut self) {
        // An error here or below means that the client is already gone: there is
        // nothing to save.
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let deadline = Instant::now() + LINGER;
        let mut discarded = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
                return;
            }
            match self.stream.read(&mut discarded) {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
