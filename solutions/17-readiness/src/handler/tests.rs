use std::sync::Arc;
use std::time::Duration;

use crate::meeting::Meetings;
use crate::request::Persistence;
use crate::response::Body;

use super::*;

/// The status of an answer, and its text.
fn told(response: Option<Response>) -> Option<(String, String)> {
    let response = response?;
    let mut head = Vec::new();
    response.append_head(Persistence::Persist, "now", &mut head);
    let head = String::from_utf8(head).ok()?;
    let status = head.split(' ').nth(1)?.to_owned();
    match response.into_body() {
        Body::Bytes(bytes) => Some((status, String::from_utf8(bytes).ok()?)),
        Body::File(..) => None,
    }
}

fn answer(status: &str, text: &str) -> Option<(String, String)> {
    Some((status.to_owned(), text.to_owned()))
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
    assert_eq!(told(wait.poll(until)), answer("200", "waited 7 ms\n"));
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
        assert_eq!(told(handler.poll(now)), answer("200", "2 met\n"));
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
    assert_eq!(
        told(alone.poll(until)),
        answer("503", "fewer than 3 came\n"),
        "too few have come, which isn't a success"
    );
}

#[test]
fn poll_of_a_meeting_that_has_begun_is_never_too_late() {
    let meetings = Arc::default();
    let (mut first, until) = meet(&meetings, 2);
    let (_second, _) = meet(&meetings, 2);
    let late = until + Duration::from_secs(1);
    let first = told(first.poll(late));
    assert_eq!(first, answer("200", "2 met\n"), "look at the seat first");
}
