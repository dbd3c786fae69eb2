//! A connection: a socket, what has been read from it and not used yet, what is still
//! to be sent, and how long the client may take.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::mem;
use std::time::Duration;

use crate::buffers::{Buffers, PIECE};
use crate::content::{
    Content, HALF_THE_CONTENT, LATE_CONTENT, MAX_CONTENT, TOO_LARGE,
};
use crate::date;
use crate::deadline::Deadline;
use crate::net::TcpStream;
use crate::refusal::{Failure, Refusal};
use crate::request::{HeadScanner, Persistence};
use crate::response::Response;
use crate::select::{Either, select};
use crate::stop::Client;

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);
/// How long it has while the server stops: others wait for its end.
const SHORT_LINGER: Duration = Duration::from_millis(100);
/// How long a request may take to come while the server stops: what was sent by then
/// is here already.
const LAST_LOOK: Duration = Duration::from_millis(10);
/// How many buffers that no one uses wait for the next connection.
const MAX_SPARE: usize = 16;

const HALF_A_HEAD: Refusal =
    Refusal::bad_request("the head ends before its blank line");
const LATE_HEAD: Refusal = Refusal::new(408, "the head took too long to arrive");

thread_local! {
    static SPARE: RefCell<Vec<Buffers>> = const { RefCell::new(Vec::new()) };
}

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    /// Lent while something is under way.
    buffers: Buffers,
    scanner: HeadScanner,
    /// Whether the head that was found last is one of HEAD, whose answer has no
    /// content (RFC 9110, section 9.3.2), not even if it's a refusal.
    is_head: bool,
    /// Whether the client knows which answer is the last one, and has nothing more to
    /// say.
    is_told: bool,
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
            buffers: Buffers::default(),
            scanner: HeadScanner::default(),
            is_head: false,
            is_told: false,
            patience,
            deadline: Deadline::new(),
            client,
        }
    }

    // ANCHOR: read_head
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
            match self.scanner.scan(self.buffers.input.unread())? {
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
    // ANCHOR_END: read_head

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
            self.buffers.input.consume(used);
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

    // ANCHOR: fill
    /// Reads once, and returns how many bytes came: 0 at the end of the stream, and
    /// `None` if nothing has come in time. Before it waits for the client, it sends
    /// what the client waits for.
    async fn fill(&mut self) -> io::Result<Option<usize>> {
        if self.has_output() {
            self.flush().await?;
        }
        self.read(LAST_LOOK).await
    }
    // ANCHOR_END: fill

    /// Reads once, as soon as something has come. When stopping begins, no more than
    /// this is left of the client's time.
    async fn read(&mut self, last_look: Duration) -> io::Result<Option<usize>> {
        loop {
            self.give_back_buffers();
            if self.client.stop().has_begun() {
                self.deadline.shorten(last_look);
            }
            let ready = self.deadline.limit(self.stream.readable());
            match select(ready, self.client.stopping()).await {
                Either::First(Some(ready)) => ready?,
                Either::First(None) => return Ok(None),
                // Now there is less time.
                Either::Second(()) => continue,
            }
            self.take_buffers();
            let room = self.buffers.input.room();
            if let Some(read) = self.stream.try_read(room)? {
                self.buffers.input.add(read);
                return Ok(Some(read));
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
        self.buffers.input.consume(len);
        self.scanner = HeadScanner::default();
    }

    fn unread(&self) -> &[u8] {
        self.buffers.input.unread()
    }

    /// Whether bytes of another request have been read.
    fn has_more(&self) -> bool {
        self.unread().iter().any(|b| !matches!(b, b'\r' | b'\n'))
    }

    fn has_output(&self) -> bool {
        !self.buffers.output.is_empty()
    }

    // ANCHOR: while_here
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
        let failure = async {
            if let Err(error) = self.flush().await {
                return error;
            }
            self.deadline.forget();
            self.stream.hung_up().await;
            ErrorKind::ConnectionReset.into()
        };
        match select(handler, failure).await {
            Either::First(outcome) => Ok(outcome),
            Either::Second(error) => Err(error),
        }
    }
    // ANCHOR_END: while_here

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
    pub async fn send(
        &mut self,
        response: Response,
        wanted: Persistence,
    ) -> io::Result<bool> {
        let persistence = if self.has_more() || !self.client.stop().has_begun() {
            wanted
        } else {
            Persistence::Close
        };
        self.take_buffers();
        let output = &mut self.buffers.output;
        date::with(|date| response.append_head(persistence, date, output.bytes()));
        // The answer to HEAD is a head alone.
        if !self.is_head {
            output.put(response.into_body());
        }
        if output.is_full() {
            self.flush().await?;
        }
        self.is_told = wanted == Persistence::Close && self.unread().is_empty();
        Ok(persistence != Persistence::Close)
    }

    // ANCHOR: flush
    /// Sends the answers that haven't been sent yet, 64 KiB at a time: then others
    /// get their turn, and the client gets its time again.
    async fn flush(&mut self) -> io::Result<()> {
        // As much as that has been sent since the client got its time.
        let mut sent = PIECE;
        while self.has_output() {
            let piece = self.buffers.output.piece();
            if let Some(written) = self.stream.try_write(piece)? {
                self.buffers.output.sent(written);
                sent += written;
            }
            if self.has_output() {
                if sent >= PIECE {
                    self.deadline.set(self.patience);
                    sent = 0;
                }
                let room = self.deadline.limit(self.stream.writable()).await;
                room.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))?;
            }
        }
        match self.buffers.output.take_failure() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
    // ANCHOR_END: flush

    /// Tells the client that the server is busy, and closes.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection.
    pub async fn turn_away(mut self, why: Refusal) -> io::Result<()> {
        let response = Response::from(why).with_field("Retry-After", "1");
        self.send(response, Persistence::Close).await?;
        self.is_told = false;
        self.finish().await
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
    pub async fn finish(mut self) -> io::Result<()> {
        self.flush().await?;
        // An error here means that the client is already gone: there is nothing to
        // save.
        if self.is_told || self.stream.end_writing().is_err() {
            return Ok(());
        }
        self.deadline.set(LINGER.min(self.patience));
        self.linger().await;
        Ok(())
    }

    /// Drops what comes until the client closes, or has had its time.
    async fn linger(&mut self) {
        loop {
            self.buffers.input.consume(self.unread().len());
            match self.read(SHORT_LINGER).await {
                Ok(Some(1..)) => {}
                // An error means that the client is gone as well.
                _ => return,
            }
        }
    }

    /// Takes buffers from those of this thread that no one uses.
    fn take_buffers(&mut self) {
        if self.buffers.are_empty() && !self.buffers.are_of_use() {
            let spare = SPARE.with_borrow_mut(Vec::pop);
            self.buffers = spare.unwrap_or_default();
        }
    }

    /// Gives the buffers to the next connection that needs some, if nothing in them
    /// is under way.
    fn give_back_buffers(&mut self) {
        if !self.buffers.are_empty() {
            return;
        }
        let buffers = mem::take(&mut self.buffers);
        SPARE.with_borrow_mut(|spare| {
            if buffers.are_of_use() && spare.len() < MAX_SPARE {
                spare.push(buffers);
            }
        });
    }
}
