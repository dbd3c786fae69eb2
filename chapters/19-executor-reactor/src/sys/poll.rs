//! poll, on all kinds of Unix, and WSAPoll, on Windows: the program keeps the list of
//! sockets, and the kernel goes through all of it in each call.

use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Event, Interest, Source, milliseconds};
use system::{HANGUP, POLLIN, POLLOUT, PollFd, READABLE, descriptor, poll};

/// How long to wait when the kernel reports only what nobody has asked for.
const LATER: Duration = Duration::from_millis(5);

/// Watches sockets.
#[derive(Debug, Default)]
pub struct Poller {
    watched: Mutex<Watched>,
}

/// The sockets that are watched, in two lists of the same length, because the kernel
/// has no place for a token in its own.
#[derive(Debug, Default, Clone)]
struct Watched {
    sockets: Vec<PollFd>,
    tokens: Vec<u64>,
}

impl Watched {
    /// Where in the lists a socket is.
    fn find(&self, source: &(impl Source + ?Sized)) -> Option<usize> {
        let fd = descriptor(source);
        self.sockets.iter().position(|socket| socket.fd == fd)
    }
}

impl Poller {
    /// A poller that watches nothing yet.
    ///
    /// # Errors
    ///
    /// Returns no error. Other systems' pollers do.
    pub fn new() -> io::Result<Poller> {
        Ok(Poller::default())
    }

