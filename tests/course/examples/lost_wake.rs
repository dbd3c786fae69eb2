//! How often a stress test finds a wake that is lost between a look and the waker that
//! is left after it: `cargo run --release -q -p course --example lost_wake`.
//!
//! Each round has two threads. One looks whether an event has happened, and then
//! leaves its waker, which is the wrong way round. The other one makes the event
//! happen and wakes whoever has left word. They begin at the same time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Instant;

const ROUNDS: usize = 20_000;

#[derive(Default)]
struct Event {
    has_happened: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Event {
    fn look(&self) -> bool {
        self.has_happened.load(Ordering::SeqCst)
    }

    fn leave_word(&self, waker: &Waker) {
        *self.waker.lock().expect("a lock") = Some(waker.clone());
    }

    fn happen(&self) {
        self.has_happened.store(true, Ordering::SeqCst);
        let waker = self.waker.lock().expect("a lock").take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn main() {
    let (begin, mut lost) = (Instant::now(), 0);
    for _ in 0..ROUNDS {
        let (event, count) = (Event::default(), Arc::new(Count::default()));
        let (start, waker) = (Barrier::new(2), Waker::from(Arc::clone(&count)));
        let is_ready = thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                event.happen();
            });
            start.wait();
            let is_ready = event.look();
            if !is_ready {
                event.leave_word(&waker);
            }
            is_ready
        });
        if !is_ready && count.0.load(Ordering::SeqCst) == 0 {
            lost += 1;
        }
    }
    println!(
        "{lost} of {ROUNDS} wakes were lost, in {:.1?}",
        begin.elapsed()
    );
}
