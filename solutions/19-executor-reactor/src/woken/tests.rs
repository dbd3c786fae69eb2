use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::slots::Slots;
use crate::sys::{Event, Interest, Poller};

use super::*;

/// A list, and a poller that hears its alarm.
fn woken() -> (Arc<Woken>, Poller) {
    let (alarm, poller) = (Notifier::new().expect("a notifier"), Poller::new());
    let (alarm, poller) = (Arc::new(alarm), poller.expect("a poller"));
    let registered = poller.register(&*alarm, 1, Interest::READ);
    registered.expect("an alarm");
    (Arc::new(Woken::new(&alarm)), poller)
}

/// The wakers of some tasks.
fn wakers<const N: usize>(woken: &Arc<Woken>) -> [Arc<TaskWaker>; N] {
    let mut slots = Slots::default();
    [(); N].map(|()| TaskWaker::new(slots.insert(()), woken))
}

/// Takes what's on the list.
fn take(woken: &Woken) -> Vec<Token> {
    let mut tokens = Vec::new();
    woken.take(&mut tokens);
    tokens
}

/// Whether the alarm has rung.
fn has_rung(poller: &Poller) -> bool {
    let mut events: Vec<Event> = Vec::new();
    let look = poller.wait(&mut events, Some(Duration::ZERO));
    look.expect("a look");
    !events.is_empty()
}

#[test]
fn wake_puts_a_task_on_the_list() {
    let (woken, _poller) = woken();
    let [first, second] = wakers(&woken);
    assert_eq!(take(&woken), [], "no one has been woken");
    second.wake_by_ref();
    first.wake_by_ref();
    assert_eq!(take(&woken), [second.token, first.token]);
    assert_eq!(take(&woken), [], "these have been taken");
}

#[test]
fn wake_puts_no_task_on_the_list_twice() {
    let (woken, _poller) = woken();
    let [first, second] = wakers(&woken);
    for waker in [&first, &second, &first, &first] {
        waker.wake_by_ref();
    }
    assert_eq!(take(&woken), [first.token, second.token]);
    first.wake_by_ref();
    assert_eq!(take(&woken), [], "it hasn't been polled yet");
    first.begin_poll();
    first.wake_by_ref();
    assert_eq!(take(&woken), [first.token], "woken while it's polled");
}

#[test]
fn wake_rings_while_the_executor_sleeps_and_only_then() {
    let (woken, poller) = woken();
    let [first, second, third] = wakers(&woken);
    first.wake_by_ref();
    assert!(
        !has_rung(&poller),
        "an executor that's awake needs no alarm"
    );
    assert!(!woken.may_sleep(), "someone has been woken");
    take(&woken);
    assert!(woken.may_sleep(), "there is nothing to do");
    second.wake_by_ref();
    assert!(has_rung(&poller), "the executor sleeps: who tells it?");
    woken.alarm.drain();
    third.wake_by_ref();
    assert!(!has_rung(&poller), "it has been told already");
    take(&woken);
    assert!(woken.may_sleep(), "there is nothing to do");
    woken.end_sleep();
    first.begin_poll();
    first.wake_by_ref();
    assert!(!has_rung(&poller), "the executor is awake again");
}

#[test]
fn wake_from_another_thread_is_never_missed() {
    const TIMES: usize = 2_000;
    let (woken, poller) = woken();
    let [waker] = wakers(&woken);
    let other = Arc::clone(&waker);
    let (tell, told) = mpsc::sync_channel(0);
    waker.wake_by_ref();
    assert_eq!(take(&woken), [waker.token]);
    waker.begin_poll();
    let thread = thread::spawn(move || {
        for _ in 0..TIMES {
            other.wake_by_ref();
            // Until the executor has seen this one.
            if told.recv().is_err() {
                return;
            }
        }
    });
    let mut events = Vec::new();
    for time in 0..TIMES {
        while woken.may_sleep() {
            let wait = poller.wait(&mut events, Some(Duration::from_secs(4)));
            wait.expect("a wait");
            assert!(!events.is_empty(), "wake {time} hasn't ended the wait");
            woken.end_sleep();
            woken.alarm.drain();
        }
        assert_eq!(take(&woken), [waker.token]);
        waker.begin_poll();
        tell.send(()).expect("the other thread");
    }
    thread.join().expect("wake returns");
}
