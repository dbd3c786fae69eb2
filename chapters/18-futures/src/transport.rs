//! A socket whose reads and writes never wait.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

/// What became of one read or one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Io {
    /// This many bytes were read or written. A read of 0 is the end of the stream.
    Done(usize),
    /// No bytes: none have come yet, or there's no room for more.
    NotNow,
}

/// A client's socket, which reads and writes what it can at once.
#[derive(Debug)]
pub struct Transport {
    stream: TcpStream,
}

impl Transport {
    /// Takes over a stream that was just accepted.
    ///
    /// # Errors
    ///
    /// Returns an error if the stream's options can't be set.
    pub fn new(stream: TcpStream) -> io::Result<Transport> {
        stream.set_nonblocking(true)?;
        // Answers are written whole: there is nothing that their last bytes should
        // wait for.
        stream.set_nodelay(true)?;
        Ok(Transport { stream })
    }

    /// Reads what has come, as far as there is room for it.
    ///
    /// # Errors
    ///
    /// Returns the error of a connection that is lost, such as a reset.
    pub fn read(&self, room: &mut [u8]) -> io::Result<Io> {
        attempt(|| (&self.stream).read(room))
    }

    /// Writes as many of these bytes as the socket has room for.
    ///
    /// # Errors
    ///
    /// Returns the error of a connection that is lost, such as a reset.
    pub fn write(&self, bytes: &[u8]) -> io::Result<Io> {
        attempt(|| (&self.stream).write(bytes))
    }

    /// What a poller can watch.
    pub fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    ///
    /// Returns an error if the client is already gone.
    pub fn end_writing(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

/// Makes a call that reads or writes.
fn attempt(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Io> {
    loop {
        match call() {
            Ok(count) => return Ok(Io::Done(count)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(Io::NotNow),
                // A signal came first. Nothing was read or written.
                ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests;
