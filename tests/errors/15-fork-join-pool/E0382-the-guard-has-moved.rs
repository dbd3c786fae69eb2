use std::sync::{Condvar, MutexGuard, PoisonError};
use std::thread;

type State = u32;

struct Slot<R>(Option<thread::Result<R>>);

impl<R> Slot<R> {
    fn take(&mut self) -> Option<thread::Result<R>> {
        self.0.take()
    }
}

struct Worker<'a> {
    state: &'a std::sync::Mutex<State>,
    joining: Condvar,
}

impl<'a> Worker<'a> {
    fn lock(&self) -> MutexGuard<'a, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let woken = self.joining.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }
}

// ANCHOR: wrong
fn wait_for<R>(slot: &mut Slot<R>, worker: &Worker) -> thread::Result<R> {
    let state = worker.lock();
    loop {
        if let Some(outcome) = slot.take() {
            return outcome;
        }
        worker.sleep(state);
    }
}
// ANCHOR_END: wrong

fn main() {}