    /// Watches a socket, and calls it by this number.
    ///
    /// If another thread waits meanwhile, its next wait is the first that heeds this,
    /// or a change, or a removal.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket is watched already.
    pub fn register(
        &self,
        source: &(impl Source + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let mut watched = self.lock();
        if watched.find(source).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        watched.sockets.push(PollFd {
            fd: descriptor(source),
            events: asked(interest),
            revents: 0,
        });
        watched.tokens.push(token);
        Ok(())
    }

    /// Watches a socket for something else from now on.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket isn't watched.
    pub fn change(
        &self,
        source: &(impl Source + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let mut watched = self.lock();
        let at = watched.find(source).ok_or(ErrorKind::NotFound)?;
        watched.sockets[at].events = asked(interest);
        watched.tokens[at] = token;
        Ok(())
    }

    /// Watches a socket no longer. Do it before the socket is closed.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket isn't watched.
    pub fn remove(&self, source: &(impl Source + ?Sized)) -> io::Result<()> {
        let mut watched = self.lock();
        let at = watched.find(source).ok_or(ErrorKind::NotFound)?;
        watched.sockets.swap_remove(at);
        watched.tokens.swap_remove(at);
        Ok(())
    }

    /// Waits until a socket is ready, at most for this long, and replaces what's in
    /// `events` by what has happened. There may be nothing: when the time is up, or
    /// when a signal has interrupted the wait.
    ///
    /// # Errors
    ///
    /// Returns an error where the system can't wait.
    pub fn wait(
        &self,
        events: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        events.clear();
        // A copy, so that others may register sockets while this waits.
        let Watched {
            mut sockets,
            tokens,
        } = self.lock().clone();
        match poll(&mut sockets, milliseconds(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            outcome => outcome?,
        }
        let mut reported = false;
        for (socket, token) in sockets.iter().zip(tokens) {
            let (asked, told) = (socket.events, socket.revents);
            let event = Event {
                token,
                readable: asked & POLLIN != 0 && told & READABLE != 0,
                writable: told & POLLOUT != 0,
                hangup: told & HANGUP != 0,
            };
            if event.readable || event.writable || event.hangup {
                events.push(event);
            }
            reported |= told != 0;
        }
        if reported && events.is_empty() {
            // Windows tells in any case that a client won't send any more, and would
            // end each wait with that until the client has taken its answer.
            thread::sleep(LATER);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        // Nothing in here panics between two changes that belong together.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to ask the kernel for.
fn asked(interest: Interest) -> i16 {
    let mut events = 0;
    if interest.read {
        events |= POLLIN;
    }
    if interest.write {
        events |= POLLOUT;
    }
    events
}

#[cfg(unix)]
mod system {
    use std::ffi::c_int;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, RawFd};

    /// How many there are. poll(2) says `nfds_t`, and systems disagree on how wide
    /// that is: see poll.h.
    #[cfg(any(target_os = "linux", target_os = "solaris", target_os = "illumos"))]
    type Count = std::ffi::c_ulong;
    #[cfg(not(any(
        target_os = "linux",
        target_os = "solaris",
        target_os = "illumos"
    )))]
    type Count = std::ffi::c_uint;

    // In the C library: see poll(2).
    unsafe extern "C" {
        #[link_name = "poll"]
        fn c_poll(sockets: *mut PollFd, count: Count, milliseconds: c_int) -> c_int;
    }

    /// `struct pollfd`: what is asked of a descriptor, and what poll answers.
    #[derive(Debug, Clone, Copy)]
    #[repr(C)]
    pub(super) struct PollFd {
        pub(super) fd: RawFd,
        pub(super) events: i16,
        pub(super) revents: i16,
    }

    // From poll.h. They are the same on Linux, macOS and the BSDs.
    pub(super) const POLLIN: i16 = 0x001;
    pub(super) const POLLOUT: i16 = 0x004;
    /// Reported whether or not anyone has asked, as POLLHUP is.
    const POLLERR: i16 = 0x008;
    const POLLHUP: i16 = 0x010;

    pub(super) const READABLE: i16 = POLLIN;
    pub(super) const HANGUP: i16 = POLLERR | POLLHUP;

    pub(super) fn descriptor(source: &(impl AsFd + ?Sized)) -> RawFd {
        source.as_fd().as_raw_fd()
    }

    pub(super) fn poll(
        sockets: &mut [PollFd],
        milliseconds: c_int,
    ) -> io::Result<()> {
        // SAFETY: pointer and count are those of a slice, which is good for reading
        // and writing while the call lasts.
        let count = unsafe {
            c_poll(sockets.as_mut_ptr(), sockets.len() as Count, milliseconds)
        };
        match count {
            0.. => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::c_int;
    use std::io;
    use std::os::windows::io::{AsRawSocket, AsSocket, RawSocket};

    // In ws2_32.dll: see WSAPoll in Microsoft's documentation.
    #[link(name = "ws2_32")]
    unsafe extern "system" {
        fn WSAPoll(sockets: *mut PollFd, count: u32, milliseconds: c_int) -> c_int;
    }

    /// `WSAPOLLFD`: what is asked of a socket, and what WSAPoll answers.
    #[derive(Debug, Clone, Copy)]
    #[repr(C)]
    pub(super) struct PollFd {
        pub(super) fd: RawSocket,
        pub(super) events: i16,
        pub(super) revents: i16,
    }

    // From winsock2.h: POLLIN is POLLRDNORM and POLLRDBAND, POLLOUT is POLLWRNORM.
    pub(super) const POLLIN: i16 = 0x0300;
    pub(super) const POLLOUT: i16 = 0x0010;
    /// Reported whether or not anyone has asked, as POLLHUP is.
    const POLLERR: i16 = 0x0001;
    /// What Unix reports as something to read, namely the end of the stream.
    const POLLHUP: i16 = 0x0002;

    pub(super) const READABLE: i16 = POLLIN | POLLHUP;
    pub(super) const HANGUP: i16 = POLLERR;

    pub(super) fn descriptor(source: &(impl AsSocket + ?Sized)) -> RawSocket {
        source.as_socket().as_raw_socket()
    }

    pub(super) fn poll(
        sockets: &mut [PollFd],
        milliseconds: c_int,
    ) -> io::Result<()> {
        // SAFETY: pointer and count are those of a slice, which is good for reading
        // and writing while the call lasts.
        let count = unsafe {
            WSAPoll(sockets.as_mut_ptr(), sockets.len() as u32, milliseconds)
        };
        match count {
            0.. => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

// All pollers run the same tests.
#[cfg(test)]
#[allow(clippy::duplicate_mod)]
#[path = "tests.rs"]
mod tests;
