//! The end of the server: who asks for it, and how the others learn of it.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use crate::log::log;
use crate::sys::{Notifier, Signals};

/// The shortest grace: clients that say nothing, or close, are gone by then.
const SHORTEST_GRACE: Duration = Duration::from_millis(100);

/// Whether the server is about to stop, and how many clients it still has.
#[derive(Debug)]
pub struct Stop {
    begun: AtomicBool,
    clients: AtomicUsize,
    /// What ends the wait of the loop.
    bell: Notifier,
}

impl Stop {
    /// Stopping hasn't begun, and there are no clients yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no descriptors to spare.
    pub fn new() -> io::Result<Stop> {
        Ok(Stop {
            begun: AtomicBool::new(false),
            clients: AtomicUsize::new(0),
            bell: Notifier::new()?,
        })
    }

    /// What rings when stopping begins.
    pub fn bell(&self) -> &Notifier {
        &self.bell
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

    /// Begins to stop, and wakes the loop up.
    pub fn begin(&self) {
        // The flag first: the loop looks at it once it's awake, and then waits again.
        self.begun.store(true, Ordering::Release);
        self.bell.notify();
    }
}

/// A client that has been accepted, and isn't done yet.
#[derive(Debug)]
pub struct Client {
    stop: Arc<Stop>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.clients.fetch_sub(1, Ordering::Relaxed);
    }
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
            thread::sleep(grace.max(SHORTEST_GRACE));
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
