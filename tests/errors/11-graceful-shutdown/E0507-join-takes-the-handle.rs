use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

type Job = Box<dyn FnOnce() + Send + 'static>;

pub struct ThreadPool {
    jobs: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

// ANCHOR: wrong
impl Drop for ThreadPool {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for worker in &self.workers {
            let _ = worker.join();
        }
    }
}
// ANCHOR_END: wrong

fn main() {}
