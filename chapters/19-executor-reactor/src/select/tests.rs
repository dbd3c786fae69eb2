use std::cell::Cell;
use std::future::{pending, ready};
use std::task::{Context, Waker};

use crate::counting::counting;

use super::*;

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn select_is_ready_when_one_is() {
    let first = poll_once(select(ready(1), pending::<()>()));
    assert_eq!(first, Poll::Ready(Either::First(1)));
    let second = poll_once(select(pending::<()>(), ready(2)));
    assert_eq!(second, Poll::Ready(Either::Second(2)));
    let neither = poll_once(select(pending::<()>(), pending::<()>()));
    assert_eq!(neither, Poll::Pending);
}

#[test]
fn select_prefers_the_first() {
    let was_polled = Cell::new(false);
    let second = async { was_polled.set(true) };
    let both = poll_once(select(ready(1), second));
    assert_eq!(both, Poll::Ready(Either::First(1)));
    assert!(
        !was_polled.get(),
        "the first one has decided it: what the second would do now is lost"
    );
}

#[test]
fn select_polls_both_whenever_it_is_polled() {
    let polls = [Cell::new(0), Cell::new(0)];
    let waits_for = |at: usize, times: u32| {
        let polls = &polls[at];
        poll_fn(move |_| {
            polls.set(polls.get() + 1);
            match polls.get() < times {
                true => Poll::Pending,
                false => Poll::Ready(times),
            }
        })
    };
    let mut both = pin!(select(waits_for(0, 9), waits_for(1, 3)));
    let mut context = Context::from_waker(Waker::noop());
    for poll in 1..=2 {
        assert!(both.as_mut().poll(&mut context).is_pending());
        assert_eq!(
            polls.each_ref().map(Cell::get),
            [poll, poll],
            "select doesn't know which of them has been woken, so it asks both"
        );
    }
    let third = both.as_mut().poll(&mut context);
    assert_eq!(third, Poll::Ready(Either::Second(3)));
}

#[test]
fn select_has_either_of_them_wake_the_task() {
    let (count, waker) = counting();
    let leaves_word = || {
        poll_fn(|context: &mut Context<'_>| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        })
    };
    let mut both = pin!(select(leaves_word(), leaves_word()));
    let poll = both.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(poll, Poll::Pending);
    assert_eq!(count.get(), 2, "both get the context that select gets");
}

#[test]
fn select_drops_the_other_one() {
    /// Notes that it's been dropped.
    struct Dropped<'a>(&'a Cell<bool>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let dropped = Cell::new(false);
    let other = async {
        let _dropped = Dropped(&dropped);
        pending::<()>().await;
    };
    let first = poll_once(select(other, ready(2)));
    assert_eq!(first, Poll::Ready(Either::Second(2)));
    assert!(dropped.get(), "no one waits for it any more");
}
