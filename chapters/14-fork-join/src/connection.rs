//! A connection: a socket, and the bytes that have been read from it and not used
//! yet.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Take, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::content::{
    Content, HALF_THE_CONTENT, LATE_CONTENT, MAX_CONTENT, TOO_LARGE,
};
use crate::date::Clock;
use crate::deadline::{LINGER, is_timeout, left, linger};
use crate::refusal::{Failure, Refusal};
use crate::request::{HeadScanner, Persistence};
use crate::response::{Body, Response};
use crate::stop::Client;

/// How long a read waits before it looks whether stopping has begun.
const TICK: Duration = Duration::from_millis(100);
/// How long a read waits after that. What a client has sent by then is here already.
const LAST_LOOK: Duration = Duration::from_millis(10);
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
    stream: Arc<TcpStream>,
    /// What has been read, from the last read that found it empty.
    input: Vec<u8>,
    /// Where the next head begins in the input.
    start: usize,
    scanner: HeadScanner,
    /// Whether the head that was read last is one of HEAD, whose answer has no
    /// content (RFC 9110, section 9.3.2), not even if it's a refusal.
    is_head: bool,
    /// Where a read puts its bytes.
    buffer: Vec<u8>,
    /// Answers that haven't been sent: requests that come together are answered
    /// together.
    output: Vec<u8>,
    clock: Clock,
    patience: Duration,
    client: Client,
    /// The timeouts that the socket has, so that it isn't told what it knows.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl Connection {
    /// Takes over a stream from which nothing has been read.
    ///
    /// `patience` is how long the client may take for a whole head, for the content
    /// after it, and for each 64 KiB of an answer. Once stopping has begun, nothing
    /// is awaited that isn't here.
    ///
    /// # Errors
    ///
    /// Returns an error if the stream's options can't be set.
    pub fn new(
        stream: Arc<TcpStream>,
        patience: Duration,
        client: Client,
    ) -> io::Result<Connection> {
        // On systems other than Linux, a stream is born as nonblocking as its
        // listener.
        stream.set_nonblocking(false)?;
        // Answers are written whole: their last bytes have nothing to wait for.
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            input: Vec::new(),
            start: 0,
            scanner: HeadScanner::default(),
            is_head: false,
            buffer: vec![0; 4096],
            output: Vec::new(),
            clock: Clock::default(),
            patience,
            client,
            read_timeout: None,
            write_timeout: None,
        })
    }

    /// Reads until a whole head is there, or the client's time is up, and returns the
    /// head's length; `None` if the client is done, or has asked nothing in its time.
    ///
    /// # Errors
    ///
    /// Fails if a read fails, as with a reset connection, and refuses what can't
    /// become the head of a request, or doesn't in time.
    pub fn read_head(&mut self) -> Result<Option<usize>, Failure> {
        let deadline = Instant::now() + self.patience;
        loop {
            self.is_head = self.unread().starts_with(b"HEAD ");
            match self.scanner.scan(&self.input[self.start..])? {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Some(2) => self.consume(2),
                Some(len) => return Ok(Some(len)),
                None => match self.fill(deadline) {
                    Ok(1..) => {}
                    // Nothing was asked, so there is nothing to answer.
                    Ok(0) if self.unread().is_empty() => return Ok(None),
                    Err(error) if is_timeout(&error) && self.unread().is_empty() => {
                        return Ok(None);
                    }
                    Ok(0) => return Err(HALF_A_HEAD.into()),
                    Err(error) if is_timeout(&error) => return Err(LATE_HEAD.into()),
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }

    /// Reads the content after a head that has been consumed, and drops it.
    ///
    /// # Errors
    ///
    /// Fails if a read fails. Refuses content that's too long, that comes too slowly,
    /// or whose end can't be told: then no one knows where the next request begins.
    pub fn skip(&mut self, mut content: Content) -> Result<(), Failure> {
        if matches!(content, Content::Length(len) if len > MAX_CONTENT as u64) {
            return Err(TOO_LARGE.into());
        }
        let deadline = Instant::now() + self.patience;
        let mut room = MAX_CONTENT;
        loop {
            // Bytes beyond the limit aren't looked at, in whatever pieces they come.
            let within = room.min(self.unread().len());
            let used = content.scan(&self.unread()[..within])?;
            self.start += used;
            room -= used;
            if content.is_complete() {
                return Ok(());
            }
            if self.unread().len() >= room {
                return Err(TOO_LARGE.into());
            }
            match self.fill(deadline) {
                Ok(1..) => {}
                Ok(0) => return Err(HALF_THE_CONTENT.into()),
                Err(error) if is_timeout(&error) => return Err(LATE_CONTENT.into()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What has been read and not consumed.
    fn unread(&self) -> &[u8] {
        &self.input[self.start..]
    }

    /// Reads once, and returns how many bytes came: 0 at the end of the stream.
    /// Before it waits for the client, it sends what the client waits for. Once
    /// stopping has begun, it waits no longer than for a last look.
    fn fill(&mut self, deadline: Instant) -> io::Result<usize> {
        self.flush()?;
        self.input.drain(..self.start);
        self.start = 0;
        loop {
            // Asked before the read: what came before stopping began is read in any
            // case.
            let stopping = self.client.stop().has_begun();
            let wait = if stopping { LAST_LOOK } else { TICK };
            let timeout = Some(left(deadline)?.min(wait));
            if self.read_timeout != timeout {
                self.stream.set_read_timeout(timeout)?;
                self.read_timeout = timeout;
            }
            match (&*self.stream).read(&mut self.buffer) {
                Ok(read) => {
                    self.input.extend_from_slice(&self.buffer[..read]);
                    return Ok(read);
                }
                Err(error) if is_timeout(&error) && !stopping => {}
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

    /// Sends a response, now or together with the next ones: at the latest before the
    /// next read. Returns whether another request is to be read: that's so if the
    /// client wants it, and if stopping hasn't begun or bytes of a request have come
    /// already.
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
        let persistence = if self.has_more() || !self.client.stop().has_begun() {
            persistence
        } else {
            Persistence::Close
        };
        response.append_head(persistence, self.clock.date(), &mut self.output);
        match response.into_body() {
            // The answer to HEAD is a head alone.
            _ if self.is_head => {}
            Body::Bytes(content) => self.output.extend(content),
            Body::File(file, len) => self.send_file(file.take(len))?,
        }
        if self.output.len() >= PIECE {
            self.flush()?;
        }
        Ok(persistence != Persistence::Close)
    }

    /// Sends what is left of a file, down to its limit.
    fn send_file(&mut self, mut file: Take<File>) -> io::Result<()> {
        while file.limit() > 0 {
            if self.output.len() >= PIECE {
                self.flush()?;
            }
            let room = (PIECE - self.output.len()) as u64;
            if (&mut file).take(room).read_to_end(&mut self.output)? == 0 {
                let why = "a file became shorter while it was sent";
                return Err(io::Error::other(why));
            }
        }
        Ok(())
    }

    /// Sends the answers that have not been sent yet.
    fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        for piece in output.chunks(PIECE) {
            self.write_all(piece)?;
        }
        // The memory is of use for the next answers.
        self.output = output;
        self.output.clear();
        Ok(())
    }

    /// Writes bytes under one deadline, which a byte taken now and then doesn't move.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.patience;
        let mut rest = bytes;
        while !rest.is_empty() {
            // The kernel wakes a write only when much of its buffer is free, which
            // with a slow client may take longer than our patience. A new write takes
            // any room.
            let wait = Some(left(deadline)?.min(LOOK_AGAIN));
            if self.write_timeout != wait {
                self.stream.set_write_timeout(wait)?;
                self.write_timeout = wait;
            }
            match (&*self.stream).write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error)
                    if is_timeout(&error)
                        || error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends what hasn't been sent, and closes so that the last answer arrives.
    ///
    /// Closing a socket with unread input makes the kernel send RST, which can
    /// destroy the answer. So we say that we are done, and read what comes until the
    /// client closes too (RFC 9112, section 9.6).
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        // An error here means that the client is already gone: there is nothing to
        // save.
        if self.stream.shutdown(Shutdown::Write).is_ok() {
            let stopping = self.client.stop().has_begun();
            // Others wait for this worker then, and the end of the server for them.
            let wait = if stopping { TICK } else { LINGER };
            linger(&self.stream, Instant::now() + wait.min(self.patience));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
