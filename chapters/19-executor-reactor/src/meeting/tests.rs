use std::sync::mpsc;
use std::task::Wake;
use std::thread;

use crate::counting::counting;
use crate::timers::Timers;

use super::*;

const LONG: Duration = Duration::from_secs(60);
/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

/// Meetings, and the timers of those who wait for them.
fn place() -> (Arc<Meetings>, Arc<Timers>) {
    (Arc::default(), Arc::default())
}

fn meeting(
    (meetings, timers): &(Arc<Meetings>, Arc<Timers>),
    size: usize,
) -> Meeting {
    Meeting::new(meetings, size, Sleep::on(timers, LONG))
}

fn poll(meeting: &mut Meeting, waker: &Waker) -> Poll<bool> {
    Pin::new(meeting).poll(&mut Context::from_waker(waker))
}

#[test]
fn who_stays_alone_gives_up() {
    const BRIEFLY: Duration = Duration::from_millis(10);
    let meetings = Meetings::default();
    assert!(!meetings.join(2, BRIEFLY), "nobody else has come");
    assert!(!meetings.join(2, BRIEFLY), "the first one has gone");
}

#[test]
fn drop_of_a_seat_leaves_it_to_another_one() {
    let meetings = Arc::default();
    drop(Meetings::take_seat(&meetings, 2));
    let second = Meetings::take_seat(&meetings, 2);
    assert!(
        !second.has_begun(),
        "the first one has gone: its seat is free"
    );
}

#[test]
fn drop_of_a_seat_leaves_no_waker_behind() {
    let (meetings, (count, waker)) = (Arc::default(), counting());
    let seat = Meetings::take_seat(&meetings, 2);
    seat.leave_word(&waker);
    drop((seat, waker));
    assert_eq!(
        Arc::strong_count(&count),
        1,
        "someone still has the waker of a handler that's gone"
    );
}

#[test]
fn poll_of_a_meeting_leaves_word() {
    let (place, (count, waker)) = (place(), counting());
    let mut first = meeting(&place, 2);
    assert_eq!(
        poll(&mut first, &waker),
        Poll::Pending,
        "no one else is here"
    );
    let (meetings, timers) = &place;
    let table = &meetings.lock()[&2];
    assert_eq!(table.wakers.len(), 1, "the meeting is to wake it");
    assert_ne!(timers.next(), None, "and so is the end of its patience");
    assert_eq!(count.get(), 0, "to wake itself at once would be to spin");
}

#[test]
fn poll_of_a_meeting_gives_up() {
    let ((meetings, timers), (count, waker)) = (place(), counting());
    let mut alone = Meeting::new(&meetings, 3, Sleep::on(&timers, Duration::ZERO));
    assert_eq!(
        poll(&mut alone, &waker),
        Poll::Ready(false),
        "its patience has ended, and too few have come"
    );
    drop((alone, waker));
    assert_eq!(Arc::strong_count(&count), 1, "nothing of it is left");
}

#[test]
fn poll_of_a_meeting_that_has_begun_is_never_too_late() {
    let ((meetings, timers), (_, waker)) = (place(), counting());
    let none = Duration::ZERO;
    let mut first = Meeting::new(&meetings, 2, Sleep::on(&timers, none));
    let mut second = Meeting::new(&meetings, 2, Sleep::on(&timers, none));
    for meeting in [&mut first, &mut second] {
        assert_eq!(
            poll(meeting, &waker),
            Poll::Ready(true),
            "they have met, though late: look at the seat first, and then at the time"
        );
    }
}

#[test]
fn poll_of_a_meeting_looks_after_the_waker_is_there() {
    let (place, (count, waker)) = (place(), counting());
    let mut first = meeting(&place, 2);
    let (seats, others) = (mpsc::channel(), Arc::clone(&place.0));
    // Right after the first look, another thread completes the meeting.
    place.0.then(move || {
        let seat = Meetings::take_seat(&others, 2);
        let _ = seats.0.send(seat);
    });
    let polled = poll(&mut first, &waker);
    // Someone who looks and stores under one lock leaves no gap for it.
    let Ok(_seat) = seats.1.try_recv() else {
        return;
    };
    assert!(
        polled == Poll::Ready(true) || count.get() == 1,
        "the meeting began between the look and the waker: this handler was told \
         nothing, and said it was waiting. It waits forever. Leave word first, and \
         look then."
    );
}

