use std::sync::mpsc::Sender;

type Job = Box<dyn FnOnce() + Send + 'static>;

struct ThreadPool {
    workers: Vec<Worker>,
}

struct Worker {
    jobs: Sender<Job>,
}

impl ThreadPool {
    // ANCHOR: wrong
    pub fn execute<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        let _ = self.workers[0].jobs.send(job);
    }
    // ANCHOR_END: wrong
}

fn main() {}
