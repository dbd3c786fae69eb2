use std::sync::mpsc::Sender;

// ANCHOR: wrong
type Job = dyn FnOnce() + Send + 'static;

struct Worker {
    jobs: Sender<Job>,
}
// ANCHOR_END: wrong

fn main() {}
