use std::cell::Cell;
use std::future::{pending, ready};
use std::pin::pin;
use std::task::{Context, Waker};

use crate::counting::counting;

use super::*;

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn select_is_ready_when_one_is() {
    let first = poll_once(select(pin!(ready(1)), pin!(pending::<()>())));
    assert_eq!(first, Poll::Ready(Either::First(1)));
    let second = poll_once(select(pin!(pending::<()>()), pin!(ready(2))));
    assert_eq!(second, Poll::Ready(Either::Second(2)), "one is enough");
    let neither = poll_once(select(pin!(pending::<()>()), pin!(pending::<()>())));
    assert_eq!(neither, Poll::Pending);
}

#[test]
fn select_prefers_the_first() {
    let was_polled = Cell::new(false);
    let second = async { was_polled.set(true) };
    let both = poll_once(select(pin!(ready(1)), pin!(second)));
    assert_eq!(both, Poll::Ready(Either::First(1)), "both are ready");
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
    let (first, second) = (pin!(waits_for(0, 9)), pin!(waits_for(1, 3)));
    let mut both = pin!(select(first, second));
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
    let (first, second) = (pin!(leaves_word()), pin!(leaves_word()));
    let mut both = pin!(select(first, second));
    let poll = both.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(poll, Poll::Pending);
    assert_eq!(count.get(), 2, "both get the context that select gets");
}

#[test]
fn select_leaves_the_other_one_as_it_is() {
    let mut polls = 0;
    let mut other = pin!(poll_fn(move |_| {
        polls += 1;
        match polls {
            1 => Poll::Pending,
            _ => Poll::Ready(polls),
        }
    }));
    let first = poll_once(select(other.as_mut(), pin!(ready(2))));
    assert_eq!(first, Poll::Ready(Either::Second(2)));
    let other = poll_once(select(other, pin!(pending::<()>())));
    assert_eq!(other, Poll::Ready(Either::First(2)), "it could go on");
}
