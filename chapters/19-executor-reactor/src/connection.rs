//! A connection: a socket, what has been read from it and not used yet, what is still
//! to be sent, and how long the client may take.

mod sending;

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use crate::content::{
    Content, HALF_THE_CONTENT, LATE_CONTENT, MAX_CONTENT, TOO_LARGE,
};
use crate::deadline::Deadline;
use crate::lent::Lent;
use crate::net::TcpStream;
use crate::refusal::{Failure, Refusal};
use crate::request::HeadScanner;
use crate::select::{Either, select};
use crate::stop::Client;

/// How long a request may take to come while the server stops: what was sent by then
/// is here already.
const LAST_LOOK: Duration = Duration::from_millis(10);
/// How long a client has to close while the server stops: others wait for its end.
const SHORT_LINGER: Duration = Duration::from_millis(100);

const HALF_A_HEAD: Refusal =
    Refusal::bad_request("the head ends before its blank line");
const LATE_HEAD: Refusal = Refusal::new(408, "the head took too long to arrive");

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    buffers: Lent,
    scanner: HeadScanner,
    /// Whether the head that was found last is one of HEAD, whose answer has no
    /// content (RFC 9110, section 9.3.2), not even if it's a refusal.
    is_head: bool,
    /// Whether the client knows which answer is the last one, and has nothing more to
    /// say.
    is_told: bool,
    /// Whether only the client's end is awaited.
    lingers: bool,
    patience: Duration,
    /// When the client's time is up.
    deadline: Deadline,
    client: Client,
}

impl Connection {
    /// Takes over a stream from which nothing has been read.
    ///
    /// `patience` is how long the client may take for a whole head, for the content
    /// after it, and for each 64 KiB of an answer. Once stopping has begun, nothing
    /// is awaited that isn't here.
    pub fn new(stream: TcpStream, patience: Duration, client: Client) -> Connection {
        Connection {
            stream,
            buffers: Lent::default(),
            scanner: HeadScanner::default(),
            is_head: false,
            is_told: false,
            lingers: false,
            patience,
            deadline: Deadline::new(),
            client,
        }
    }

    /// Reads until a whole head is there, or the client's time is up, and returns the
    /// head's length; `None` if the client is done, or has asked nothing in its time.
    ///
    /// # Errors
    ///
    /// Fails if a read fails, as with a reset connection, and refuses what can't
    /// become the head of a request, or doesn't in time.
    pub async fn read_head(&mut self) -> Result<Option<usize>, Failure> {
        self.deadline.set(self.patience);
        loop {
            self.is_head = self.unread().starts_with(b"HEAD ");
            match self.scanner.scan(self.buffers.unread())? {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Some(2) => self.consume(2),
                Some(len) => return Ok(Some(len)),
                None => match self.fill().await? {
                    Some(1..) => {}
                    // Nothing was asked, so there is nothing to answer.
                    _ if self.unread().is_empty() => return Ok(None),
                    Some(0) => return Err(HALF_A_HEAD.into()),
                    None => return Err(LATE_HEAD.into()),
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
    pub async fn skip(&mut self, mut content: Content) -> Result<(), Failure> {
        if matches!(content, Content::Length(len) if len > MAX_CONTENT as u64) {
            return Err(TOO_LARGE.into());
        }
        self.deadline.set(self.patience);
        let mut room = MAX_CONTENT;
        loop {
            // Bytes beyond the limit aren't looked at, so it makes no difference in
            // what pieces they come.
            let within = room.min(self.unread().len());
            let used = content.scan(&self.unread()[..within])?;
            self.buffers.get().input.consume(used);
            room -= used;
            if content.is_complete() {
                return Ok(());
            }
            if self.unread().len() >= room {
                return Err(TOO_LARGE.into());
            }
            match self.fill().await? {
                Some(1..) => {}
                Some(0) => return Err(HALF_THE_CONTENT.into()),
                None => return Err(LATE_CONTENT.into()),
            }
        }
    }

    /// Reads once, and returns how many bytes came: 0 at the end of the stream, and
    /// `None` if nothing has come in time. Before it waits for the client, it sends
    /// what the client waits for.
    async fn fill(&mut self) -> io::Result<Option<usize>> {
        if self.has_output() {
            self.flush().await?;
        }
        match self.read().await? {
            // If a handler has kept the thread to itself, more may have come in time
            // than we have been told.
            None => self.read_now(),
            read => Ok(read),
        }
    }

    /// Reads once, as soon as something has come. When stopping begins, little is
    /// left of the client's time.
    async fn read(&mut self) -> io::Result<Option<usize>> {
        loop {
            self.buffers.give_back();
            if self.client.is_stopping() {
                let time = if self.lingers {
                    SHORT_LINGER
                } else {
                    LAST_LOOK
                };
                self.deadline.shorten(time);
            }
            // Only waiting can be given up. What has been read is never dropped.
            let in_time = self.deadline.limit(self.stream.readable());
            let in_time = select(pin!(in_time), pin!(self.client.stopping())).await;
            match in_time {
                Either::First(Some(readable)) => readable?,
                Either::First(None) => return Ok(None),
                // Now there is less time.
                Either::Second(()) => continue,
            }
            if let Some(read) = self.read_now()? {
                return Ok(Some(read));
            }
        }
    }

    /// Reads what has come, without waiting; `None` if nothing has.
    fn read_now(&mut self) -> io::Result<Option<usize>> {
        let input = &mut self.buffers.get().input;
        let read = self.stream.try_read(input.room())?;
        input.add(read.unwrap_or(0));
        Ok(read)
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
        self.buffers.get().input.consume(len);
        self.scanner = HeadScanner::default();
    }

    fn unread(&self) -> &[u8] {
        self.buffers.unread()
    }

    /// Whether bytes of another request have been read.
    fn has_more(&self) -> bool {
        self.unread().iter().any(|b| !matches!(b, b'\r' | b'\n'))
    }

    fn has_output(&self) -> bool {
        self.buffers.has_output()
    }

    /// Waits for a handler, as long as the client is there. Answers that are finished
    /// may leave meanwhile.
    ///
    /// # Errors
    ///
    /// Returns the error of a connection that fails before the handler is done. The
    /// handler is dropped then.
    pub async fn while_here<T>(
        &mut self,
        handler: impl Future<Output = T>,
    ) -> io::Result<T> {
        todo!(
            "(7 of 8) wait for the handler, or until sending fails or the client \
             hangs up"
        )
    }
}

#[cfg(test)]
mod tests;