#[test]
fn poll_of_a_meeting_is_ready_when_all_have_come() {
    let wakers = [counting(), counting()];
    let (place, [(count, waker), (others, other)]) = (place(), wakers);
    let mut first = meeting(&place, 2);
    assert_eq!(poll(&mut first, &waker), Poll::Pending);
    let mut stranger = meeting(&place, 3);
    assert_eq!(poll(&mut stranger, &other), Poll::Pending);
    let mut second = meeting(&place, 2);
    assert_eq!(
        poll(&mut second, &waker),
        Poll::Ready(true),
        "the last to come"
    );
    assert_eq!(count.get(), 1, "those who wait are woken, each once");
    assert_eq!(others.get(), 0, "that was another meeting");
    assert_eq!(poll(&mut first, &waker), Poll::Ready(true));
    assert_eq!(poll(&mut stranger, &other), Poll::Pending);
    let mut alone = meeting(&place, 1);
    assert_eq!(poll(&mut alone, &waker), Poll::Ready(true));
}

#[test]
fn a_meeting_wakes_the_waker_of_the_last_poll() {
    let (place, [(first, one), (last, two)]) = (place(), [counting(), counting()]);
    let mut waits = meeting(&place, 2);
    assert_eq!(poll(&mut waits, &one), Poll::Pending);
    assert_eq!(poll(&mut waits, &two), Poll::Pending);
    let _second = meeting(&place, 2);
    assert_eq!(
        [first.get(), last.get()],
        [0, 1],
        "a future can move, and then it's polled with another waker: only the one of \
         the last poll counts"
    );
}

#[test]
fn a_meeting_wakes_all_and_only_once() {
    let (place, [(first, one), (second, two)]) = (place(), [counting(), counting()]);
    let mut waiting = [meeting(&place, 3), meeting(&place, 3)];
    assert_eq!(poll(&mut waiting[0], &one), Poll::Pending);
    assert_eq!(poll(&mut waiting[1], &two), Poll::Pending);
    let _third = meeting(&place, 3);
    assert_eq!([first.get(), second.get()], [1, 1], "all who waited");
    let _next = [(); 3].map(|()| meeting(&place, 3));
    assert_eq!(
        [first.get(), second.get()],
        [1, 1],
        "and not for the next one"
    );
}

/// A waker that asks about a meeting, as anything may that's woken.
struct Curious(Arc<Meetings>);

impl Wake for Curious {
    fn wake(self: Arc<Self>) {
        drop(Meetings::take_seat(&self.0, 9));
    }
}

#[test]
fn a_meeting_wakes_without_its_lock() {
    let (tell, told) = mpsc::channel();
    // In a thread of its own, which is left behind if it hangs.
    thread::spawn(move || {
        let place = place();
        let waker = Waker::from(Arc::new(Curious(Arc::clone(&place.0))));
        let mut first = meeting(&place, 2);
        let _ = poll(&mut first, &waker);
        let second = meeting(&place, 2);
        let _ = tell.send(second.seat.has_begun());
    });
    assert_eq!(
        told.recv_timeout(DEADLINE),
        Ok(true),
        "a waker took a seat, and the lock was taken: let go of it before you wake"
    );
}

#[test]
fn drop_of_a_seat_after_the_meeting_changes_nothing() {
    let meetings = Arc::default();
    let met = [2, 2].map(|size| Meetings::take_seat(&meetings, size));
    // Someone waits for the next meeting when the last one is left.
    let first = Meetings::take_seat(&meetings, 2);
    drop(met);
    let second = Meetings::take_seat(&meetings, 2);
    assert!(
        first.has_begun() && second.has_begun(),
        "a meeting that has begun has given its seats back already: one that leaves \
         it gave back the seat of somebody else"
    );
}
