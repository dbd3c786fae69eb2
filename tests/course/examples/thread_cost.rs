//! What does it cost to have something done by another thread?
//!
//! `cargo run --release -q -p course --example thread_cost` hands nothing to do to
//! threads that are started for it, and to one that waits in a pool's queue.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const TIMES: u32 = 400;
const ROUNDS: usize = 50;

type Job = Box<dyn FnOnce() + Send>;

fn main() {
    println!("a scoped thread: {:?}", shortest(scoped));
    println!("a job for a thread that's there: {:?}", shortest(jobs));
}

/// The shortest of many measurements: other programs only make them longer.
fn shortest(measure: fn() -> Duration) -> Duration {
    let times = (0..ROUNDS).map(|_| measure());
    times.min().unwrap_or_default()
}

/// Starts a thread that does nothing, and joins it.
fn scoped() -> Duration {
    let begin = Instant::now();
    for _ in 0..TIMES {
        thread::scope(|scope| {
            scope.spawn(|| {});
        });
    }
    begin.elapsed() / TIMES
}

/// Has one thread do nothing, again and again.
fn jobs() -> Duration {
    let (sender, queue) = mpsc::channel::<Job>();
    let (done, all_done) = mpsc::channel();
    let worker = thread::spawn(move || queue.into_iter().for_each(|job| job()));
    let begin = Instant::now();
    for _ in 0..TIMES {
        let done = done.clone();
        let job = move || done.send(()).expect("main waits");
        sender.send(Box::new(job)).expect("the worker waits");
    }
    drop(done);
    let ran = all_done.into_iter().count();
    let time = begin.elapsed() / TIMES;
    assert_eq!(ran, TIMES as usize, "every job ran");
    drop(sender);
    worker.join().expect("a worker that only runs jobs");
    time
}
