//! A connection: a socket, what has been read from it and not used yet, what is still
//! to be sent, and how long the client may take.

use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::buffers::{Buffers, PIECE};
use crate::content::{Content, MAX_CONTENT, TOO_LARGE};
use crate::refusal::Refusal;
use crate::request::{HeadScanner, Persistence};
use crate::response::Response;
use crate::transport::{Io, Transport};

/// How many buffers that no one uses wait for the next connection.
const MAX_SPARE: usize = 16;

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    transport: Transport,
    /// Lent for a turn; kept only while something is under way.
    buffers: Buffers,
    scanner: HeadScanner,
    /// Whether the head that was found last is one of HEAD, whose answer has no
    /// content (RFC 9110, section 9.3.2), not even if it's a refusal.
    is_head: bool,
    /// How much of the content after that head has been dropped.
    skipped: usize,
    /// How long the client may take for whatever it has to do.
    patience: Duration,
    /// When its time is up, if it has something to do.
    deadline: Option<Instant>,
    /// How much has been sent since the deadline was set.
    sent: usize,
    has_read: bool,
    has_written: bool,
    has_moved: bool,
}

impl Connection {
    /// Takes over a stream from which nothing has been read.
    ///
    /// # Errors
    ///
    /// Returns an error if the stream's options can't be set.
    pub fn new(stream: TcpStream, patience: Duration) -> io::Result<Connection> {
        Ok(Connection {
            transport: Transport::new(stream)?,
            buffers: Buffers::default(),
            scanner: HeadScanner::default(),
            is_head: false,
            skipped: 0,
            patience,
            deadline: None,
            sent: 0,
            has_read: false,
            has_written: false,
            has_moved: false,
        })
    }

    /// Begins a turn, in which the connection reads once and writes once at most. It
    /// is lent buffers if it has none.
    pub fn begin_turn(&mut self, spare: &mut Vec<Buffers>) {
        (self.has_read, self.has_written, self.has_moved) = (false, false, false);
        if self.buffers.are_empty() {
            self.buffers = spare.pop().unwrap_or_default();
        }
    }

    /// Ends a turn, and gives the buffers back if nothing is under way. Returns
    /// whether anything was read or written.
    pub fn end_turn(&mut self, spare: &mut Vec<Buffers>) -> bool {
        if self.buffers.are_empty() {
            let buffers = std::mem::take(&mut self.buffers);
            if buffers.are_of_use() && spare.len() < MAX_SPARE {
                spare.push(buffers);
            }
        }
        std::mem::take(&mut self.has_moved)
    }

    /// How long the client may take for a head, for content, and for each 64 KiB of
    /// an answer.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Gives the client this much time from now on; `None` means that it has nothing
    /// to do.
    pub fn set_time(&mut self, time: Option<Duration>, now: Instant) {
        self.deadline = time.map(|time| now + time);
        self.sent = 0;
    }

    /// Leaves the client no more than this much of its time.
    pub fn shorten_time(&mut self, time: Duration, now: Instant) {
        self.deadline = self.deadline.map(|deadline| deadline.min(now + time));
    }

