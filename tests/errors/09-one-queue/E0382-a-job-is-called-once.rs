use std::sync::mpsc::Receiver;

type Job = Box<dyn FnOnce() + Send + 'static>;

// ANCHOR: wrong
fn work(queue: &Receiver<Job>) {
    for job in queue {
        job();
        job();
    }
}
// ANCHOR_END: wrong

fn main() {}
