//! A connection: a socket, and the bytes that have been read from it and not used yet.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Take, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::http::{Body, HeadScanner, Refusal, Response};
use crate::stop::Stop;

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);
/// How long a read waits before it looks whether the shutdown has begun.
const TICK: Duration = Duration::from_millis(100);
/// How long a read waits after that: what a client has sent is here already.
const LAST_LOOK: Duration = Duration::from_millis(1);
/// How many bytes are sent under one deadline.
const PIECE: usize = 64 * 1024;

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    /// What has been read and not consumed: it begins where the next head begins.
    input: Vec<u8>,
    scanner: HeadScanner,
    patience: Duration,
    stop: Arc<Stop>,
}

/// What a client sent when a request's head was awaited.
pub enum Head {
    /// A complete head of this many bytes.
    Complete(usize),
    /// Bytes that cannot become the head of a request.
    Refused(Refusal),
    /// Nothing more: the client is done.
    End,
}

impl Connection {
    /// Takes over a stream from which nothing has been read.
    ///
    /// `patience` is how long the client may take for a whole head, and for each 64 KiB of an
    /// answer. After the shutdown has begun, no head is awaited that is not here.
    pub fn new(stream: TcpStream, patience: Duration, stop: Arc<Stop>) -> Connection {
        Connection {
            stream,
            input: Vec::new(),
            scanner: HeadScanner::default(),
            patience,
            stop,
        }
    }

    /// Reads until a whole head is there, or the client's time is up.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed read, such as a reset connection.
    pub fn read_head(&mut self) -> io::Result<Head> {
        let deadline = Instant::now() + self.patience;
        loop {
            match self.scanner.scan(&self.input) {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Ok(Some(2)) => self.consume(2),
                Ok(Some(len)) => return Ok(Head::Complete(len)),
                Ok(None) => match self.fill(deadline) {
                    Ok(1..) => {}
                    // Nothing was asked, so there is nothing to answer.
                    Ok(0) if self.input.is_empty() => return Ok(Head::End),
                    Err(error) if is_timeout(&error) && self.input.is_empty() => {
                        return Ok(Head::End);
                    }
                    Ok(0) => return Ok(refused(400, "the head ends before its blank line")),
                    Err(error) if is_timeout(&error) => {
                        return Ok(refused(408, "the head took too long to arrive"));
                    }
                    Err(error) => return Err(error),
                },
                Err(refusal) => return Ok(Head::Refused(refusal)),
            }
        }
    }

    /// Reads once, and returns how many bytes came: 0 at the end of the stream.
    fn fill(&mut self, deadline: Instant) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        loop {
            todo!("(3 of 5) read as before, but look at every TICK whether stopping has begun")
        }
    }

    /// The head that [`Connection::read_head`] found.
    ///
    /// # Panics
    ///
    /// Panics if `len` is more than has been read.
    pub fn head(&self, len: usize) -> &[u8] {
        &self.input[..len]
    }

    /// Drops a head that has been dealt with. What was read behind it stays.
    ///
    /// # Panics
    ///
    /// Panics if `len` is more than has been read.
    pub fn consume(&mut self, len: usize) {
        self.input.drain(..len);
        self.scanner = HeadScanner::default();
    }

    /// Whether bytes of another request have been read.
    pub fn has_more(&self) -> bool {
        self.input.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    /// Sends a response.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection or a client that takes too
    /// long to read, or of a file that cannot be read to the length that the head has promised. The
    /// connection is of no use after that.
    pub fn send(&mut self, response: Response) -> io::Result<()> {
        let mut bytes = Vec::new();
        response.append_to(&mut bytes);
        for piece in bytes.chunks(PIECE) {
            self.write_all(piece)?;
        }
        if let Body::File(file, len) = response.into_body() {
            self.send_file(file.take(len))?;
        }
        Ok(())
    }

    fn send_file(&mut self, mut file: Take<File>) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        while file.limit() > 0 {
            match file.read(&mut piece) {
                Ok(0) => return Err(io::Error::other("a file became shorter while it was sent")),
                Ok(read) => self.write_all(&piece[..read])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes bytes under one deadline. A client that takes a byte now and then does not move it.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.patience;
        let mut rest = bytes;
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(left(deadline)?))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Closes the connection so that the last answer arrives.
    ///
    /// Closing a socket with unread input makes the kernel send RST, which destroys what is on its
    /// way to the client. So we say that we are done, and read what comes until the client closes
    /// too (RFC 9112, section 9.6).
    pub fn finish(mut self) {
        // An error here or below means that the client is already gone: there is nothing to save.
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

fn refused(status: u16, why: &'static str) -> Head {
    Head::Refused(Refusal::new(status, why))
}

/// The time until a deadline, which is never zero: a timeout of zero would mean none.
fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// Unix calls it `WouldBlock` when a socket's timeout passes, Windows `TimedOut`.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
