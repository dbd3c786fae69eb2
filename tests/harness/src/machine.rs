//! Faults of the machine that runs the tests. A learner isn't to blame for them, so a
//! report names them first.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{DEADLINE, PROC};

/// The lowest limit of descriptors with which a milestone is at ease: its sockets,
/// its programs' pipes, and what libtest and reqwest need.
const ENOUGH: u64 = 256;

/// What is wrong with the machine, and what to do about it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) problem: String,
    pub(crate) likely: String,
}

impl Fault {
    /// What the machine's fault is, if this error of the test's own says so.
    pub(crate) fn of(error: &io::Error) -> Option<Fault> {
        if is_out_of_descriptors(error) {
            return Some(out_of_descriptors(error));
        }
        is_without_loopback(error).then(|| no_loopback(error))
    }

    /// Looks whether this machine can connect to itself at all.
    pub(crate) fn find() -> Option<Fault> {
        let connect = || {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            TcpStream::connect(listener.local_addr()?)
        };
        connect().err().and_then(|error| Fault::of(&error))
    }
}

/// EMFILE or ENFILE: on Unix 24 and 23, on Windows WSAEMFILE.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number.is_some_and(|number| match cfg!(windows) {
        true => number == 10024 || number == 4,
        false => number == 24 || number == 23,
    })
}

/// Tries again for a while if the test itself has no descriptor left: its other
/// checks, which run at the same time, give some back.
pub(crate) fn while_descriptors_are_short<T>(
    call: &mut dyn FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let until = Instant::now() + DEADLINE;
    loop {
        match call() {
            Err(error) if is_out_of_descriptors(&error) && Instant::now() < until => {
                thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}

/// An address or a network that isn't there, where the address is 127.0.0.1.
fn is_without_loopback(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkDown};
    use io::ErrorKind::{NetworkUnreachable, PermissionDenied};
    let kinds = [
        AddrNotAvailable,
        HostUnreachable,
        NetworkDown,
        NetworkUnreachable,
        PermissionDenied,
    ];
    kinds.contains(&error.kind())
}

fn out_of_descriptors(error: &io::Error) -> Fault {
    let limit = match descriptor_limit() {
        Some(limit) => format!(", whose limit is {limit} here"),
        None => String::new(),
    };
    Fault {
        problem: format!(
            "The test itself has no descriptor left{limit} ({error}): your program \
             isn't to blame."
        ),
        likely: format!(
            "a milestone needs up to {ENOUGH} files and sockets. Allow more in this \
             shell and try again: ulimit -n 1024"
        ),
    }
}

fn no_loopback(error: &io::Error) -> Fault {
    Fault {
        problem: format!(
            "This machine can't connect to itself by way of 127.0.0.1 ({error}): \
             your program isn't to blame."
        ),
        likely: "its loopback interface is missing or down, as in a container or a \
                 sandbox without a network. On Linux, `ip addr show lo` shows it and \
                 `ip link set lo up` brings it up."
            .to_owned(),
    }
}

/// What to say if a program that has run out of descriptors had few from the start.
pub(crate) fn low_limit() -> Option<String> {
    let limit = descriptor_limit().filter(|limit| *limit < ENOUGH)?;
    Some(format!(
        "this shell allows {limit} descriptors only, and a milestone needs up to \
         {ENOUGH}: allow more and try again with ulimit -n 1024"
    ))
}

/// How many descriptors this process may have, if the system tells: see proc(5).
fn descriptor_limit() -> Option<u64> {
    let limits = std::fs::read_to_string(format!("{PROC}/self/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    line?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_in_order_has_no_fault() {
        assert!(Fault::find().is_none());
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(Fault::of(&reset).is_none());
    }

    #[test]
    #[cfg(unix)]
    fn a_fault_is_told_in_words() {
        let fault = Fault::of(&io::Error::from_raw_os_error(24)).expect("EMFILE");
        assert!(fault.problem.contains("no descriptor left"), "{fault:?}");
        let error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let fault = Fault::of(&error).expect("no loopback");
        assert!(fault.likely.contains("loopback"), "{fault:?}");
    }
}
