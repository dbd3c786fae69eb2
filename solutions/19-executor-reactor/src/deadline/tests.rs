use std::future::{pending, ready};
use std::pin::pin;
use std::task::Waker;

use crate::counting::counting;
use crate::reactor::Entered;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A thread with a reactor, whose timers these are.
fn thread_with_timers() -> (Entered, Arc<Timers>) {
    let reactor = Reactor::new().expect("a reactor");
    (Reactor::enter(&reactor), Arc::clone(reactor.timers()))
}

fn poll<T>(future: impl Future<Output = T>, waker: &Waker) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn limit_waits_until_the_deadline() {
    let (_entered, _) = thread_with_timers();
    let mut deadline = Deadline::new();
    deadline.set(LONG);
    let early = poll(deadline.limit(pending::<()>()), Waker::noop());
    assert_eq!(early, Poll::Pending, "it hasn't passed yet");
    deadline.set(Duration::ZERO);
    let late = poll(deadline.limit(pending::<()>()), Waker::noop());
    assert_eq!(late, Poll::Ready(None), "it has passed");
}

#[test]
fn limit_looks_at_the_future_first() {
    let (_entered, _) = thread_with_timers();
    let mut deadline = Deadline::new();
    deadline.set(Duration::ZERO);
    let both = poll(deadline.limit(ready(7)), Waker::noop());
    assert_eq!(
        both,
        Poll::Ready(Some(7)),
        "what has come is in time, even if this thread looks at it late"
    );
}

#[test]
fn limit_has_the_task_woken_by_the_deadline() {
    let (_entered, timers) = thread_with_timers();
    let (mut deadline, (count, waker)) = (Deadline::new(), counting());
    deadline.set(LONG);
    assert_eq!(timers.next(), None, "no one waits yet");
    assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    assert_eq!(
        timers.next(),
        Some(deadline.until),
        "no timer is set for it"
    );
    timers.wake_due(deadline.until);
    assert_eq!(count.get(), 1, "nothing wakes the task when the time is up");
}

#[test]
fn limit_moves_its_timer_when_the_deadline_comes_nearer() {
    let (_entered, timers) = thread_with_timers();
    let (mut deadline, (_, waker)) = (Deadline::new(), counting());
    deadline.set(LONG);
    assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    deadline.shorten(LONG / 2);
    assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    assert_eq!(
        timers.next(),
        Some(deadline.until),
        "the timer is due when it's too late"
    );
    deadline.shorten(LONG);
    assert_eq!(timers.next(), Some(deadline.until), "it was nearer already");
}

#[test]
fn limit_has_one_timer_however_often_it_is_called() {
    let (_entered, timers) = thread_with_timers();
    let (mut deadline, (count, waker)) = (Deadline::new(), counting());
    for _ in 0..10_000 {
        deadline.set(LONG);
        assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    }
    // All there are.
    timers.wake_due(deadline.until + LONG);
    assert_eq!(
        count.get(),
        1,
        "so many timers are left of 10,000 waits that are over, and all but one of \
         them are for nothing"
    );
}

#[test]
fn limit_looks_again_when_an_old_timer_is_due() {
    let (_entered, timers) = thread_with_timers();
    let (mut deadline, (count, waker)) = (Deadline::new(), counting());
    deadline.set(Duration::from_millis(5));
    assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    let first = deadline.until;
    deadline.set(LONG);
    assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    while Instant::now() < first {
        std::hint::spin_loop();
    }
    timers.wake_due(Instant::now());
    assert_eq!(count.get(), 1);
    assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    assert_eq!(
        timers.next(),
        Some(deadline.until),
        "the old timer is used up, and there's no other one"
    );
}

#[test]
fn drop_of_a_deadline_leaves_no_timer_behind() {
    let (_entered, timers) = thread_with_timers();
    let (mut deadline, (count, waker)) = (Deadline::new(), counting());
    deadline.set(LONG);
    assert!(poll(deadline.limit(pending::<()>()), &waker).is_pending());
    drop((deadline, waker));
    assert_eq!(timers.next(), None, "no one waits for this timer");
    assert_eq!(Arc::strong_count(&count), 1);
}