    /// When the client's time is up, if it has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the client's time is up.
    pub fn is_out_of_time(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// Whether its time is up, and it has nothing to show for it. Bytes that were read
    /// or written in this turn may have waited for it longer than the client is to
    /// blame for: so there may be more, and the next turn will tell.
    pub fn is_late(&self, now: Instant) -> bool {
        !self.has_moved && self.is_out_of_time(now)
    }

    /// Reads once, if it hasn't in this turn: `Done(0)` is the end of the stream.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed read, such as a reset connection.
    pub fn fill(&mut self) -> io::Result<Io> {
        if self.has_read {
            return Ok(Io::NotNow);
        }
        self.has_read = true;
        let outcome = self.transport.read(self.buffers.input.room())?;
        if let Io::Done(read) = outcome {
            self.has_moved = true;
            self.buffers.input.add(read);
        }
        Ok(outcome)
    }

    // ANCHOR: flush
    /// Sends once, if it hasn't in this turn: at most 64 KiB of the answers that
    /// haven't been sent. A client that takes as much as that gets its time again.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection.
    pub fn flush(&mut self, now: Instant) -> io::Result<Io> {
        if self.has_written {
            return Ok(Io::NotNow);
        }
        self.has_written = true;
        let outcome = self.transport.write(self.buffers.output.piece())?;
        if let Io::Done(sent) = outcome {
            self.has_moved = true;
            self.buffers.output.sent(sent);
            self.sent += sent;
            if self.sent >= PIECE {
                self.set_time(Some(self.patience), now);
            }
        }
        Ok(outcome)
    }
    // ANCHOR_END: flush

    /// Finds the end of the next head, if it has come.
    ///
    /// # Errors
    ///
    /// Refuses what can't become the head of a request.
    pub fn find_head(&mut self) -> Result<Option<usize>, Refusal> {
        loop {
            self.is_head = self.unread().starts_with(b"HEAD ");
            match self.scanner.scan(self.buffers.input.unread())? {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Some(2) => self.consume(2),
                found => return Ok(found),
            }
        }
    }

    /// The head that [`Connection::find_head`] found.
    ///
    /// # Panics
    ///
    /// Panics if `len` is more than has been read.
    pub fn head(&self, len: usize) -> &[u8] {
        &self.unread()[..len]
    }

    /// Drops a head that has been dealt with. What was read after it stays.
    pub fn consume(&mut self, len: usize) {
        self.buffers.input.consume(len);
        self.scanner = HeadScanner::default();
        self.skipped = 0;
    }

    /// Drops what has come of a request's content, and returns whether that's all.
    ///
    /// # Errors
    ///
    /// Refuses content that's too long, or whose end can't be told.
    pub fn skip(&mut self, content: &mut Content) -> Result<bool, Refusal> {
        if matches!(content, Content::Length(len) if *len > MAX_CONTENT as u64) {
            return Err(TOO_LARGE);
        }
        // Bytes beyond the limit aren't looked at, so it makes no difference in what
        // pieces they come.
        let room = MAX_CONTENT - self.skipped;
        let within = self.unread().len().min(room);
        let used = content.scan(&self.unread()[..within])?;
        self.buffers.input.consume(used);
        self.skipped += used;
        if content.is_complete() {
            Ok(true)
        } else if self.unread().len() < room - used {
            Ok(false)
        } else {
            Err(TOO_LARGE)
        }
    }

    /// Drops all that has been read.
    pub fn drop_input(&mut self) {
        self.buffers.input.consume(self.unread().len());
    }

    fn unread(&self) -> &[u8] {
        self.buffers.input.unread()
    }

    /// Whether bytes have been read and not used.
    pub fn has_unread(&self) -> bool {
        !self.unread().is_empty()
    }

    /// Whether bytes of another request have been read.
    pub fn has_more(&self) -> bool {
        self.unread().iter().any(|b| !matches!(b, b'\r' | b'\n'))
    }

    /// Adds an answer to those that are to be sent.
    pub fn put(&mut self, response: Response, persistence: Persistence, date: &str) {
        let output = &mut self.buffers.output;
        response.append_head(persistence, date, output.bytes());
        // The answer to HEAD is a head alone.
        if !self.is_head {
            output.put(response.into_body());
        }
    }

    /// Whether there is something to send.
    pub fn has_output(&self) -> bool {
        !self.buffers.output.is_empty()
    }

    /// Whether something has to be sent before there's room for another answer.
    pub fn is_full(&self) -> bool {
        self.buffers.output.is_full()
    }

    /// Why the last answer stays incomplete, if it does: none can follow it.
    pub fn failure(&self) -> Option<&io::Error> {
        self.buffers.output.failure()
    }

    /// What a poller can watch.
    pub fn socket(&self) -> &TcpStream {
        self.transport.socket()
    }

    /// Says that no more answers will come.
    ///
    /// # Errors
    ///
    /// Returns an error if the client is already gone.
    pub fn end_writing(&self) -> io::Result<()> {
        self.transport.end_writing()
    }
}

#[cfg(test)]
mod tests;
