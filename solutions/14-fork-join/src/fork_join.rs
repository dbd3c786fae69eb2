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

    // ANCHOR: fork_join
    /// Has `leaf` work on all items, in slices of at most `most` items, which is one
    /// or more: on several slices at once, as long as helpers can be had.
    pub fn fork_join<T, F>(&self, items: &mut [T], most: usize, leaf: &F)
    where
        T: Send,
        F: Fn(&mut [T]) + Sync,
    {
        if items.len() <= most {
            return leaf(items);
        }
        let (left, right) = items.split_at_mut(items.len() / 2);
        self.join(
            || self.fork_join(left, most, leaf),
            || self.fork_join(right, most, leaf),
        );
    }
    // ANCHOR_END: fork_join

    // ANCHOR: join
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
            a();
            b();
        }
    }
    // ANCHOR_END: join

    // ANCHOR: fork
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
        thread::scope(|scope| {
            let helper = Builder::new().spawn_scoped(scope, || {
                let _given_back_at_the_end = place;
                b();
            })?;
            a();
            helper.join().unwrap_or_else(|panic| resume_unwind(panic));
            Ok(())
        })
    }
    // ANCHOR_END: fork

    // ANCHOR: take
    /// Takes a helper's place out of the budget, if there's one left.
    fn take(&self) -> Option<Place<'_>> {
        let mut free = self.free.load(Ordering::Relaxed);
        loop {
            let left = free.checked_sub(1)?;
            match self.free.compare_exchange(
                free,
                left,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Place(self)),
                Err(now) => free = now,
            }
        }
    }
    // ANCHOR_END: take
}

// ANCHOR: give_back
impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::Relaxed);
    }
}
// ANCHOR_END: give_back

#[cfg(test)]
mod tests;
