//! Sockets whose calls are awaited.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, Shutdown};
use std::rc::Rc;

use crate::registered::{HungUp, Ready, Registered};
use crate::watched::Direction;

/// A listener.
pub struct TcpListener {
    // Dropped first: what's closed can't be watched.
    registered: Registered,
    listener: Rc<net::TcpListener>,
}

/// A connection.
pub struct TcpStream {
    // Dropped first: what's closed can't be watched.
    registered: Registered,
    stream: Rc<net::TcpStream>,
}

impl TcpListener {
    /// Has this thread's reactor watch a listener.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener can't be told not to wait, or can't be
    /// watched.
    pub fn new(listener: net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        let listener = Rc::new(listener);
        Ok(TcpListener {
            registered: Registered::new(Rc::clone(&listener) as _)?,
            listener,
        })
    }

    /// Waits until clients may want to come in: what the poller says.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the listener.
    pub fn acceptable(&self) -> Ready<'_> {
        self.registered.ready(Direction::Read)
    }

    /// Another descriptor of this listener.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no descriptor to spare.
    pub fn try_clone(&self) -> io::Result<net::TcpListener> {
        self.listener.try_clone()
    }

    /// Lets a client in; `None` if no one waits outside.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed accept.
    pub fn try_accept(&self) -> io::Result<Option<net::TcpStream>> {
        loop {
            match attempt(|| self.listener.accept()) {
                // This client left while it was waiting: the next one is there.
                Err(error) if has_left(&error) => {}
                accepted => {
                    return Ok(accepted?.map(|(stream, _)| stream));
                }
            }
        }
    }
}

impl TcpStream {
    /// Has this thread's reactor watch a stream that was just accepted.
    ///
    /// # Errors
    ///
    /// Returns an error if the stream's options can't be set, or it can't be watched.
    pub fn new(stream: net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        // Answers are written whole: there is nothing that their last bytes should
        // wait for.
        stream.set_nodelay(true)?;
        let stream = Rc::new(stream);
        Ok(TcpStream {
            registered: Registered::new(Rc::clone(&stream) as _)?,
            stream,
        })
    }

    /// Waits until there may be something to read.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the socket.
    pub fn readable(&self) -> Ready<'_> {
        self.registered.ready(Direction::Read)
    }

    /// Waits until there may be room to write.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the socket.
    pub fn writable(&self) -> Ready<'_> {
        self.registered.ready(Direction::Write)
    }

    /// Waits until the connection has failed, or both of its directions are closed.
    pub fn hung_up(&self) -> HungUp<'_> {
        self.registered.hung_up()
    }

    /// Reads what has come, as far as there's room for it; `None` if nothing has. A
    /// read of 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// Returns the error of a connection that is lost, such as a reset.
    pub fn try_read(&self, room: &mut [u8]) -> io::Result<Option<usize>> {
        attempt(|| (&*self.stream).read(room))
    }

    /// Writes as many of these bytes as the socket has room for; `None` if it has no
    /// room.
    ///
    /// # Errors
    ///
    /// Returns the error of a connection that is lost, such as a reset.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        attempt(|| (&*self.stream).write(bytes))
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

// ANCHOR: attempt
/// Makes a call that doesn't wait; `None` means that it would have to.
fn attempt<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<Option<T>> {
    loop {
        match call() {
            Ok(outcome) => return Ok(Some(outcome)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(None),
                // A signal came first, and nothing was done.
                ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}
// ANCHOR_END: attempt

/// Whether accepting failed because the client left while it waited. Windows calls
/// that `ConnectionReset`, other systems `ConnectionAborted`.
fn has_left(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests;
