//! A place where handlers wait for each other: they meet only if they run at the same
//! time.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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

impl Meetings {
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

#[cfg(test)]
mod tests;
