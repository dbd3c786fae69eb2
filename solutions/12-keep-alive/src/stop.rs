//! The end of the server: who asks for it, and how the others learn of it.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use crate::sys::Signals;

/// How long the server waits for a connection to itself. Where it is not made at
/// once, others wait to be accepted, and they wake the server as well.
const WAKE: Duration = Duration::from_millis(100);

/// Whether the server is about to stop.
pub struct Stop {
    begun: AtomicBool,
    /// Where the server listens.
    addr: SocketAddr,
}

impl Stop {
    /// For a server that listens on this address.
    pub fn new(addr: SocketAddr) -> Stop {
        Stop {
            begun: AtomicBool::new(false),
            addr,
        }
    }

    /// Whether stopping has begun: requests that are here are answered, and no others
    /// awaited.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Begins to stop, and wakes up the thread that waits in `accept`.
    fn begin(&self) {
        self.begun.store(true, Ordering::Release);
        // A flag wakes nobody, but `accept` returns when a client connects. Where we
        // cannot connect, the server has reached its end meanwhile, or the end of the
        // grace will be its end.
        let _ = TcpStream::connect_timeout(&reachable(self.addr), WAKE);
    }
}

/// Where to connect to `addr`: not every system lets a program connect to "all
/// addresses".
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    addr
}

/// Watches for requests to end. A signal begins to stop, and a second one ends the
/// program at once; so does the end of the time that is granted for stopping. The end
/// of stdin begins to stop as well.
///
/// # Errors
///
/// Returns an error where the system does not let the program watch.
pub fn watch(stop: &Arc<Stop>, until_eof: bool, grace: Duration) -> io::Result<()> {
    let (ask, asked) = mpsc::channel();
    if until_eof {
        let ask = ask.clone();
        spawn(move || at_end_of_stdin(&ask))?;
    }
    let mut signals = Signals::listen()?;
    spawn(move || {
        if signals.wait().is_ok() {
            let _ = ask.send(());
        }
        if signals.wait().is_ok() {
            // What a shell reports of a program that Ctrl-C has ended.
            process::exit(130);
        }
    })?;
    let stop = Arc::clone(stop);
    spawn(move || {
        if asked.recv().is_ok() {
            stop.begin();
            thread::sleep(grace);
            // Main has not come to its end: a request takes longer than it may.
            crate::log("some clients took too long, and are left");
            process::exit(0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_reached_at_localhost() {
        for (listens, reached) in [
            ("0.0.0.0:7878", "127.0.0.1:7878"),
            ("[::]:7878", "[::1]:7878"),
            // Every other address is reached as it is.
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("192.0.2.7:7878", "192.0.2.7:7878"),
            ("[2001:db8::7]:7878", "[2001:db8::7]:7878"),
        ] {
            let addr = listens.parse().expect("an address");
            assert_eq!(reachable(addr).to_string(), reached, "from {listens}");
        }
    }
}
