//! The sending half of a connection, and its end.

use std::io::{self, ErrorKind};
use std::time::Duration;

use super::Connection;
use crate::buffers::PIECE;
use crate::date;
use crate::refusal::Refusal;
use crate::request::Persistence;
use crate::response::Response;

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);

impl Connection {
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
        let persistence = if self.has_more() || !self.client.is_stopping() {
            wanted
        } else {
            Persistence::Close
        };
        let output = &mut self.buffers.get().output;
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

    /// Sends the answers that haven't been sent yet, 64 KiB at a time: then others
    /// get their turn, and the client gets its time again.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        // As much as that has been sent since the client got its time.
        let mut sent = PIECE;
        let mut is_late = false;
        while self.has_output() {
            let output = &mut self.buffers.get().output;
            match self.stream.try_write(output.piece())? {
                Some(written) => {
                    output.sent(written);
                    sent += written;
                }
                // There's no room even now.
                None if is_late => return Err(ErrorKind::TimedOut.into()),
                None => {}
            }
            if self.has_output() {
                if sent >= PIECE {
                    self.deadline.set(self.patience);
                    sent = 0;
                }
                match self.deadline.limit(self.stream.writable()).await {
                    Some(room) => room?,
                    None => is_late = true,
                }
            }
        }
        match self.buffers.get().output.failure() {
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
            None => Ok(()),
        }
    }

    /// Tells the client that the server is busy, and closes.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection.
    pub async fn turn_away(&mut self, why: Refusal) -> io::Result<()> {
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
    pub async fn finish(&mut self) -> io::Result<()> {
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
        self.lingers = true;
        loop {
            let input = &mut self.buffers.get().input;
            input.consume(input.unread().len());
            match self.read().await {
                Ok(Some(1..)) => {}
                // An error means that the client is gone as well.
                _ => return,
            }
        }
    }
}
