//! epoll, on Linux: the kernel keeps the list of sockets, and hands out those that
//! are ready. A wait costs the same whether ten sockets are watched or ten thousand.

use std::ffi::c_int;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::{Event, Interest, milliseconds};

// ANCHOR: calls
// In the C library, which the standard library is linked with in any case: see
// epoll_create1(2), epoll_ctl(2) and epoll_wait(2).
unsafe extern "C" {
    fn epoll_create1(flags: c_int) -> c_int;
    fn epoll_ctl(epoll: c_int, op: c_int, fd: c_int, event: *mut EpollEvent)
    -> c_int;
    fn epoll_wait(
        epoll: c_int,
        events: *mut EpollEvent,
        room: c_int,
        milliseconds: c_int,
    ) -> c_int;
}

/// `struct epoll_event`. On x86-64 it's packed, so that 32-bit programs have the same
/// one: see epoll_event(3type) and bits/epoll.h.
#[derive(Clone, Copy)]
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
struct EpollEvent {
    events: u32,
    token: u64,
}
// ANCHOR_END: calls

// From sys/epoll.h and bits/epoll.h.
const EPOLL_CLOEXEC: c_int = 0o2_000_000;
const EPOLL_CTL_ADD: c_int = 1;
const EPOLL_CTL_DEL: c_int = 2;
const EPOLL_CTL_MOD: c_int = 3;
const EPOLLIN: u32 = 0x001;
const EPOLLOUT: u32 = 0x004;
/// Reported whether or not anyone has asked, as EPOLLHUP is.
const EPOLLERR: u32 = 0x008;
const EPOLLHUP: u32 = 0x010;
// There's also EPOLLRDHUP, which says that the client won't send any more. Nothing
// here asks for it. A read of zero bytes says the same, and while nobody reads, an
// event that stays there would end each wait at once.

/// How many events one wait takes at most. The others come with the next one.
const ROOM: usize = 256;

/// Watches sockets.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// A poller that watches nothing yet.
    ///
    /// # Errors
    ///
    /// Returns an error where the system has no descriptor to spare.
    pub fn new() -> io::Result<Poller> {
        // SAFETY: the function takes a number and no pointers.
        let fd = unsafe { epoll_create1(EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just opened this descriptor for us, and nobody else
        // knows its number.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Poller { epoll })
    }

    /// Watches a socket, and calls it by this number.
    ///
    /// Never watch a socket that has been cloned with `try_clone`: epoll watches it
    /// until its last clone is closed.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket is watched already, or if memory is short.
    pub fn register(
        &self,
        source: &(impl AsFd + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.control(EPOLL_CTL_ADD, source, token, interest)
    }

    /// Watches a socket for something else from now on.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket isn't watched.
    pub fn change(
        &self,
        source: &(impl AsFd + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.control(EPOLL_CTL_MOD, source, token, interest)
    }

    /// Watches a socket no longer. Do it before the socket is closed.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket isn't watched.
    pub fn remove(&self, source: &(impl AsFd + ?Sized)) -> io::Result<()> {
        self.control(EPOLL_CTL_DEL, source, 0, Interest::NONE)
    }

    // ANCHOR: control
    fn control(
        &self,
        op: c_int,
        source: &(impl AsFd + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let mut events = 0;
        if interest.read {
            events |= EPOLLIN;
        }
        if interest.write {
            events |= EPOLLOUT;
        }
        let mut event = EpollEvent { events, token };
        let (epoll, fd) = (self.epoll.as_raw_fd(), source.as_fd().as_raw_fd());
        // SAFETY: the pointer is good for reading one event while the call lasts, and
        // both descriptors are open because their owners are borrowed.
        match unsafe { epoll_ctl(epoll, op, fd, &raw mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
    // ANCHOR_END: control

    // ANCHOR: wait
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
        let mut ready = [EpollEvent {
            events: 0,
            token: 0,
        }; ROOM];
        // SAFETY: the pointer is good for writing ROOM events while the call lasts.
        let count = unsafe {
            epoll_wait(
                self.epoll.as_raw_fd(),
                ready.as_mut_ptr(),
                ROOM as c_int,
                milliseconds(timeout),
            )
        };
        // Negative is an error.
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                ErrorKind::Interrupted => Ok(()),
                _ => Err(error),
            };
        };
        events.extend(ready[..count].iter().map(|ready| Event {
            token: ready.token,
            readable: ready.events & EPOLLIN != 0,
            writable: ready.events & EPOLLOUT != 0,
            hangup: ready.events & (EPOLLERR | EPOLLHUP) != 0,
        }));
        Ok(())
    }
    // ANCHOR_END: wait
}

// All pollers run the same tests.
#[cfg(test)]
#[allow(clippy::duplicate_mod)]
#[path = "tests.rs"]
mod tests;
