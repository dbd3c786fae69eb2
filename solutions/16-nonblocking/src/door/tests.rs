use super::*;

#[test]
fn may_open_lets_the_next_client_in_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let mut door = Door::new(listener).expect("a door");
    let _client = TcpStream::connect(addr).expect("a connection");
    let now = Instant::now();
    door.closed_until = Some(now + PAUSE);
    assert!(matches!(door.accept(now), Arrival::Closed));
    door.may_open(now);
    assert!(
        matches!(door.accept(now), Arrival::Client(_)),
        "someone has left, so there may be a descriptor: try again at once"
    );
}
