//! How many clients may wait to be accepted.

use std::ffi::c_int;
use std::io;
use std::net::TcpListener;
#[cfg(unix)]
use std::os::fd::{AsRawFd, RawFd as RawSocket};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, RawSocket};

// See listen(2). On Windows the function is in ws2_32.dll, and a socket is a number
// as wide as a pointer.
#[cfg_attr(windows, link(name = "ws2_32"))]
unsafe extern "system" {
    fn listen(socket: RawSocket, backlog: c_int) -> c_int;
}

/// Lets this many clients wait to be accepted, or as many as the system allows: on
/// Linux that is in `/proc/sys/net/core/somaxconn`.
///
/// The standard library asks for 128. When more come at once, Linux pretends not to
/// have heard of them, and each one asks again after a second. (Windows keeps to the
/// first number that a listener was given.)
///
/// # Errors
///
/// Returns an error where the system refuses.
pub fn widen_backlog(listener: &TcpListener, clients: u16) -> io::Result<()> {
    #[cfg(unix)]
    let socket = listener.as_raw_fd();
    #[cfg(windows)]
    let socket = listener.as_raw_socket();
    // SAFETY: the function takes two numbers and no pointers, and the listener lends
    // its socket, so that it's open.
    match unsafe { listen(socket, c_int::from(clients)) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
