//! A pool of threads that take their jobs from one queue.

use std::io::{self, ErrorKind};
use std::sync::mpsc::{self, Receiver, Sender};
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
        todo!(
            "(1 of 3) make one channel, and `size` threads that share its receiving \
             end; keep the sender"
        )
    }

    /// Puts a job into the queue, from which the next worker that is free takes it.
    /// Where no worker is left, the job never runs.
    pub fn execute<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        todo!(
            "(2 of 3) box the job and put it into the one queue; a send that fails \
             must not end the program"
        )
    }
}

/// Runs one job after the other until the pool is gone.
fn work(queue: &Receiver<Job>) {
    todo!(
        "(3 of 3) run one job after the other, as before, but `queue` is shared \
         now: give it its new type"
    )
}

#[cfg(test)]
mod tests;
