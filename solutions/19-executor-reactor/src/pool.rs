//! A pool of threads that run conversations, and the subtasks that those fork off.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::subtasks::{Job, Subtasks};

/// A fixed number of workers that share one queue of jobs, which has a limit.
///
/// When the pool is dropped, it takes no more jobs, and waits until those that it has
/// are done.
pub struct ThreadPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// What the workers share.
struct Shared {
    state: Mutex<State>,
    /// Where workers sleep that have nothing to do.
    idle: Condvar,
    /// Where workers sleep that wait for a subtask of theirs.
    joining: Condvar,
}

/// What there is to do, and who does nothing.
pub struct State {
    conversations: VecDeque<Job>,
    /// How many conversations may wait for a worker.
    limit: usize,
    /// What the conversations have forked off.
    pub subtasks: Subtasks,
    /// How many workers have begun.
    workers: usize,
    /// How many of them have nothing to do.
    idle: usize,
    /// No conversation comes any more.
    closed: bool,
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
        let mut pool = ThreadPool {
            shared: Arc::new(Shared::new(size, queue)),
            workers: Vec::with_capacity(size),
        };
        for number in 0..size {
            let shared = Arc::clone(&pool.shared);
            let worker = Worker { shared, number };
            let worker = thread::Builder::new().spawn(move || work(worker))?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

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
        let mut state = self.shared.lock();
        // What an idle worker is about to take doesn't wait.
        if state.conversations.len() >= state.limit + state.idle {
            return Err(Full);
        }
        state.conversations.push_back(Box::new(job));
        self.shared.idle.notify_one();
        Ok(())
    }
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // First close the queue: the workers end when it's closed, and when none of
        // them has anything left to do. A worker that is joined before that would
        // wait for jobs forever, and we for it.
        self.shared.lock().closed = true;
        self.shared.idle.notify_all();
        for worker in self.workers.drain(..) {
            // A worker outlives its jobs' panics; should it have ended, there is none
            // to wait for.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn new(workers: usize, limit: usize) -> Shared {
        let state = State {
            conversations: VecDeque::new(),
            limit,
            subtasks: Subtasks::new(workers),
            workers: 0,
            idle: 0,
            closed: false,
        };
        Shared {
            state: Mutex::new(state),
            idle: Condvar::new(),
            joining: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No job runs under this lock, so none can panic there.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    /// The worker that this thread is, if it is one.
    static CURRENT: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// One of a pool's threads, as the jobs see it that run there.
#[derive(Clone)]
pub struct Worker {
    shared: Arc<Shared>,
    number: usize,
}

impl Worker {
    /// The worker that runs the caller; `None` on a thread that isn't a pool's.
    pub fn current() -> Option<Worker> {
        CURRENT.with_borrow(Option::clone)
    }

    /// Which one it is, from 0 on.
    pub fn number(&self) -> usize {
        self.number
    }

    /// What there is to do.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// Leaves a subtask where other workers find it.
    pub fn fork(&self, subtask: impl FnOnce() + Send + 'static) {
        self.lock().subtasks.push(self.number, Box::new(subtask));
        // Whoever has nothing to do, or nothing but to wait, can take it.
        self.shared.idle.notify_one();
        self.shared.joining.notify_all();
    }

    /// Lets go of the lock, and sleeps until a subtask has come or ended.
    pub fn sleep<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let woken = self.shared.joining.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the worker that waits for a subtask whose outcome is there now.
    pub fn say_that_one_has_ended(&self) {
        // It looks for the outcome and falls asleep under one lock. Once we've had
        // the lock it is either asleep, or has yet to look.
        drop(self.lock());
        self.shared.joining.notify_all();
    }

    /// Waits for something to do. `None` once the pool is closed and nothing is left.
    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            let subtask = state.subtasks.steal(self.number);
            let job = subtask.or_else(|| state.conversations.pop_front());
            if job.is_some() {
                return job;
            }
            state.idle += 1;
            if state.closed && state.idle == state.workers {
                // No one is left who could fork: all can go home.
                self.shared.idle.notify_all();
                return None;
            }
            let woken = self.shared.idle.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// Runs one job after the other until the pool is gone.
fn work(worker: Worker) {
    worker.lock().workers += 1;
    CURRENT.set(Some(worker.clone()));
    while let Some(job) = worker.next_job() {
        // The panic has been printed, and what the job owned is gone: nothing that it
        // may have left half done can be seen here.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests;
