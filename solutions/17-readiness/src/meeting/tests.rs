use super::*;

#[test]
fn who_stays_alone_gives_up() {
    const BRIEFLY: Duration = Duration::from_millis(10);
    let meetings = Meetings::default();
    assert!(!meetings.join(2, BRIEFLY), "nobody else has come");
    assert!(!meetings.join(2, BRIEFLY), "the first one has gone");
}

#[test]
fn a_meeting_begins_with_its_last_seat() {
    let meetings = Arc::default();
    let first = Meetings::take_seat(&meetings, 2);
    assert!(!first.has_begun());
    let other = Meetings::take_seat(&meetings, 3);
    assert!(!first.has_begun(), "that was another meeting");
    let second = Meetings::take_seat(&meetings, 2);
    assert!(first.has_begun() && second.has_begun());
    assert!(!other.has_begun());
    assert!(Meetings::take_seat(&meetings, 1).has_begun());
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
    let third = Meetings::take_seat(&meetings, 2);
    assert!(second.has_begun() && third.has_begun());
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
