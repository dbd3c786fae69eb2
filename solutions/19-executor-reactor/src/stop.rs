//! The end of the server: who asks for it, and how the others learn of it.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::io;
use std::mem;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::log::log;
use crate::sys::Signals;

/// The shortest grace: clients that say nothing, or close, are gone by then.
const SHORTEST_GRACE: Duration = Duration::from_millis(100);

/// Whether the server is about to stop, and how many clients it still has.
#[derive(Debug, Default)]
pub struct Stop {
    begun: AtomicBool,
    clients: AtomicUsize,
    waiting: Mutex<Waiting>,
    /// What happens after the next look at the flag: a test makes it happen there.
    #[cfg(test)]
    after_a_look: tests::Surprise,
}

/// Who is to be woken when stopping begins.
#[derive(Debug, Default)]
struct Waiting {
    /// How many have asked for it, ever.
    count: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Stop {
    /// Whether stopping has begun: requests that are here are answered, and no others
    /// awaited.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Counts a client, until the value that this returns is dropped.
    pub fn admit(stop: &Arc<Stop>) -> Client {
        stop.clients.fetch_add(1, Ordering::Relaxed);
        Client {
            subscription: Subscription::new(stop),
        }
    }

    // ANCHOR: begin
    /// Begins to stop, and wakes all tasks that wait for that.
    pub fn begin(&self) {
        // The flag first: a task that's woken looks at it once, and then waits again.
        self.begun.store(true, Ordering::Release);
        let wakers = mem::take(&mut self.lock().wakers);
        wakers.into_values().for_each(Waker::wake);
    }
    // ANCHOR_END: begin

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here panics between two changes that belong together.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task's wish to be woken when stopping begins, until this is dropped.
#[derive(Debug)]
pub struct Subscription {
    stop: Arc<Stop>,
    number: u64,
    /// The waker that was left with the server's end.
    waker: Option<Waker>,
}

impl Subscription {
    /// A subscription that has left no waker yet.
    pub fn new(stop: &Arc<Stop>) -> Subscription {
        let mut waiting = stop.lock();
        waiting.count += 1;
        Subscription {
            stop: Arc::clone(stop),
            number: waiting.count,
            waker: None,
        }
    }

    /// Waits until stopping has begun.
    pub async fn begun(&mut self) {
        poll_fn(|context| self.poll_begun(context)).await;
    }

    // ANCHOR: poll_begun
    /// Whether stopping has begun. If not, the task is woken when it does. The waker
    /// stays when the task goes on to something else: to leave it again for each
    /// request would cost more than to be woken once too often.
    fn poll_begun(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker();
        if !matches!(&self.waker, Some(left) if left.will_wake(waker)) {
            self.waker = Some(waker.clone());
            self.stop.lock().wakers.insert(self.number, waker.clone());
        }
        // The waker first: if stopping begins after this look, it's there.
        let has_begun = self.stop.has_begun();
        #[cfg(test)]
        self.stop.after_a_look();
        if has_begun {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
    // ANCHOR_END: poll_begun
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.stop.lock().wakers.remove(&self.number);
    }
}

/// A client that has been accepted, and isn't done yet.
#[derive(Debug)]
pub struct Client {
    subscription: Subscription,
}

impl Client {
    /// Whether the server is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.subscription.stop.has_begun()
    }

    /// Waits for the moment in which stopping begins. That's forever if it has begun
    /// already.
    pub async fn stopping(&mut self) {
        if self.is_stopping() {
            pending().await
        }
        poll_fn(|context| self.subscription.poll_begun(context)).await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.subscription
            .stop
            .clients
            .fetch_sub(1, Ordering::Relaxed);
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
