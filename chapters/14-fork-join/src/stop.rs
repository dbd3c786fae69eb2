//! The end of the server: who asks for it, and how the others learn of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use crate::log::log;
use crate::sys::Signals;

/// How long the server waits for a connection to itself. Where it is not made at
/// once, others wait to be accepted, and they wake the server as well.
const WAKE: Duration = Duration::from_millis(100);

/// Whether the server is about to stop, and how many clients it still has.
#[derive(Debug)]
pub struct Stop {
    begun: AtomicBool,
    clients: AtomicUsize,
    /// Where the server listens.
    addr: SocketAddr,
}

impl Stop {
    /// For a server that listens on this address.
    pub fn new(addr: SocketAddr) -> Stop {
        Stop {
            begun: AtomicBool::new(false),
            clients: AtomicUsize::new(0),
            addr,
        }
    }

    /// Whether stopping has begun: requests that are here are answered, and no others
    /// awaited.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Counts a client, until the value that this returns is dropped.
    pub fn admit(stop: &Arc<Stop>) -> Client {
        stop.clients.fetch_add(1, Ordering::Relaxed);
        Client {
            stop: Arc::clone(stop),
        }
    }

    /// Begins to stop, and wakes up the thread that waits in `accept`.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Release);
        // A flag wakes nobody, but `accept` returns when a client connects. Where we
        // cannot connect, the server has reached its end meanwhile, or the end of the
        // grace will be its end.
        let _ = TcpStream::connect_timeout(&reachable(self.addr), WAKE);
    }
}

/// A client that has been accepted, and isn't done yet.
#[derive(Debug)]
pub struct Client {
    stop: Arc<Stop>,
}

impl Client {
    /// What tells whether the server is about to stop.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.clients.fetch_sub(1, Ordering::Relaxed);
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
            // Our own connection is a client as well, and has to be done by then.
            thread::sleep(grace.max(WAKE));
            // Main hasn't come to its end. Usually a request is taking too long.
            if stop.clients.load(Ordering::Relaxed) > 0 {
                log("some clients took too long, and are left");
            }
            process::exit(0);
        }
    })
}

fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().spawn(run).map(drop)
}

/// Reads stdin to its end, then asks for the shutdown.
fn at_end_of_stdin(ask: &Sender<()>) {
    // An error is an end too: nothing more will come.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    let _ = ask.send(());
}

#[cfg(test)]
mod tests;
