//! Fork/join on the pool: work is cut in half again and again, and workers that have
//! nothing to do take halves off the hands of the one that has it.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::pool::Worker;

/// Has `leaf` work on all items, in pieces of at most `most` (one or more), as many
/// at once as there are workers with nothing else to do. Returns all results, in
/// order.
pub fn fork_join<T, F>(items: Range<usize>, most: usize, leaf: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Range<usize>) -> Vec<T> + Clone + Send + 'static,
{
    if items.len() <= most {
        return leaf(items);
    }
    let middle = items.start + items.len() / 2;
    let (left, right) = (items.start..middle, middle..items.end);
    let other_leaf = leaf.clone();
    let (mut results, more) = join(
        move || fork_join(left, most, leaf),
        move || fork_join(right, most, other_leaf),
    );
    results.extend(more);
    results
}

/// Runs `a` here and lets another worker run `b` meanwhile, if one has the time.
/// Returns once both are done; a panic in either of them is passed on.
pub fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA,
    B: FnOnce() -> RB + Send + 'static,
    RB: Send + 'static,
{
    let Some(worker) = Worker::current() else {
        // This thread is no pool's.
        return (a(), b());
    };
    let slot = Arc::new(Slot::default());
    worker.fork({
        let (slot, worker) = (Arc::clone(&slot), worker.clone());
        move || run(b, &slot, &worker)
    });
    let a = a();
    (a, handed_on(wait_for(&slot, &worker)))
}

/// Where a subtask leaves what it returned, or its panic.
struct Slot<R>(Mutex<Option<thread::Result<R>>>);

/// Runs a subtask on whichever worker has taken it, and wakes the one that waits.
fn run<R>(b: impl FnOnce() -> R, slot: &Slot<R>, forked_by: &Worker) {
    // This worker may have nothing to do with the request: a panic stops here.
    slot.put(catch_unwind(AssertUnwindSafe(b)));
    forked_by.say_that_one_has_ended();
}

/// Runs other subtasks until this slot is filled, and sleeps while there are none.
fn wait_for<R>(slot: &Slot<R>, worker: &Worker) -> thread::Result<R> {
    let mut state = worker.lock();
    loop {
        if let Some(outcome) = slot.take() {
            return outcome;
        }
        state = match state.subtasks.take(worker.number()) {
            Some(subtask) => {
                // Others need the lock, and so does the subtask.
                drop(state);
                subtask();
                worker.lock()
            }
            None => worker.sleep(state),
        };
    }
}

/// What the subtask returned. If it panicked, the panic goes on here.
fn handed_on<R>(outcome: thread::Result<R>) -> R {
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

impl<R> Slot<R> {
    fn put(&self, outcome: thread::Result<R>) {
        *self.lock() = Some(outcome);
    }

    fn take(&self) -> Option<thread::Result<R>> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<thread::Result<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Default for Slot<R> {
    fn default() -> Slot<R> {
        Slot(Mutex::new(None))
    }
}

#[cfg(test)]
mod tests;
