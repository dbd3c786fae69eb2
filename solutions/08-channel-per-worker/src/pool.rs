//! A pool of threads that are made once and then take job after job.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

// ANCHOR: job
/// What a worker runs.
type Job = Box<dyn FnOnce() + Send + 'static>;
// ANCHOR_END: job

// ANCHOR: pool
/// A fixed number of workers. Jobs are dealt out to them in turn.
#[derive(Debug)]
pub struct ThreadPool {
    workers: Vec<Worker>,
    /// How many jobs have been dealt out.
    dealt: AtomicUsize,
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
        let workers = (0..size).map(|_| Worker::new());
        Ok(ThreadPool {
            workers: workers.collect::<io::Result<_>>()?,
            dealt: AtomicUsize::new(0),
        })
    }
    // ANCHOR_END: pool

    // ANCHOR: execute
    /// Gives a job to the worker whose turn it is, and does not wait. The worker runs
    /// it after the ones that it was given before.
    pub fn execute<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        let turn = self.dealt.fetch_add(1, Ordering::Relaxed) % self.workers.len();
        // An error means that a job has panicked and taken this worker with it. The
        // new job comes back with the error, and is dropped.
        let _ = self.workers[turn].jobs.send(Box::new(job));
    }
    // ANCHOR_END: execute
}

// ANCHOR: worker
/// A thread, by the sending end of its own channel.
#[derive(Debug)]
struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    fn new() -> io::Result<Worker> {
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().spawn(move || work(&queue))?;
        Ok(Worker { jobs })
    }
}
// ANCHOR_END: worker

// ANCHOR: work
/// Runs one job after the other until the pool is gone.
fn work(queue: &Receiver<Job>) {
    for job in queue {
        job();
    }
}
// ANCHOR_END: work

#[cfg(test)]
mod tests;
