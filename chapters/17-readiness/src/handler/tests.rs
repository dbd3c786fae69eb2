use std::sync::Arc;
use std::time::Duration;

use crate::meeting::Meetings;
use crate::response::Body;

use super::*;

fn text_of(response: Option<Response>) -> Option<String> {
    match response?.into_body() {
        Body::Bytes(bytes) => String::from_utf8(bytes).ok(),
        Body::File(..) => None,
    }
}

#[test]
fn poll_of_a_wait_is_ready_once_its_moment_has_come() {
    let begin = Instant::now();
    let until = begin + Duration::from_secs(60);
    let mut wait = Handler::Wait { until, asked: 7 };
    for early in [begin, until - Duration::from_nanos(1)] {
        assert!(wait.poll(early).is_none(), "{:?} too early", until - early);
    }
    assert!(
        begin.elapsed().as_secs() < 4,
        "poll has waited: it must only look"
    );
    let answer = wait.poll(until);
    assert_eq!(text_of(answer).as_deref(), Some("waited 7 ms\n"));
}

/// A handler that meets `size - 1` others, and its deadline.
fn meet(meetings: &Arc<Meetings>, size: usize) -> (Handler, Instant) {
    let until = Instant::now() + Duration::from_secs(60);
    let seat = Meetings::take_seat(meetings, size);
    (Handler::Meet { seat, size, until }, until)
}

#[test]
fn poll_of_a_meeting_is_ready_when_all_have_come() {
    let meetings = Arc::default();
    let (mut first, _) = meet(&meetings, 2);
    let now = Instant::now();
    assert!(first.poll(now).is_none(), "the other one hasn't come");
    let (mut second, _) = meet(&meetings, 2);
    for handler in [&mut second, &mut first] {
        assert_eq!(text_of(handler.poll(now)).as_deref(), Some("2 met\n"));
    }
}

#[test]
fn poll_of_a_meeting_gives_up() {
    let meetings = Arc::default();
    let (mut alone, until) = meet(&meetings, 3);
    assert!(
        alone.poll(until - Duration::from_nanos(1)).is_none(),
        "too early"
    );
    let answer = alone.poll(until);
    assert_eq!(text_of(answer).as_deref(), Some("fewer than 3 came\n"));
}

#[test]
fn poll_of_a_meeting_that_has_begun_is_never_too_late() {
    let meetings = Arc::default();
    let (mut first, until) = meet(&meetings, 2);
    let (_second, _) = meet(&meetings, 2);
    let late = until + Duration::from_secs(1);
    let answer = text_of(first.poll(late));
    assert_eq!(answer.as_deref(), Some("2 met\n"), "look at the seat first");
}
