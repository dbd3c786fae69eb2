//! A pool of threads that take their jobs from one queue.

use std::io::{self, ErrorKind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a worker runs.
type Job = Box<dyn FnOnce() + Send + 'static>;

/// A fixed number of workers that share one queue of jobs.
pub struct ThreadPool {
    jobs: Sender<Job>,
}

impl ThreadPool {
    /// A pool of `size` workers.
    ///
    /// # Errors
    ///
    /// Refuses a size of zero, in which no job would ever run, and returns an error where the system
    /// has not so many threads to spare.
    pub fn new(size: usize) -> io::Result<ThreadPool> {
        if size == 0 {
            let why = "a pool needs at least one thread";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        todo!("(1 of 2) make one channel, and threads that share its receiving end")
    }

    /// Puts a job into the queue, from which the next worker that is free takes it. The job is
    /// dropped where no worker is left.
    pub fn execute<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        // An error means that each worker has ended with a job that panicked. It carries the job,
        // which is dropped with it.
        let _ = self.jobs.send(Box::new(job));
    }
}

/// Runs one job after the other until the pool is gone.
fn work(queue: &Mutex<Receiver<Job>>) {
    todo!("(2 of 2) run one job after the other, and hold the lock only while waiting for one")
}

#[cfg(test)]
mod tests;
