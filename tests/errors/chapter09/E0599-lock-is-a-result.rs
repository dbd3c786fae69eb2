use std::sync::Mutex;
use std::sync::mpsc::Receiver;

struct Job(Box<dyn FnOnce() + Send + 'static>);

// ANCHOR: wrong
fn next_job(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().recv().ok()
}
// ANCHOR_END: wrong

fn main() {}
