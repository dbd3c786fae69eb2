//! Fork/join: a slice is cut in half again and again, and helpers take halves off the
//! hands of the thread that has the work.

use std::io;
use std::panic::resume_unwind;
#[cfg(not(test))]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::{self, Builder};

// In a test, another thread may be faster than the one that has read the number.
#[cfg(test)]
use tests::AtomicUsize;

/// A budget of threads, which all requests share.
///
/// A helper is a thread that's started for one half of some work, and that ends with
/// it.
#[derive(Debug)]
pub struct Helpers {
    /// How many more may be started.
    free: AtomicUsize,
}

/// One helper's place in the budget, given back when this is dropped.
#[derive(Debug)]
struct Place<'a>(&'a Helpers);

impl Helpers {
    /// A budget of at most `count` helpers at any moment.
    pub fn new(count: usize) -> Helpers {
        Helpers {
            free: AtomicUsize::new(count),
        }
    }

    /// Has `leaf` work on all items, in slices of at most `most` items, which is one
    /// or more: on several slices at once, as long as helpers can be had.
    pub fn fork_join<T, F>(&self, items: &mut [T], most: usize, leaf: &F)
    where
        T: Send,
        F: Fn(&mut [T]) + Sync,
    {
        todo!(
            "(3 of 6) few items are a leaf; split others in two, and join both halves"
        )
    }

    /// Runs `a` and `b`, at the same time if a helper can be had. Returns once both
    /// are done; a panic in either of them is passed on.
    fn join(&self, mut a: impl FnMut(), mut b: impl FnMut() + Send) {
        let Some(place) = self.take() else {
            // No helper may be started: this thread does it all.
            a();
            b();
            return;
        };
        if Helpers::fork(place, &mut a, &mut b).is_err() {
            todo!("(6 of 6) there's no thread for b, and the work has to be done")
        }
    }

    /// Runs `a` here and `b` on a helper, and returns once both are done.
    ///
    /// # Errors
    ///
    /// Returns an error, and has run neither of them, if the system has no thread to
    /// spare.
    fn fork(
        place: Place,
        mut a: impl FnMut(),
        mut b: impl FnMut() + Send,
    ) -> io::Result<()> {
        todo!("(4 of 6) in a scope, start a thread that runs b, and run a meanwhile")
    }

    /// Takes a helper's place out of the budget, if there's one left.
    fn take(&self) -> Option<Place<'_>> {
        let mut free = self.free.load(Ordering::Relaxed);
        loop {
            let left = free.checked_sub(1)?;
            todo!("(5 of 6) store it if free is still the same; else look again")
        }
    }
}

#[cfg(test)]
mod tests;
