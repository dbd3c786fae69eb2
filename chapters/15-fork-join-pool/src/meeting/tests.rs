use super::*;

#[test]
fn who_stays_alone_gives_up() {
    const BRIEFLY: Duration = Duration::from_millis(10);
    let meetings = Meetings::default();
    assert!(!meetings.join(2, BRIEFLY), "nobody else has come");
    assert!(!meetings.join(2, BRIEFLY), "the first one has gone");
}
