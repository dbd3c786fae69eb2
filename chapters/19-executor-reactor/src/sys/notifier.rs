//! How another thread ends a wait: it makes a socket readable that the poller
//! watches.

use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};

#[cfg(unix)]
use std::io::{Read, Write};
#[cfg(unix)]
use std::os::unix::net::UnixStream as Socket;

#[cfg(windows)]
use std::net::UdpSocket as Socket;

/// Two ends of a connection of the program to itself.
///
/// Registered with a poller, to be read, it's readable after [`Notifier::notify`]
/// until
/// [`Notifier::drain`].
#[derive(Debug)]
pub struct Notifier {
    writer: Socket,
    reader: Socket,
}

impl Notifier {
    /// A notifier, and nothing to tell.
    ///
    /// # Errors
    ///
    /// Returns an error where the system has no sockets to spare.
    pub fn new() -> io::Result<Notifier> {
        let (writer, reader) = pair()?;
        // Neither waits: when there's no room for a byte, the one who is to be woken
        // has plenty to read.
        writer.set_nonblocking(true)?;
        reader.set_nonblocking(true)?;
        Ok(Notifier { writer, reader })
    }

    /// Ends the wait of the thread that watches this, or the next wait if it doesn't
    /// wait now.
    pub fn notify(&self) {
        // This fails when there are many bytes already, and one is enough.
        let _ = send(&self.writer);
    }

    /// Takes up what came, so that only what comes from now on ends a wait.
    pub fn drain(&self) {
        // An error means that nothing is left.
        while matches!(receive(&self.reader), Ok(1..)) {}
    }
}

#[cfg(unix)]
fn pair() -> io::Result<(Socket, Socket)> {
    Socket::pair()
}

#[cfg(unix)]
fn send(mut writer: &Socket) -> io::Result<usize> {
    writer.write(&[1])
}

#[cfg(unix)]
fn receive(mut reader: &Socket) -> io::Result<usize> {
    reader.read(&mut [0; 64])
}

/// The standard library has no pair of sockets on Windows. Two that are connected to
/// each other, and to no one else, are as good.
#[cfg(windows)]
fn pair() -> io::Result<(Socket, Socket)> {
    let (one, other) = (Socket::bind("127.0.0.1:0")?, Socket::bind("127.0.0.1:0")?);
    one.connect(other.local_addr()?)?;
    other.connect(one.local_addr()?)?;
    Ok((one, other))
}

#[cfg(windows)]
fn send(writer: &Socket) -> io::Result<usize> {
    writer.send(&[1])
}

#[cfg(windows)]
fn receive(reader: &Socket) -> io::Result<usize> {
    reader.recv(&mut [0; 64])
}

#[cfg(unix)]
impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

#[cfg(windows)]
impl AsSocket for Notifier {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.reader.as_socket()
    }
}
