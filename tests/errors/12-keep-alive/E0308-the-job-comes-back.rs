use std::sync::mpsc::SyncSender;

type Job = Box<dyn FnOnce() + Send + 'static>;

pub struct Full;

pub struct ThreadPool {
    jobs: Option<SyncSender<Job>>,
}

impl ThreadPool {
    // ANCHOR: wrong
    pub fn execute<F>(&self, job: F) -> Result<(), Full>
    where
        F: FnOnce() + Send + 'static,
    {
        match &self.jobs {
            Some(jobs) => jobs.try_send(Box::new(job)),
            None => Err(Full),
        }
    }
    // ANCHOR_END: wrong
}

fn main() {}
