//! A place where handlers wait for each other: they meet only if they run at the same
//! time.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::sleep::Sleep;

/// Meetings of handlers, one for each number of participants.
#[derive(Default)]
pub struct Meetings {
    by_size: Mutex<Tables>,
    begun: Condvar,
    /// What happens after the next look at a seat: a test makes it happen there.
    #[cfg(test)]
    after_a_look: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// A table for each number of participants.
type Tables = HashMap<usize, Table>;

/// Who waits for a meeting to begin, and how many meetings of this size have begun.
#[derive(Default)]
struct Table {
    present: usize,
    begun: u64,
    /// How many have taken a seat here, ever.
    seats: u64,
    /// Whom to wake when the meeting begins, by the numbers of their seats.
    wakers: BTreeMap<u64, Waker>,
}

/// A seat in a meeting, for a handler that doesn't wait here. It's free again when
/// this value is dropped.
pub struct Seat {
    meetings: Arc<Meetings>,
    size: usize,
    number: u64,
    /// How many meetings of this size had begun before.
    before: u64,
}

impl Meetings {
    // ANCHOR: take_seat
    /// Takes a seat in the meeting of `size` handlers, and doesn't wait for the
    /// others. When the last seat is taken, the meeting begins, and those who wait
    /// for it are woken.
    pub fn take_seat(meetings: &Arc<Meetings>, size: usize) -> Seat {
        let mut by_size = meetings.lock();
        let table = by_size.entry(size).or_default();
        let (number, before) = (table.seats, table.begun);
        table.seats += 1;
        table.present += 1;
        if table.present >= size {
            meetings.begin(by_size, size);
        }
        Seat {
            meetings: Arc::clone(meetings),
            size,
            number,
            before,
        }
    }
    // ANCHOR_END: take_seat

    /// Waits until `size` handlers are here, at most for as long as `patience`.
    /// Returns whether they met. This one is for threads that may wait.
    pub fn join(&self, size: usize, patience: Duration) -> bool {
        let mut meetings = self.lock();
        let table = meetings.entry(size).or_default();
        table.present += 1;
        if table.present >= size {
            self.begin(meetings, size);
            return true;
        }
        let before = table.begun;
        let still_waiting = |meetings: &mut Tables| meetings[&size].begun == before;
        let (mut meetings, outcome) = self
            .begun
            .wait_timeout_while(meetings, patience, still_waiting)
            .unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() {
            meetings.entry(size).or_default().present -= 1;
        }
        !outcome.timed_out()
    }

    // ANCHOR: begin
    /// Begins the meeting of `size` handlers, and wakes all who wait for it.
    fn begin(&self, mut by_size: MutexGuard<'_, Tables>, size: usize) {
        let table = by_size.entry(size).or_default();
        table.present = 0;
        table.begun += 1;
        self.begun.notify_all();
        let wakers = mem::take(&mut table.wakers);
        // Whatever a waker does, it mustn't find the lock taken.
        drop(by_size);
        for waker in wakers.into_values() {
            waker.wake();
        }
    }
    // ANCHOR_END: begin

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // Nothing in here panics between two changes that belong together.
        self.by_size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Whether the meeting has begun.
    pub fn has_begun(&self) -> bool {
        let has_begun = self.meetings.lock()[&self.size].begun != self.before;
        #[cfg(test)]
        self.meetings.after_a_look();
        has_begun
    }

    /// Has this waker woken when the meeting begins, and no longer the one that was
    /// left before. If the meeting has begun, nothing more will happen.
    pub fn leave_word(&self, waker: &Waker) {
        let mut by_size = self.meetings.lock();
        let table = by_size.entry(self.size).or_default();
        if table.begun == self.before {
            table.wakers.insert(self.number, waker.clone());
        }
    }
}

// ANCHOR: seat
impl Drop for Seat {
    fn drop(&mut self) {
        let mut by_size = self.meetings.lock();
        let table = by_size.entry(self.size).or_default();
        // When a meeting has begun, its seats are free already.
        if table.begun == self.before {
            table.present -= 1;
            table.wakers.remove(&self.number);
        }
    }
}
// ANCHOR_END: seat

// ANCHOR: meeting
/// What's ready when a meeting begins, or when patience ends. It tells which.
pub struct Meeting {
    seat: Seat,
    patience: Sleep,
}
// ANCHOR_END: meeting

impl Meeting {
    /// A meeting of `size` handlers in which this one takes a seat now.
    pub fn new(meetings: &Arc<Meetings>, size: usize, patience: Sleep) -> Meeting {
        let seat = Meetings::take_seat(meetings, size);
        Meeting { seat, patience }
    }
}

// ANCHOR: poll
impl Future for Meeting {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        // First the waker: a meeting that begins after the look finds it there.
        self.seat.leave_word(context.waker());
        if self.seat.has_begun() {
            return Poll::Ready(true);
        }
        Pin::new(&mut self.patience).poll(context).map(|()| false)
    }
}
// ANCHOR_END: poll

#[cfg(test)]
impl Meetings {
    /// Has something happen right after the next look at a seat, as another thread
    /// could have it.
    pub fn then(&self, happens: impl FnOnce() + Send + 'static) {
        *self.after_a_look.lock().expect("a lock") = Some(Box::new(happens));
    }

    fn after_a_look(&self) {
        let happens = self.after_a_look.lock().expect("a lock").take();
        if let Some(happens) = happens {
            happens();
        }
    }
}

#[cfg(test)]
mod tests;
