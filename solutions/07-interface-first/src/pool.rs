//! A pool of threads: it runs jobs at the same time, but never more than a fixed
//! number of them.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

// ANCHOR: new
/// Runs jobs on other threads, but never more at once than it was made for.
///
/// For now each job gets a new thread. What the pool keeps is the number of those
/// that may run.
#[derive(Debug)]
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
    // ANCHOR_END: new

    // ANCHOR: execute
    /// Runs a job on another thread, as soon as fewer jobs are running than the pool
    /// allows.
    ///
    /// # Errors
    ///
    /// Returns an error where the system has no thread to spare. The job is then
    /// dropped.
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
    // ANCHOR_END: execute
}

// ANCHOR: slots
/// How many more jobs may run.
#[derive(Debug)]
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
// ANCHOR_END: slots

// ANCHOR: slot
/// The right to run one job. It is given back when it is dropped: also when the job
/// panics.
struct Slot(Arc<Slots>);

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
// ANCHOR_END: slot

#[cfg(test)]
mod tests;
