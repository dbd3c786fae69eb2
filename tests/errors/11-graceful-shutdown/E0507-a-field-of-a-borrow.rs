use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

type Job = Box<dyn FnOnce() + Send + 'static>;

// ANCHOR: wrong
pub struct ThreadPool {
    jobs: Sender<Job>,
    workers: Vec<JoinHandle<()>>,
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        drop(self.jobs);
    }
}
// ANCHOR_END: wrong

fn main() {}
