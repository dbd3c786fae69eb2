//! What the standard library cannot do: to hear that the user or the system wants the program to end.
//!
//! This file is given. It is the only one in which `unsafe` code stands, because it calls functions
//! of the operating system that Rust knows nothing about.

use std::io;

/// Requests to end the program: Ctrl-C, and on Unix SIGTERM, with which service managers ask.
///
/// From the moment a value is made, these no longer end the program by themselves.
pub struct StopRequests(imp::Requests);

impl StopRequests {
    /// Begins to listen. Make one value, at the start of the program.
    ///
    /// # Errors
    ///
    /// Returns an error where the system does not let the program handle these requests.
    pub fn listen() -> io::Result<StopRequests> {
        imp::Requests::listen().map(StopRequests)
    }

    /// Waits for the next request.
    ///
    /// # Errors
    ///
    /// Returns an error where no request can be received any more.
    pub fn wait(&mut self) -> io::Result<()> {
        self.0.wait()
    }
}

#[cfg(unix)]
mod imp {
    use std::ffi::{c_int, c_void};
    use std::io::{self, PipeReader, Read};
    use std::os::fd::IntoRawFd;
    use std::sync::atomic::{AtomicI32, Ordering};

    // The C library that every Unix program is linked with has these functions; see signal(2) and
    // write(2). The numbers are the same on Linux, macOS and the BSDs.
    const SIGINT: c_int = 2;
    const SIGTERM: c_int = 15;
    /// What `signal` returns instead of a handler when it fails: `SIG_ERR`.
    const FAILED: usize = usize::MAX;

    unsafe extern "C" {
        fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
        fn write(fd: c_int, bytes: *const c_void, len: usize) -> isize;
    }

    /// The writing end of the pipe through which the handler speaks.
    static WRITER: AtomicI32 = AtomicI32::new(-1);

    /// Runs in the middle of whatever a thread was doing, between two machine instructions. So it
    /// may take no lock and allocate nothing: it writes one byte and returns. See
    /// signal-safety(7).
    extern "C" fn on_signal(_number: c_int) {
        let byte = 0_u8;
        // SAFETY: the pointer is valid for reading one byte, and the descriptor is never closed.
        unsafe { write(WRITER.load(Ordering::Relaxed), (&raw const byte).cast(), 1) };
    }

    pub(super) struct Requests {
        reader: PipeReader,
    }

    impl Requests {
        pub(super) fn listen() -> io::Result<Requests> {
            let (reader, writer) = io::pipe()?;
            WRITER.store(writer.into_raw_fd(), Ordering::Relaxed);
            for number in [SIGINT, SIGTERM] {
                // SAFETY: the handler has the type that signal(2) asks for and does only what a
                // signal handler may do.
                if unsafe { signal(number, on_signal) } == FAILED {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(Requests { reader })
        }

        pub(super) fn wait(&mut self) -> io::Result<()> {
            self.reader.read_exact(&mut [0])
        }
    }
}

#[cfg(windows)]
mod imp {
    use std::io;
    use std::sync::{Condvar, Mutex, PoisonError};

    // In kernel32, which every Windows program is linked with; see SetConsoleCtrlHandler.
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetConsoleCtrlHandler(handler: extern "system" fn(u32) -> i32, add: i32) -> i32;
    }

    /// How many requests have come that nobody has waited for yet.
    static PENDING: Mutex<u32> = Mutex::new(0);
    static COME: Condvar = Condvar::new();

    /// Windows calls this on a thread of its own, so it may take a lock. Nonzero means: handled.
    extern "system" fn on_control(_event: u32) -> i32 {
        *PENDING.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        COME.notify_one();
        1
    }

    pub(super) struct Requests;

    impl Requests {
        pub(super) fn listen() -> io::Result<Requests> {
            // SAFETY: the handler has the type that the function asks for and lives for ever.
            match unsafe { SetConsoleCtrlHandler(on_control, 1) } {
                0 => Err(io::Error::last_os_error()),
                _ => Ok(Requests),
            }
        }

        pub(super) fn wait(&mut self) -> io::Result<()> {
            let pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
            let mut pending = COME
                .wait_while(pending, |pending| *pending == 0)
                .unwrap_or_else(PoisonError::into_inner);
            *pending -= 1;
            Ok(())
        }
    }
}
