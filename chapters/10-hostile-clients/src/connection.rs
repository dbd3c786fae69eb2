//! A connection: a socket, and the bytes that have been read from it and not used
//! yet.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Take, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::deadline::{LINGER, is_timeout, left};
use crate::refusal::{Failure, Refusal};
use crate::request::{HeadScanner, Persistence};
use crate::response::{Body, Response};

/// How many bytes are sent under one deadline.
const PIECE: usize = 64 * 1024;
/// How long a write waits at most before it looks for room once more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

const HALF_A_HEAD: Refusal =
    Refusal::bad_request("the head ends before its blank line");
const LATE_HEAD: Refusal = Refusal::new(408, "the head took too long to arrive");

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
    patience: Duration,
}

impl Connection {
    /// Takes over a stream from which nothing has been read.
    ///
    /// `patience` is how long the client may take for a whole head, and for each 64
    /// KiB of an answer.
    pub fn new(stream: TcpStream, patience: Duration) -> Connection {
        Connection {
            stream,
            input: Vec::new(),
            start: 0,
            scanner: HeadScanner::default(),
            is_head: false,
            patience,
        }
    }

    /// Reads until a whole head is there, or the client's time is up, and returns the
    /// head's length; `None` if the client is done, or has asked nothing in its time.
    ///
    /// # Errors
    ///
    /// Fails if a read fails, as with a reset connection, and refuses what can't
    /// become the head of a request, or doesn't in time.
    pub fn read_head(&mut self) -> Result<Option<usize>, Failure> {
        loop {
            self.is_head = self.unread().starts_with(b"HEAD ");
            match self.scanner.scan(&self.input[self.start..])? {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Some(2) => self.consume(2),
                Some(len) => return Ok(Some(len)),
                None => todo!(
                    "(2 of 5) read on, until the deadline of the whole head (the end \
                     of the stream and a timeout each come with and without bytes)"
                ),
            }
        }
    }

    /// What has been read and not consumed.
    fn unread(&self) -> &[u8] {
        &self.input[self.start..]
    }

    /// Reads once, and returns how many bytes came: 0 at the end of the stream.
    fn fill(&mut self, deadline: Instant) -> io::Result<usize> {
        self.input.drain(..self.start);
        self.start = 0;
        let mut buffer = [0; 4096];
        loop {
            self.stream.set_read_timeout(Some(left(deadline)?))?;
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

    /// Sends a response. Returns whether another request is to be read: that's so if
    /// the client wants it, and if bytes of one have come already.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection or a client
    /// that takes too long to read, or of a file that can't be read to the length
    /// that the head has promised. No other answer can come after that.
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
            _ if self.is_head => self.write_pieces(&bytes)?,
            Body::Bytes(content) => {
                bytes.extend(content);
                self.write_pieces(&bytes)?;
            }
            Body::File(file, len) => {
                self.write_pieces(&bytes)?;
                self.send_file(file.take(len))?;
            }
        }
        Ok(persistence != Persistence::Close)
    }

    /// Sends what is left of a file, down to its limit.
    fn send_file(&mut self, mut file: Take<File>) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        while file.limit() > 0 {
            match file.read(&mut piece) {
                Ok(0) => {
                    let why = "a file became shorter while it was sent";
                    return Err(io::Error::other(why));
                }
                Ok(read) => self.write_all(&piece[..read])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes bytes, and lets the client be slow with each piece of them.
    fn write_pieces(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes
            .chunks(PIECE)
            .try_for_each(|piece| self.write_all(piece))
    }

    /// Writes bytes under one deadline, which a byte taken now and then doesn't move.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        todo!(
            "(4 of 5) write until nothing is left, and fail once the deadline has \
             passed"
        )
    }

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
        let deadline = Instant::now() + LINGER.min(self.patience);
        let mut discarded = [0; 4096];
        while let Ok(left) = left(deadline) {
            if self.stream.set_read_timeout(Some(left)).is_err() {
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
