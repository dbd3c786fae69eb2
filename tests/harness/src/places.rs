//! How many sockets the clients of a milestone have open at the same time.
//!
//! A milestone has to do with the few hundred descriptors that a shell allows by
//! default, and libtest runs several of its checks at once. So a client waits for its
//! place while there are too many others, although not for long: those of its own
//! check don't go away.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How many clients may be connected at once.
const MOST: usize = 200;
/// How long a client waits for its place.
const PATIENCE: Duration = Duration::from_millis(500);

struct Places {
    taken: Mutex<usize>,
    news: Condvar,
}

static PLACES: Places = Places {
    taken: Mutex::new(0),
    news: Condvar::new(),
};

/// A client's place, given back when dropped.
pub(crate) struct Place(());

impl Place {
    pub(crate) fn take() -> Place {
        let taken = PLACES.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |taken: &mut usize| *taken >= MOST;
        let waited = PLACES.news.wait_timeout_while(taken, PATIENCE, full);
        *waited.unwrap_or_else(PoisonError::into_inner).0 += 1;
        Place(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = PLACES.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken -= 1;
        PLACES.news.notify_all();
    }
}
