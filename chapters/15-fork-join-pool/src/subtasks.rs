//! Subtasks that no worker has begun: a deque of them for each worker.

use std::collections::VecDeque;

/// What a worker runs.
pub type Job = Box<dyn FnOnce() + Send + 'static>;

/// What the workers have forked off and no one has begun, each worker's oldest first.
pub struct Subtasks {
    of_worker: Vec<VecDeque<Job>>,
}

impl Subtasks {
    /// No subtasks yet, of this many workers.
    pub fn new(workers: usize) -> Subtasks {
        Subtasks {
            of_worker: (0..workers).map(|_| VecDeque::new()).collect(),
        }
    }

    /// Adds a subtask that this worker has forked off.
    pub fn push(&mut self, worker: usize, subtask: Job) {
        self.of_worker[worker].push_back(subtask);
    }

    /// Takes what this worker had best run next: something of its own, or else
    /// another worker's.
    pub fn take(&mut self, worker: usize) -> Option<Job> {
        self.take_back(worker).or_else(|| self.steal(worker))
    }

    /// Takes back the subtask that this worker has forked off last.
    fn take_back(&mut self, worker: usize) -> Option<Job> {
        todo!("(4 of 6) the newest subtask of this worker's own, from the back")
    }

    /// Takes the oldest subtask of a worker that has some. The thief's own come last.
    pub fn steal(&mut self, thief: usize) -> Option<Job> {
        todo!(
            "(1 of 6) the oldest subtask, from the front, of any worker, its own last"
        )
    }
}

#[cfg(test)]
mod tests;
