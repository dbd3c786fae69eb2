//! The end of the server: who asks for it, and how the others learn of it.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::sys::StopRequests;

/// How long a thread that connects to its own server waits, which listens on the same machine.
const WAKE: Duration = Duration::from_secs(1);

/// Whether the server is about to stop.
pub struct Stop {
    begun: AtomicBool,
    /// Where the server listens.
    addr: SocketAddr,
}

impl Stop {
    /// For a server that listens on this address, and goes on until [`Stop::begin`].
    pub fn new(addr: SocketAddr) -> Stop {
        Stop {
            begun: AtomicBool::new(false),
            addr,
        }
    }

    /// Whether stopping has begun: no new requests are awaited, those that are here are answered.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Begins to stop, and wakes up the thread that waits in `accept`.
    fn begin(&self) {
        self.begun.store(true, Ordering::Release);
        // A flag wakes nobody: `accept` returns when a client connects. Where this connection fails
        // the server is not waiting any more.
        let _ = TcpStream::connect_timeout(&reachable(self.addr), WAKE);
    }
}

/// An address at which a listener on `addr` can be reached: nobody can connect to "all addresses".
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    addr
}

/// Watches for requests to end: the first begins the shutdown, a second ends the program at once,
/// and so does the end of the time that is granted for the shutdown.
///
/// # Errors
///
/// Returns an error where the system does not let the program watch.
pub fn watch(stop: &Arc<Stop>, until_eof: bool, grace: Duration) -> io::Result<()> {
    let (ask, asked) = mpsc::channel();
    let mut requests = StopRequests::listen()?;
    let ask_by_signal = ask.clone();
    spawn(move || while requests.wait().is_ok() && ask_by_signal.send(()).is_ok() {})?;
    if until_eof {
        spawn(move || at_end_of_stdin(&ask))?;
    } else {
        drop(ask);
    }
    let stop = Arc::clone(stop);
    spawn(move || {
        if asked.recv().is_err() {
            return;
        }
        stop.begin();
        match asked.recv_timeout(grace) {
            Ok(()) => process::exit(130),
            Err(RecvTimeoutError::Timeout) => {
                crate::log("some clients took too long, and are left");
                process::exit(0);
            }
            // Nobody can ask any more; main ends the program when all is answered.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(grace),
        }
    })
}

fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().spawn(run).map(drop)
}

/// Reads stdin to its end, then asks for the shutdown.
fn at_end_of_stdin(ask: &Sender<()>) {
    let mut stdin = io::stdin().lock();
    let mut ignored = [0; 1024];
    // An error is an end too: nothing more will come.
    while let Ok(1..) = stdin.read(&mut ignored) {}
    let _ = ask.send(());
}
