//! A place where handlers wait for each other: they meet only if they run at the same
//! time.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Meetings of handlers, one for each number of participants.
#[derive(Debug, Default)]
pub struct Meetings {
    by_size: Mutex<HashMap<usize, Meeting>>,
    begun: Condvar,
}

/// Who waits for a meeting to begin, and how many meetings of this size have begun.
#[derive(Debug, Default, Clone, Copy)]
struct Meeting {
    present: usize,
    begun: u64,
}

/// A seat in a meeting, for a handler that doesn't wait here. It's free again when
/// this value is dropped.
#[derive(Debug)]
pub struct Seat {
    meetings: Arc<Meetings>,
    size: usize,
    /// How many meetings of this size had begun before.
    before: u64,
}

impl Meetings {
    /// Takes a seat in the meeting of `size` handlers, and doesn't wait for the
    /// others. When the last seat is taken, the meeting begins.
    pub fn take_seat(meetings: &Arc<Meetings>, size: usize) -> Seat {
        let mut by_size = meetings.lock();
        let meeting = by_size.entry(size).or_default();
        let before = meeting.begun;
        meeting.present += 1;
        if meeting.present >= size {
            meeting.present = 0;
            meeting.begun += 1;
        }
        let meetings = Arc::clone(meetings);
        Seat {
            meetings,
            size,
            before,
        }
    }

    /// Waits until `size` handlers are here, at most for as long as `patience`.
    /// Returns whether they met.
    pub fn join(&self, size: usize, patience: Duration) -> bool {
        let mut meetings = self.lock();
        let meeting = meetings.entry(size).or_default();
        meeting.present += 1;
        if meeting.present >= size {
            meeting.present = 0;
            meeting.begun += 1;
            self.begun.notify_all();
            return true;
        }
        let before = meeting.begun;
        let still_waiting =
            |meetings: &mut HashMap<usize, Meeting>| meetings[&size].begun == before;
        let (mut meetings, outcome) = self
            .begun
            .wait_timeout_while(meetings, patience, still_waiting)
            .unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() {
            meetings.entry(size).or_default().present -= 1;
        }
        !outcome.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Meeting>> {
        // Nothing in here panics between two changes that belong together.
        self.by_size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Whether the meeting has begun.
    pub fn has_begun(&self) -> bool {
        self.meetings.lock()[&self.size].begun != self.before
    }
}

// ANCHOR: seat
impl Drop for Seat {
    fn drop(&mut self) {
        let mut by_size = self.meetings.lock();
        let meeting = by_size.entry(self.size).or_default();
        // When a meeting has begun, its seats are free already.
        if meeting.begun == self.before {
            meeting.present -= 1;
        }
    }
}
// ANCHOR_END: seat

#[cfg(test)]
impl Seat {
    /// A seat in a meeting that no one has called: a handler that asks it panics.
    pub fn that_panics() -> Seat {
        Seat {
            meetings: Arc::default(),
            size: 0,
            before: 1,
        }
    }
}

#[cfg(test)]
mod tests;
