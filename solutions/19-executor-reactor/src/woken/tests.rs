use std::task::Waker;
use std::thread;
use std::time::Duration;

use crate::slots::Slots;
use crate::sys::{Event, Interest, Poller};

use super::*;

/// A list, and a poller that hears its alarm.
fn woken() -> (Arc<Woken>, Poller) {
    let woken = Arc::new(Woken::new().expect("a notifier"));
    let poller = Poller::new().expect("a poller");
    let registered = poller.register(woken.alarm(), 1, Interest::READ);
    registered.expect("an alarm");
    (woken, poller)
}

/// The wakers of some connections.
fn wakers<const N: usize>(woken: &Arc<Woken>) -> [Arc<ConnectionWaker>; N] {
    let mut slots = Slots::default();
    [(); N].map(|()| ConnectionWaker::new(slots.insert(()), woken))
}

/// Whether the alarm has rung.
fn has_rung(poller: &Poller) -> bool {
    let mut events: Vec<Event> = Vec::new();
    let look = poller.wait(&mut events, Some(Duration::ZERO));
    look.expect("a look");
    !events.is_empty()
}

#[test]
fn wake_puts_a_connection_on_the_list() {
    let (woken, _) = woken();
    let [first, second] = wakers(&woken);
    assert_eq!(woken.take(), [], "no one has been woken");
    Waker::from(Arc::clone(&second)).wake();
    assert_eq!(woken.take(), [second.token], "by wake");
    Waker::from(Arc::clone(&first)).wake_by_ref();
    assert_eq!(woken.take(), [first.token], "by wake_by_ref");
}

#[test]
fn wake_puts_no_connection_on_the_list_twice() {
    let (woken, _) = woken();
    let [first, second] = wakers(&woken);
    for waker in [&first, &second, &first, &first] {
        Waker::from(Arc::clone(waker)).wake();
    }
    assert_eq!(
        woken.take(),
        [first.token, second.token],
        "a connection that's on the list needn't be there twice"
    );
}

#[test]
fn wake_counts_again_after_the_connection_has_looked() {
    let (woken, _) = woken();
    let [waker] = wakers(&woken);
    for _ in 0..3 {
        assert!(!waker.was_woken(), "no one has woken it");
        waker.wake_by_ref();
        assert_eq!(woken.take(), [waker.token]);
        assert!(waker.was_woken(), "mark the connection, or it isn't polled");
    }
}

#[test]
fn wake_rings_while_the_loop_sleeps_and_only_then() {
    let (woken, poller) = woken();
    let [first, second, third] = wakers(&woken);
    first.wake_by_ref();
    assert!(!has_rung(&poller), "a loop that's awake needs no alarm");
    assert!(!woken.may_sleep(), "someone has been woken");
    woken.take();
    assert!(woken.may_sleep(), "there is nothing to do");
    second.wake_by_ref();
    assert!(has_rung(&poller), "the loop sleeps: who tells it?");
    woken.alarm().drain();
    third.wake_by_ref();
    assert!(!has_rung(&poller), "it has been told already");
    woken.take();
    assert!(!has_rung(&poller));
}

#[test]
fn wake_from_another_thread_is_never_missed() {
    const TIMES: usize = 2_000;
    let (woken, poller) = woken();
    let [waker] = wakers(&woken);
    let other = Waker::from(Arc::clone(&waker));
    let (tell, told) = std::sync::mpsc::sync_channel(0);
    let thread = thread::spawn(move || {
        for _ in 0..TIMES {
            other.wake_by_ref();
            // Until the loop has seen this one.
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
            woken.alarm().drain();
        }
        assert_eq!(woken.take(), [waker.token]);
        assert!(waker.was_woken());
        tell.send(()).expect("the other thread");
    }
    thread.join().expect("wake returns");
}
