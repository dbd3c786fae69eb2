use std::task::Waker;

use crate::counting::counting;

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn poll(sleep: &mut Sleep, waker: &Waker) -> Poll<()> {
    Pin::new(sleep).poll(&mut Context::from_waker(waker))
}

#[test]
fn poll_of_a_sleep_is_ready_once_its_moment_has_come() {
    let timers = Arc::new(Timers::default());
    let mut long = Sleep::on(&timers, LONG);
    let begin = Instant::now();
    assert_eq!(poll(&mut long, Waker::noop()), Poll::Pending, "too early");
    assert!(
        begin.elapsed() < LONG / 10,
        "poll has waited: it must only look"
    );
    let mut short = Sleep::on(&timers, Duration::ZERO);
    assert_eq!(poll(&mut short, Waker::noop()), Poll::Ready(()));
}

#[test]
fn poll_of_a_sleep_has_itself_woken() {
    let timers = Arc::new(Timers::default());
    let (mut sleep, (count, waker)) = (Sleep::on(&timers, LONG), counting());
    assert_eq!(timers.next(), None, "it does nothing until it's polled");
    assert_eq!(poll(&mut sleep, &waker), Poll::Pending);
    assert_eq!(timers.next(), Some(sleep.timer.until));
    assert_eq!(count.get(), 0, "to wake itself at once would be to spin");
    timers.wake_due(sleep.timer.until);
    assert_eq!(count.get(), 1, "a future that isn't ready is woken later");
}

#[test]
fn poll_of_a_sleep_that_was_woken_early_has_it_woken_again() {
    let timers = Arc::new(Timers::default());
    let (mut sleep, (count, waker)) = (Sleep::on(&timers, LONG), counting());
    let until = sleep.timer.until;
    for times in 1..=3 {
        assert_eq!(poll(&mut sleep, &waker), Poll::Pending, "it's not time yet");
        // The clock of the loop is ahead of that of the test.
        timers.wake_due(until);
        assert_eq!(
            count.get(),
            times,
            "each poll that isn't ready leaves word: the one before may be used up"
        );
    }
}

#[test]
fn poll_of_a_sleep_has_the_last_waker_woken() {
    let timers = Arc::new(Timers::default());
    let mut sleep = Sleep::on(&timers, LONG);
    let [first, last] = [counting(), counting()];
    assert_eq!(poll(&mut sleep, &first.1), Poll::Pending);
    assert_eq!(poll(&mut sleep, &last.1), Poll::Pending);
    timers.wake_due(sleep.timer.until);
    assert_eq!(
        [first.0.get(), last.0.get()],
        [0, 1],
        "a future can move, and then it's polled with another waker: only the one of \
         the last poll counts"
    );
}

#[test]
fn drop_of_a_sleep_leaves_no_waker_behind() {
    let timers = Arc::new(Timers::default());
    let (mut sleep, (count, waker)) = (Sleep::on(&timers, LONG), counting());
    assert_eq!(poll(&mut sleep, &waker), Poll::Pending);
    let until = sleep.timer.until;
    drop((sleep, waker));
    assert_eq!(
        Arc::strong_count(&count),
        1,
        "someone still has the waker of a sleep that no one waits for"
    );
    timers.wake_due(until);
    assert_eq!(count.get(), 0);
}
