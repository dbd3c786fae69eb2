//! A pool of threads that take their jobs from one queue.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What a worker runs.
type Job = Box<dyn FnOnce() + Send + 'static>;

/// A fixed number of workers that share one queue of jobs, which has a limit.
///
/// When the pool is dropped, it takes no more jobs, and waits until those that it has
/// are done.
#[derive(Debug)]
pub struct ThreadPool {
    /// `None` only while the pool is being dropped.
    jobs: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

impl ThreadPool {
    /// A pool of `size` workers, with a queue in which `queue` jobs can wait.
    ///
    /// # Errors
    ///
    /// Refuses a size of zero, in which no job would ever run, and returns an error
    /// where the system can't spare that many threads.
    pub fn new(size: usize, queue: usize) -> io::Result<ThreadPool> {
        if size == 0 {
            let why = "a pool needs at least one thread";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let (jobs, queue) = mpsc::sync_channel(queue);
        let queue = Arc::new(Mutex::new(queue));
        let mut pool = ThreadPool {
            jobs: Some(jobs),
            workers: Vec::with_capacity(size),
        };
        for _ in 0..size {
            let queue = Arc::clone(&queue);
            let worker = thread::Builder::new().spawn(move || work(&queue))?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    // ANCHOR: execute
    /// Puts a job into the queue, from which the next worker that is free takes it. A
    /// job that panics ends, and its worker goes on with the next one.
    ///
    /// # Errors
    ///
    /// Refuses a job, and drops it, while the queue is full.
    pub fn execute<F>(&self, job: F) -> Result<(), Full>
    where
        F: FnOnce() + Send + 'static,
    {
        match &self.jobs {
            Some(jobs) => jobs.try_send(Box::new(job)).map_err(|_| Full),
            None => Err(Full),
        }
    }
    // ANCHOR_END: execute
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // First close the queue: a worker ends when the queue is both closed and
        // empty. A worker that is joined before that would wait for jobs forever,
        // and we for it.
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            // A worker outlives its jobs' panics; should it have ended, there is none
            // to wait for.
            let _ = worker.join();
        }
    }
}

/// Runs one job after the other until the pool is gone.
fn work(queue: &Mutex<Receiver<Job>>) {
    while let Some(job) = next_job(queue) {
        // The panic has been printed, and what the job owned is gone: nothing that it
        // may have left half done can be seen here.
        let _ = catch_unwind(AssertUnwindSafe(job));
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
