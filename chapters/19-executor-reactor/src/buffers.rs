//! Bytes on their way in and out of a connection.

use std::fs::File;
use std::io::{self, Read, Take};

use crate::response::Body;

/// The most that one read takes.
const READ: usize = 16 * 1024;
/// The most that one write sends, and as much of a file as is in memory.
pub const PIECE: usize = 64 * 1024;
/// Buffers that have grown larger than this aren't kept.
const MAX_KEPT: usize = 4 * PIECE;

/// What a connection has in memory while something is under way. Empty ones own no
/// memory until they are used.
#[derive(Debug, Default)]
pub struct Buffers {
    pub input: Input,
    pub output: Output,
}

impl Buffers {
    /// Whether nothing is under way: all that was read has been used, and all answers
    /// have been sent.
    pub fn are_empty(&self) -> bool {
        self.input.unread().is_empty() && self.output.is_empty()
    }

    /// Whether their memory is worth keeping for another connection.
    pub fn are_of_use(&self) -> bool {
        let (input, output) = (self.input.bytes.len(), self.output.bytes.capacity());
        input > 0 && input.max(output) <= MAX_KEPT && self.output.failure.is_none()
    }
}

/// Bytes that have been read, and where among them those begin that weren't used yet.
#[derive(Debug, Default)]
pub struct Input {
    /// The bytes that were read, and room for more.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// What has been read and not used.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Notes that bytes have been used. Those after them stay where they are.
    pub fn consume(&mut self, len: usize) {
        self.start += len;
        debug_assert!(self.start <= self.end, "only what was read can be used");
    }

    /// Where the next read can put its bytes.
    pub fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() - self.end < READ {
            // What isn't used yet moves to the front, once for each read at most.
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() - self.end < READ {
            self.bytes.resize(self.end + READ, 0);
        }
        &mut self.bytes[self.end..][..READ]
    }

    /// Notes that a read has put this many bytes into the room.
    pub fn add(&mut self, len: usize) {
        self.end += len;
    }
}

/// Answers that haven't been sent.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    /// How many of the bytes have been sent.
    sent: usize,
    /// What comes after them: the rest of a file.
    file: Option<Take<File>>,
    /// Why the last answer stays incomplete.
    failure: Option<io::Error>,
}

impl Output {
    /// Whether everything has been sent.
    pub fn is_empty(&self) -> bool {
        self.unsent() == 0 && self.file.is_none()
    }

    /// Whether no other answer can be added now: there is enough for one write, or
    /// the last answer isn't complete yet.
    pub fn is_full(&self) -> bool {
        self.unsent() >= PIECE || self.file.is_some() || self.failure.is_some()
    }

    /// Why the last answer stays incomplete, if a file in it became shorter, or can't
    /// be read any more. No other answer can follow it.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    fn unsent(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Where the head of an answer is appended.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Adds content after its head.
    pub fn put(&mut self, content: Body) {
        match content {
            Body::Bytes(content) => self.bytes.extend(content),
            Body::File(file, len) => {
                self.file = Some(file.take(len));
                self.read_on();
            }
        }
    }

    /// What to send next: at most one piece, and nothing only if nothing is left.
    pub fn piece(&mut self) -> &[u8] {
        if self.unsent() == 0 {
            self.read_on();
        }
        let piece = self.unsent().min(PIECE);
        &self.bytes[self.sent..][..piece]
    }

    /// Notes that this many bytes of the piece have been sent.
    pub fn sent(&mut self, len: usize) {
        self.sent += len;
        debug_assert!(self.sent <= self.bytes.len(), "only a piece can be sent");
        if self.unsent() == 0 {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// Reads from the file as much as completes a piece. This waits for the disk.
    fn read_on(&mut self) {
        let room = PIECE.saturating_sub(self.unsent()) as u64;
        let Some(mut file) = self.file.take() else {
            return;
        };
        let wanted = room.min(file.limit());
        match (&mut file).take(wanted).read_to_end(&mut self.bytes) {
            Ok(read) if read as u64 == wanted => {
                // At its end it is closed: another one may want its descriptor.
                self.file = Some(file).filter(|file| file.limit() > 0);
            }
            Ok(_) => {
                let why = "a file became shorter while it was sent";
                self.failure = Some(io::Error::other(why));
            }
            Err(error) => self.failure = Some(error),
        }
    }
}

#[cfg(test)]
mod tests;
