//! How many clients are here, and whether there's room for one more.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// How many clients that were turned away keep their connections until they have read
/// why. More of them lose theirs at once, without an answer.
const MAX_TURNED_AWAY: usize = 64;

/// The places for clients.
#[derive(Debug)]
pub struct Places {
    /// How many clients are served at the same time.
    limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    served: usize,
    turned_away: usize,
    /// Whether one has been left since that was asked last.
    one_is_left: bool,
    /// Who is to be woken when one is left.
    waker: Option<Waker>,
}

/// A place that a client has taken, until this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    /// Whether it's a place only to be told that there's none.
    pub is_turned_away: bool,
}

impl Places {
    /// Places for this many clients.
    pub fn new(limit: usize) -> Arc<Places> {
        Arc::new(Places {
            limit,
            taken: Mutex::default(),
        })
    }

    /// Takes a place, to be served if there's one left, or else to be turned away;
    /// `None` if too many are being turned away.
    pub fn take(places: &Arc<Places>) -> Option<Place> {
        let mut taken = places.lock();
        let is_turned_away = taken.served >= places.limit;
        if !is_turned_away {
            taken.served += 1;
        } else if taken.turned_away < MAX_TURNED_AWAY {
            taken.turned_away += 1;
        } else {
            return None;
        }
        Some(Place {
            places: Arc::clone(places),
            is_turned_away,
        })
    }

    /// Waits until a client has left since this was awaited last. One task waits for
    /// it at most.
    pub async fn one_is_left(&self) {
        poll_fn(|context| {
            let mut taken = self.lock();
            if mem::take(&mut taken.one_is_left) {
                return Poll::Ready(());
            }
            taken.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing in here panics between two changes that belong together.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if self.is_turned_away {
            taken.turned_away -= 1;
        } else {
            taken.served -= 1;
        }
        taken.one_is_left = true;
        let waker = taken.waker.take();
        // Whatever a waker does, it mustn't find the lock taken.
        drop(taken);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests;
