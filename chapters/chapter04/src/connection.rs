//! A connection: a socket, and the bytes that have been read from it and not used yet.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::http::{HeadScanner, Refusal, Response};

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    /// What has been read and not consumed: it begins where the next head begins.
    input: Vec<u8>,
    scanner: HeadScanner,
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
    pub fn new(stream: TcpStream) -> Connection {
        Connection {
            stream,
            input: Vec::new(),
            scanner: HeadScanner::default(),
        }
    }

    /// Reads until a whole head is there.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed read, such as a reset connection.
    pub fn read_head(&mut self) -> io::Result<Head> {
        todo!("scan what is there; while the head is not complete, fill the input and scan again")
    }

    /// Reads once, and returns how many bytes came: 0 at the end of the stream.
    fn fill(&mut self) -> io::Result<usize> {
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
    /// Returns the error of a failed write, such as a reset connection.
    pub fn send(&mut self, response: &Response) -> io::Result<()> {
        let mut bytes = Vec::new();
        response.append_to(&mut bytes);
        self.stream.write_all(&bytes)
    }

    /// Closes the connection so that the last answer arrives.
    ///
    /// Closing a socket with unread input makes the kernel send RST, which destroys what is on its
    /// way to the client. So we say that we are done, and read what comes until the client closes
    /// too (RFC 9112, section 9.6).
    pub fn finish(mut self) {
        todo!(
            "shut down the sending half, then read and discard until the client closes or time is up"
        )
    }
}
