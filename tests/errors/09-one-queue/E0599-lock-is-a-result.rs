use std::sync::Mutex;
use std::sync::mpsc::Receiver;

type Job = Box<dyn FnOnce() + Send + 'static>;

// ANCHOR: wrong
fn work(queue: &Mutex<Receiver<Job>>) {
    while let Ok(job) = queue.lock().recv() {
        job();
    }
}
// ANCHOR_END: wrong

fn main() {}
