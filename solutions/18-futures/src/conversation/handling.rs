//! How a conversation has its requests handled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::app::Answer;
use crate::conversation::Conversation;
use crate::handler::Handler;
use crate::refusal::{Failure, Refusal};
use crate::request::Persistence;
use crate::state::{Asked, State, Step};
use crate::turn::Turn;

impl Conversation {
    // ANCHOR: begin
    /// Has the app begin with a request. Some are answered at once.
    pub(super) fn begin(&mut self, asked: Asked, turn: &mut Turn) -> Step {
        let Asked { route, persistence } = asked;
        let is_heavy = route.is_heavy();
        let begun = unless_it_panics(|| turn.app.begin(route));
        if is_heavy {
            // All clients have waited for this. It doesn't count as their time.
            turn.now = Instant::now();
        }
        match begun {
            Ok(Answer::Ready(response)) => self.answer(response, persistence, turn),
            Ok(Answer::Waiting(handler)) => {
                // Nothing of it has run yet, so it has told no one what it waits for.
                self.waker.mark();
                Step::To(State::Handling(handler, persistence))
            }
            Err(refusal) => self.answer(refusal.into(), persistence, turn),
        }
    }
    // ANCHOR_END: begin

    // ANCHOR: handle
    /// Polls a handler, if it's been woken.
    pub(super) fn handle(
        &mut self,
        mut handler: Handler,
        persistence: Persistence,
        turn: &mut Turn,
    ) -> Result<Step, Failure> {
        if !self.waker.was_woken() {
            return Ok(Step::Stay(State::Handling(handler, persistence)));
        }
        let waker = Waker::from(Arc::clone(&self.waker));
        let mut context = Context::from_waker(&waker);
        match unless_it_panics(|| turn.app.poll(&mut handler, &mut context)) {
            Ok(Poll::Ready(response)) => Ok(self.answer(response, persistence, turn)),
            Ok(Poll::Pending) => {
                Ok(Step::Stay(State::Handling(handler, persistence)))
            }
            Err(refusal) => Ok(self.answer(refusal.into(), persistence, turn)),
        }
    }
    // ANCHOR_END: handle
}

/// Runs a part of a handler. If that panics, the request is answered with 500.
fn unless_it_panics<T>(run: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| Refusal::new(500, "the handler of this request failed"))
}
