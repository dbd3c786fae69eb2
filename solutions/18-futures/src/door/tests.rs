use std::net::Shutdown;

use super::*;

#[test]
fn watch_leaves_a_closed_door_alone() {
    let poller = Poller::new().expect("a poller");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let mut door = Door::new(listener, &poller).expect("a door");
    let client = TcpStream::connect(addr).expect("a connection");
    let look = || {
        let mut events = Vec::new();
        poller
            .wait(&mut events, Some(Duration::ZERO))
            .expect("a look");
        !events.is_empty()
    };
    assert!(look(), "a client waits outside");

    let now = Instant::now();
    door.closed_until = Some(now + PAUSE);
    door.watch(&poller, now).expect("a change");
    assert!(
        !look(),
        "no one can be let in, and the client that waits would end each wait at once"
    );
    // When the time is up, or someone has left, the client is heard of again.
    door.watch(&poller, now + PAUSE).expect("a change");
    assert!(
        look(),
        "the door is open again, and no one hears of the client that waits outside: \
         watch the listener again"
    );
    assert!(matches!(door.accept(now + PAUSE), Arrival::Client(_)));
    assert!(matches!(door.accept(now + PAUSE), Arrival::Nobody));
    client.shutdown(Shutdown::Both).expect("a connection");
}

#[test]
fn watch_tells_the_poller_only_what_changes() {
    let poller = Poller::new().expect("a poller");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut door = Door::new(listener, &poller).expect("a door");
    // To change what isn't watched is an error: so this sees each change.
    poller.remove(&door.listener).expect("a watched listener");
    assert!(
        door.watch(&poller, Instant::now()).is_ok(),
        "the door is open, as before, and the poller is told so again, which is a \
         system call in each turn: compare first"
    );
}

#[test]
fn closed_until_is_a_moment_to_come() {
    let poller = Poller::new().expect("a poller");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut door = Door::new(listener, &poller).expect("a door");
    let now = Instant::now();
    assert_eq!(door.closed_until(now), None);
    door.closed_until = Some(now + PAUSE);
    assert_eq!(door.closed_until(now), Some(now + PAUSE));
    assert_eq!(
        door.closed_until(now + PAUSE),
        None,
        "a moment that has passed would make each wait end at once"
    );
    door.may_open(now);
    assert_eq!(door.closed_until(now), None, "someone has left");
}

#[test]
#[cfg(target_os = "linux")]
fn many_may_wait_outside() {
    const ENOUGH: usize = 200;
    let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
    let allowed = allowed.ok().and_then(|text| text.trim().parse().ok());
    if allowed.is_none_or(|allowed: usize| allowed < ENOUGH) {
        return; // The system doesn't let them.
    }
    let poller = Poller::new().expect("a poller");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let _door = Door::new(listener, &poller).expect("a door");
    let mut clients = Vec::new();
    for count in 0..ENOUGH {
        let client = TcpStream::connect_timeout(&addr, Duration::from_millis(900));
        clients.push(client.unwrap_or_else(|error| {
            panic!("after {count} clients, the next one isn't let queue: {error}")
        }));
    }
}
