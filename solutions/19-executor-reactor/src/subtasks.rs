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
        self.of_worker[worker].pop_back()
    }

    /// Takes the oldest subtask of a worker that has some. The thief's own come last.
    pub fn steal(&mut self, thief: usize) -> Option<Job> {
        let workers = self.of_worker.len();
        // Its own is last: a join that ended in a panic may have left something.
        let mut all = (1..=workers).map(|step| (thief + step) % workers);
        all.find_map(|worker| self.of_worker[worker].pop_front())
    }
}

#[cfg(test)]
mod tests;
