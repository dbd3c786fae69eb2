//! A pool of threads that are made once and then take job after job.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// What a worker runs.
type Job = Box<dyn FnOnce() + Send + 'static>;

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

    /// Gives a job to the worker whose turn it is, and does not wait. The worker runs
    /// it after the ones that it was given before.
    pub fn execute<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        todo!(
            "(3 of 3) box the job, and send it to the worker whose turn it is, the \
             one after the worker that got the last job, and after the last worker \
             the first; a send that fails must not end the program"
        )
    }
}

/// A thread, by the sending end of its own channel.
#[derive(Debug)]
struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    fn new() -> io::Result<Worker> {
        todo!(
            "(1 of 3) make a channel and a thread that works on what comes out, and \
             keep the sender"
        )
    }
}

/// Runs one job after the other until the pool is gone.
fn work(queue: &Receiver<Job>) {
    todo!(
        "(2 of 3) receive one job after the other and run it, until the channel is \
         closed"
    )
}

#[cfg(test)]
mod tests;
