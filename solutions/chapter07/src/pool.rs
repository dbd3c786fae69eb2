//! A pool of threads: it runs jobs at the same time, but never more than a fixed number of them.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

// ANCHOR: pool
/// Runs jobs on other threads, at most so many at once as it was made for.
///
/// For now each job gets a new thread. What the pool keeps is the number of those that may run.
pub struct ThreadPool {
    slots: Arc<Slots>,
}

impl ThreadPool {
    /// A pool in which `size` jobs can run at once.
    ///
    /// # Errors
    ///
    /// Refuses a size of zero, in which no job would ever run.
    pub fn new(size: usize) -> io::Result<ThreadPool> {
        if size == 0 {
            let why = "a pool needs at least one thread";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let slots = Arc::new(Slots {
            free: Mutex::new(size),
            freed: Condvar::new(),
        });
        Ok(ThreadPool { slots })
    }

    /// Runs a job on another thread, as soon as fewer jobs are running than the pool allows.
    ///
    /// # Errors
    ///
    /// Returns an error where the system has no thread to spare. The job is then dropped.
    pub fn execute<F>(&self, job: F) -> io::Result<()>
    where
        F: FnOnce() + Send + 'static,
    {
        let slot = Slots::take(&self.slots);
        thread::Builder::new().spawn(move || {
            job();
            drop(slot);
        })?;
        Ok(())
    }
}
// ANCHOR_END: pool

// ANCHOR: slots
/// How many more jobs may run.
struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    /// Waits for a free slot, and takes it.
    fn take(slots: &Arc<Slots>) -> Slot {
        let free = slots.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = slots
            .freed
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Slot(Arc::clone(slots))
    }
}

/// The right to run one job. It is given back when it is dropped: also when the job panics.
struct Slot(Arc<Slots>);

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
// ANCHOR_END: slots

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::mpsc;
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
            pool.execute(move || done.send(job).expect("the test waits"))
                .expect("a thread");
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
            pool.execute(job).expect("a thread");
        }
        for _ in 0..4 {
            finished
                .recv_timeout(SOON)
                .expect("all four jobs run at once");
        }
    }

    #[test]
    fn a_job_that_panics_makes_room_for_the_next() {
        let pool = ThreadPool::new(1).expect("a pool");
        pool.execute(|| panic!("on purpose")).expect("a thread");
        let (done, finished) = mpsc::channel();
        pool.execute(move || done.send(()).expect("the test waits"))
            .expect("a thread");
        finished.recv_timeout(SOON).expect("the next job runs");
    }
}
