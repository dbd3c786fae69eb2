use std::time::Duration;

use crate::counting::counting;

use super::*;

#[test]
fn wake_due_wakes_those_whose_moment_has_come() {
    let (timers, now) = (Timers::default(), Instant::now());
    let ([early, late], second) = ([counting(), counting()], Duration::from_secs(1));
    timers.set(timers.name(now + 2 * second), &late.1);
    timers.set(timers.name(now + second), &early.1);
    assert_eq!(timers.next(), Some(now + second));
    timers.wake_due(now);
    assert_eq!([early.0.get(), late.0.get()], [0, 0]);
    timers.wake_due(now + second);
    assert_eq!([early.0.get(), late.0.get()], [1, 0]);
    assert_eq!(timers.next(), Some(now + 2 * second));
    timers.wake_due(now + 9 * second);
    assert_eq!([early.0.get(), late.0.get()], [1, 1], "each of them once");
    assert_eq!(timers.next(), None);
}

#[test]
fn timers_of_the_same_moment_are_different_ones() {
    let (timers, now) = (Timers::default(), Instant::now());
    let both = [counting(), counting()];
    for (_, waker) in &both {
        timers.set(timers.name(now), waker);
    }
    timers.wake_due(now);
    assert_eq!(both.map(|(count, _)| count.get()), [1, 1]);
}

#[test]
fn the_waker_that_was_set_last_is_woken() {
    let (timers, now) = (Timers::default(), Instant::now());
    let (timer, [first, last]) = (timers.name(now), [counting(), counting()]);
    timers.set(timer, &first.1);
    timers.set(timer, &last.1);
    timers.wake_due(now);
    assert_eq!([first.0.get(), last.0.get()], [0, 1]);
}

#[test]
fn a_timer_that_is_removed_wakes_no_one() {
    let (timers, now) = (Timers::default(), Instant::now());
    let (timer, (count, waker)) = (timers.name(now), counting());
    timers.set(timer, &waker);
    timers.remove(timer);
    timers.wake_due(now);
    assert_eq!((count.get(), timers.next()), (0, None));
}
