//! A pool of threads that take their jobs from one queue.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
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
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..size {
            let queue = Arc::clone(&queue);
            thread::Builder::new().spawn(move || work(&queue))?;
        }
        Ok(ThreadPool { jobs })
    }

    /// Puts a job into the queue, from which the next worker that is free takes it. A job that
    /// panics ends, and its worker goes on with the next one.
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
        // The panic has been printed, and what the job owned is gone: nothing that it may have left
        // half done can be seen here.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

/// Waits for a job. The lock is held while waiting, and no longer: it ends with this function.
fn next_job(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.recv().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::time::Duration;

    use super::*;

    /// Long enough for anything that happens at all.
    const SOON: Duration = Duration::from_secs(5);

    #[test]
    fn a_pool_of_nothing_is_refused() {
        assert!(ThreadPool::new(0).is_err());
    }

    #[test]
    fn every_job_runs_once() {
        let pool = ThreadPool::new(3).expect("a pool");
        let (done, finished) = mpsc::channel();
        for job in 0..50 {
            let done = done.clone();
            pool.execute(move || done.send(job).expect("the test waits"));
        }
        drop(done);
        let mut jobs: Vec<i32> = finished.iter().collect();
        jobs.sort_unstable();
        assert_eq!(jobs, Vec::from_iter(0..50));
    }

    #[test]
    fn as_many_jobs_run_at_once_as_the_pool_has_threads() {
        let pool = ThreadPool::new(4).expect("a pool");
        let barrier = Arc::new(Barrier::new(4));
        let (done, finished) = mpsc::channel();
        for _ in 0..4 {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            let job = move || {
                barrier.wait();
                done.send(()).expect("the test waits");
            };
            pool.execute(job);
        }
        for _ in 0..4 {
            finished
                .recv_timeout(SOON)
                .expect("all four jobs run at once");
        }
    }

    #[test]
    fn a_job_is_taken_by_whichever_worker_is_free() {
        let pool = ThreadPool::new(2).expect("a pool");
        let (release, held) = mpsc::channel::<()>();
        pool.execute(move || held.recv().expect("the test lets it go"));
        let (done, finished) = mpsc::channel();
        for job in 0..10 {
            let done = done.clone();
            pool.execute(move || done.send(job).expect("the test waits"));
        }
        for _ in 0..10 {
            finished
                .recv_timeout(SOON)
                .expect("the other worker runs them all");
        }
        release.send(()).expect("the first job waits");
    }

    #[test]
    fn jobs_that_panic_take_no_worker_away() {
        let pool = ThreadPool::new(2).expect("a pool");
        for _ in 0..6 {
            pool.execute(|| panic!("on purpose"));
        }
        let barrier = Arc::new(Barrier::new(2));
        let (done, finished) = mpsc::channel();
        for _ in 0..2 {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            pool.execute(move || {
                barrier.wait();
                done.send(()).expect("the test waits");
            });
        }
        for _ in 0..2 {
            finished.recv_timeout(SOON).expect("both workers are there");
        }
    }
}
