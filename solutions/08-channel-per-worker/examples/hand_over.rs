//! What it costs to run a job: on a thread made for it, and on a thread that waits for it.
//!
//! `rustc --edition 2024 -O chapters/08-channel-per-worker/examples/hand_over.rs -o target/hand_over`, and then
//! `target/hand_over`

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

const JOBS: u32 = 20_000;

type Job = Box<dyn FnOnce() + Send + 'static>;

fn main() {
    let begun = Instant::now();
    for _ in 0..JOBS {
        thread::spawn(|| {}).join().expect("an empty job");
    }
    println!("a thread for each job:      {:?}", begun.elapsed() / JOBS);

    let (jobs, queue) = mpsc::channel::<Job>();
    let (done, finished) = mpsc::channel();
    let worker = thread::spawn(move || queue.into_iter().for_each(|job| job()));
    let begun = Instant::now();
    for _ in 0..JOBS {
        let done = done.clone();
        let job = move || done.send(()).expect("main waits");
        jobs.send(Box::new(job)).expect("the worker waits");
        finished.recv().expect("the job sends");
    }
    println!("a thread that waits for it: {:?}", begun.elapsed() / JOBS);
    drop(jobs);
    worker.join().expect("no job panics");
}
