//! Signals that ask the program to end.

use std::io;

/// Signals that ask the program to end: Ctrl-C, and on Unix also SIGTERM, with which
/// service managers ask.
///
/// From the moment a value is made, these no longer end the program by themselves.
#[derive(Debug)]
pub struct Signals(imp::Signals);

impl Signals {
    /// Begins to listen. Make one value, at the start of the program.
    ///
    /// # Errors
    ///
    /// Returns an error where the system does not let the program handle signals.
    pub fn listen() -> io::Result<Signals> {
        imp::Signals::listen().map(Signals)
    }

    /// Waits for the next signal.
    ///
    /// # Errors
    ///
    /// Returns an error where no signal can be received any more.
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

    // Rust's standard library is itself linked with the C library, which has these
    // two functions: see signal(2) and write(2). The numbers are the same on Linux,
    // macOS and the BSDs.
    unsafe extern "C" {
        fn signal(number: c_int, handler: usize) -> usize;
        fn write(fd: c_int, bytes: *const c_void, len: usize) -> isize;
    }

    const SIGINT: c_int = 2;
    const SIGTERM: c_int = 15;
    /// In place of a handler: the signal is ignored. SIG_IGN is 1.
    const SIG_IGN: usize = 1;
    /// What `signal` returns when it fails: SIG_ERR, which is -1.
    const SIG_ERR: usize = usize::MAX;

    /// The end of a pipe into which the handler writes.
    static WRITER: AtomicI32 = AtomicI32::new(-1);

    /// Runs in the middle of whatever a thread was doing, perhaps while it holds a
    /// lock. So it takes no lock and allocates nothing: it writes one byte, and
    /// returns. See signal-safety(7).
    extern "C" fn on_signal(_number: c_int) {
        let byte = 0_u8;
        // SAFETY: the pointer is good for reading one byte, write() may be called in
        // a signal handler, and the descriptor belongs to the pipe for as long as the
        // program runs. (The interrupted code may rely on errno. C libraries set that
        // only when a call fails, and there is room for thousands of bytes in the
        // pipe, so this call does not.)
        unsafe { write(WRITER.load(Ordering::Relaxed), (&raw const byte).cast(), 1) };
    }

    /// Says how a signal is dealt with from now on, and returns how it was before.
    fn handle(number: c_int, handler: usize) -> io::Result<usize> {
        // SAFETY: the handler is SIG_IGN, or a function of the type that signal(2)
        // asks for, which does only what a handler may do.
        match unsafe { signal(number, handler) } {
            SIG_ERR => Err(io::Error::last_os_error()),
            before => Ok(before),
        }
    }

    #[derive(Debug)]
    pub(super) struct Signals {
        reader: PipeReader,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Signals> {
            let (reader, writer) = io::pipe()?;
            // From here on nobody owns the descriptor, so nobody closes it.
            WRITER.store(writer.into_raw_fd(), Ordering::Relaxed);
            for number in [SIGINT, SIGTERM] {
                // A program that is started with a signal ignored, as with nohup or
                // by a script's `&`, has to go on ignoring it.
                if handle(number, on_signal as *const () as usize)? == SIG_IGN {
                    handle(number, SIG_IGN)?;
                }
            }
            Ok(Signals { reader })
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
    use std::thread;

    // In kernel32.dll; see SetConsoleCtrlHandler and HandlerRoutine in Microsoft's
    // documentation.
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetConsoleCtrlHandler(
            handler: extern "system" fn(u32) -> i32,
            add: i32,
        ) -> i32;
    }

    const CTRL_C_EVENT: u32 = 0;
    const CTRL_BREAK_EVENT: u32 = 1;

    /// How many signals have come for which nobody has waited yet.
    static PENDING: Mutex<u32> = Mutex::new(0);
    static COME: Condvar = Condvar::new();

    /// Windows calls this on a thread of its own, so it may take a lock.
    extern "system" fn on_control(event: u32) -> i32 {
        *PENDING.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        COME.notify_one();
        if matches!(event, CTRL_C_EVENT | CTRL_BREAK_EVENT) {
            return 1; // It has been dealt with.
        }
        // The console is closed, or the user logs off. Windows ends the program when
        // this function returns, and some seconds later in any case. So it waits for
        // the program to end itself.
        loop {
            thread::park();
        }
    }

    #[derive(Debug)]
    pub(super) struct Signals;

    impl Signals {
        pub(super) fn listen() -> io::Result<Signals> {
            // SAFETY: the handler has the type that the function asks for, and may be
            // called at any time on any thread.
            match unsafe { SetConsoleCtrlHandler(on_control, 1) } {
                0 => Err(io::Error::last_os_error()),
                _ => Ok(Signals),
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
