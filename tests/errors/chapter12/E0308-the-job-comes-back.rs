use std::sync::mpsc::SyncSender;

type Job = Box<dyn FnOnce() + Send + 'static>;

pub struct Full;

pub struct ThreadPool {
    jobs: SyncSender<Job>,
}

impl ThreadPool {
    // ANCHOR: wrong
    pub fn execute<F>(&self, job: F) -> Result<(), Full>
    where
        F: FnOnce() + Send + 'static,
    {
        self.jobs.try_send(Box::new(job))
    }
    // ANCHOR_END: wrong
}

fn main() {}
