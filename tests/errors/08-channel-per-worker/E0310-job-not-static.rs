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
        F: FnOnce() + Send,
    {
        let _ = self.workers[0].jobs.send(Box::new(job));
    }
    // ANCHOR_END: wrong
}

fn main() {}
