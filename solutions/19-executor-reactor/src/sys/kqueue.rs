//! kqueue, on macOS and FreeBSD: as with epoll, the kernel keeps the list of sockets.
//! Reading and writing are two entries in it, called filters, and two events.

use std::ffi::{c_int, c_long, c_void};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use super::{Event, Interest};

// In the C library: see kqueue(2).
unsafe extern "C" {
    fn kqueue() -> c_int;
    fn kevent(
        kqueue: c_int,
        changes: *const Kevent,
        change_count: c_int,
        events: *mut Kevent,
        room: c_int,
        timeout: *const Timespec,
    ) -> c_int;
}

/// `struct kevent`, from sys/event.h. On FreeBSD it's the one of FreeBSD 12 and
/// newer.
#[derive(Clone, Copy)]
#[repr(C)]
struct Kevent {
    /// The descriptor.
    ident: usize,
    filter: i16,
    flags: u16,
    /// For a socket that has failed, the error's number.
    fflags: u32,
    data: i64,
    /// Ours: the kernel gives it back as it was. All systems here have 64 bits.
    token: u64,
    #[cfg(target_os = "freebsd")]
    ext: [u64; 4],
}

/// `struct timespec`, from sys/_timespec.h or sys/_types/_timespec.h.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: c_long,
}

// A pointer and a `time_t` are as wide as the numbers in their places.
const _: () = assert!(size_of::<*mut c_void>() == size_of::<u64>());

// From sys/event.h. They are the same on both systems.
const EVFILT_READ: i16 = -1;
const EVFILT_WRITE: i16 = -2;
const EV_ADD: u16 = 0x0001;
const EV_DELETE: u16 = 0x0002;
const EV_CLEAR: u16 = 0x0020;
const EV_RECEIPT: u16 = 0x0040;
const EV_ERROR: u16 = 0x4000;
const EV_EOF: u16 = 0x8000;
/// What a change of an entry is answered with that isn't there; see errno(2).
const ENOENT: i64 = 2;

/// How many events one wait takes at most. The others come with the next one.
const ROOM: usize = 256;

/// Watches sockets.
#[derive(Debug)]
pub struct Poller {
    kqueue: OwnedFd,
}

impl Poller {
    /// A poller that watches nothing yet.
    ///
    /// # Errors
    ///
    /// Returns an error where the system has no descriptor to spare.
    pub fn new() -> io::Result<Poller> {
        // SAFETY: the function takes nothing.
        let fd = unsafe { kqueue() };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just opened this descriptor for us, and nobody else
        // knows its number. (A program that is started by ours doesn't inherit it.)
        let kqueue = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Poller { kqueue })
    }

    /// Watches a socket, and calls it by this number.
    ///
    /// # Errors
    ///
    /// Returns an error if memory is short.
    pub fn register(
        &self,
        source: &(impl AsFd + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let fd = source.as_fd();
        // Where reading isn't wanted, the end of the connection is. It's reported by
        // the same filter, so that stays; but it's cleared by being reported, as
        // bytes that nobody wants would otherwise be reported by each wait.
        let clear = if interest.read { 0 } else { EV_CLEAR };
        let mut changes = vec![
            // The kernel keeps EV_CLEAR as it was when the filter was added.
            entry(&fd, EVFILT_READ, EV_DELETE, token),
            entry(&fd, EVFILT_WRITE, EV_DELETE, token),
            entry(&fd, EVFILT_READ, EV_ADD | clear, token),
        ];
        if interest.write {
            changes.push(entry(&fd, EVFILT_WRITE, EV_ADD, token));
        }
        self.apply(&changes)
    }

    /// Watches a socket for something else from now on.
    ///
    /// # Errors
    ///
    /// Returns an error if memory is short.
    pub fn change(
        &self,
        source: &(impl AsFd + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.register(source, token, interest)
    }

    /// Watches a socket no longer. Do it before the socket is closed.
    ///
    /// # Errors
    ///
    /// Returns an error where the system refuses.
    pub fn remove(&self, source: &(impl AsFd + ?Sized)) -> io::Result<()> {
        let fd = source.as_fd();
        self.apply(&[
            entry(&fd, EVFILT_READ, EV_DELETE, 0),
            entry(&fd, EVFILT_WRITE, EV_DELETE, 0),
        ])
    }

    /// Applies changes, in this order. To delete what isn't there is fine.
    fn apply(&self, changes: &[Kevent]) -> io::Result<()> {
        // With EV_RECEIPT, each change has its outcome in its place, and no event of
        // a socket comes between.
        let mut outcomes = changes.to_vec();
        let count = changes.len() as c_int;
        // SAFETY: the pointers are good for reading and writing `count` entries while
        // the call lasts, and no timeout is given.
        let done = unsafe {
            kevent(
                self.kqueue.as_raw_fd(),
                changes.as_ptr(),
                count,
                outcomes.as_mut_ptr(),
                count,
                ptr::null(),
            )
        };
        if done < 0 {
            return Err(io::Error::last_os_error());
        }
        for (change, outcome) in changes.iter().zip(outcomes) {
            let is_gone = change.flags & EV_DELETE != 0 && outcome.data == ENOENT;
            if outcome.flags & EV_ERROR != 0 && outcome.data != 0 && !is_gone {
                return Err(io::Error::from_raw_os_error(outcome.data as i32));
            }
        }
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
        let nothing = Kevent {
            ident: 0,
            filter: 0,
            flags: 0,
            fflags: 0,
            data: 0,
            token: 0,
            #[cfg(target_os = "freebsd")]
            ext: [0; 4],
        };
        let mut ready = [nothing; ROOM];
        // To the nanosecond, so that nothing has to be rounded.
        let timeout = timeout.map(|timeout| Timespec {
            seconds: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: c_long::from(timeout.subsec_nanos() as i32),
        });
        // SAFETY: the pointer to events is good for writing ROOM of them while the
        // call lasts, no changes are given, and the timeout is a valid one, or null.
        let count = unsafe {
            kevent(
                self.kqueue.as_raw_fd(),
                ptr::null(),
                0,
                ready.as_mut_ptr(),
                ROOM as c_int,
                timeout.as_ref().map_or(ptr::null(), ptr::from_ref),
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
        events.extend(ready[..count].iter().filter_map(event));
        Ok(())
    }
}

/// A change of one entry of the kernel's list.
fn entry(
    source: &(impl AsFd + ?Sized),
    filter: i16,
    flags: u16,
    token: u64,
) -> Kevent {
    Kevent {
        // A descriptor isn't negative.
        ident: source.as_fd().as_raw_fd() as usize,
        filter,
        flags: flags | EV_RECEIPT,
        fflags: 0,
        data: 0,
        token,
        #[cfg(target_os = "freebsd")]
        ext: [0; 4],
    }
}

/// What an entry that is ready says; `None` if nobody wanted to know.
fn event(ready: &Kevent) -> Option<Event> {
    // A client that won't send any more is EV_EOF alone, and something to read.
    let hangup = ready.flags & EV_EOF != 0 && ready.fflags != 0;
    let wanted = ready.flags & EV_CLEAR == 0;
    (hangup || wanted).then_some(Event {
        token: ready.token,
        readable: wanted && ready.filter == EVFILT_READ,
        writable: wanted && ready.filter == EVFILT_WRITE,
        hangup,
    })
}

// All pollers run the same tests.
#[cfg(test)]
#[allow(clippy::duplicate_mod)]
#[path = "tests.rs"]
mod tests;
