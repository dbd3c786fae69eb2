//! A pool of threads that take their jobs from one queue.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a worker runs.
type Job = Box<dyn FnOnce() + Send + 'static>;

/// A fixed number of workers that share one queue of jobs.
#[derive(Debug)]
pub struct ThreadPool {
    jobs: Sender<Job>,
}

impl ThreadPool {
    /// A pool of `size` workers.
    ///
    /// # Errors
    ///
    /// Refuses a size of zero, in which no job would ever run, and returns an error
    /// where the system can't spare that many threads.
    pub fn new(size: usize) -> io::Result<ThreadPool> {
        if size == 0 {
            let why = "a pool needs at least one thread";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..size {
            let queue = Arc::clone(&queue);
            thread::Builder::new().spawn(move || work(&queue))?;
        }
        Ok(ThreadPool { jobs })
    }

    /// Puts a job into the queue, from which the next worker that is free takes it. A
    /// job that panics ends, and its worker goes on with the next one.
    pub fn execute<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        // It fails only where no worker is left, and workers end with the pool.
        let _ = self.jobs.send(Box::new(job));
    }
}

/// Runs one job after the other until the pool is gone.
fn work(queue: &Mutex<Receiver<Job>>) {
    while let Some(job) = next_job(queue) {
        todo!("(1 of 5) run the job so that its panic does not end this loop")
    }
}

/// Waits for a job. The lock is held while waiting, and no longer: it ends with this
/// function.
fn next_job(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.recv().ok()
}

#[cfg(test)]
mod tests;
