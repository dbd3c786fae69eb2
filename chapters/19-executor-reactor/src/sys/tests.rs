//! What every poller does. Each of the files with a `Poller` runs these tests on its
//! own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::super::{Event, Interest, Notifier, widen_backlog};
use super::Poller;

const WRITE: Interest = Interest {
    read: false,
    write: true,
};
/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);
/// Long enough for what's there already to be reported.
const AT_ONCE: Duration = Duration::ZERO;

/// Two ends of a connection, the server's first.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = TcpStream::connect(addr).expect("a connection");
    let (server, _) = listener.accept().expect("a client");
    server.set_nonblocking(true).expect("nonblocking");
    (server, client)
}

/// Waits until there's an event, and returns all that one wait reported.
fn wait(poller: &Poller) -> Vec<Event> {
    let (begin, mut events) = (Instant::now(), Vec::new());
    while events.is_empty() {
        assert!(
            begin.elapsed() < DEADLINE,
            "no event came within {DEADLINE:?}"
        );
        poller.wait(&mut events, Some(DEADLINE)).expect("a wait");
    }
    events
}

/// What there is at this moment.
fn look(poller: &Poller) -> Vec<Event> {
    let mut events = Vec::new();
    poller.wait(&mut events, Some(AT_ONCE)).expect("a wait");
    events
}

/// Fills the socket, until a write would wait.
fn fill(mut server: &TcpStream) {
    while server.write(&[0; 65536]).is_ok() {}
}

#[test]
fn what_is_read_is_reported_once() {
    let poller = Poller::new().expect("a poller");
    let (mut server, mut client) = connection();
    poller.register(&server, 7, Interest::READ).expect("room");
    assert_eq!(look(&poller), [], "nothing has come yet");

    client.write_all(b"ab").expect("a write");
    let event = Event {
        token: 7,
        readable: true,
        writable: false,
        hangup: false,
    };
    assert_eq!(wait(&poller), [event]);

    // Half of it is read, and the other half is reported again: level-triggered.
    server.read_exact(&mut [0]).expect("a byte");
    assert_eq!(wait(&poller), [event], "one byte is left");
    server.read_exact(&mut [0]).expect("a byte");
    assert_eq!(look(&poller), [], "nothing is left");
}

#[test]
fn a_token_comes_back_as_it_is() {
    let poller = Poller::new().expect("a poller");
    let (server, mut client) = connection();
    client.write_all(b"x").expect("a write");
    for token in [0, u64::from(u32::MAX) + 1, u64::MAX] {
        poller
            .register(&server, token, Interest::READ)
            .expect("room");
        assert_eq!(wait(&poller)[0].token, token);
        poller.remove(&server).expect("it's watched");
    }
}

#[test]
fn only_what_is_asked_for_is_reported() {
    let poller = Poller::new().expect("a poller");
    let (server, mut client) = connection();
    client.write_all(b"x").expect("a write");
    poller.register(&server, 1, Interest::READ).expect("room");
    assert!(wait(&poller).iter().all(|event| event.readable));

    poller.change(&server, 2, WRITE).expect("a change");
    let events = wait(&poller);
    assert!(
        events
            .iter()
            .all(|e| e.token == 2 && e.writable && !e.readable),
        "{events:?}"
    );
    // What has come is still there, and nobody is to be told.
    poller.change(&server, 3, Interest::NONE).expect("a change");
    assert_eq!(look(&poller), []);
    // It's reported once someone asks again.
    poller.change(&server, 4, Interest::READ).expect("a change");
    assert!(wait(&poller)[0].readable);
}

#[test]
fn both_directions_are_reported() {
    let poller = Poller::new().expect("a poller");
    let (server, mut client) = connection();
    client.write_all(b"x").expect("a write");
    let both = Interest {
        read: true,
        write: true,
    };
    poller.register(&server, 1, both).expect("room");
    let begin = Instant::now();
    let (mut readable, mut writable) = (false, false);
    while !(readable && writable) {
        assert!(begin.elapsed() < DEADLINE, "{readable} and {writable}");
        for event in wait(&poller) {
            readable |= event.readable;
            writable |= event.writable;
        }
    }
}

#[test]
fn room_is_reported_when_there_is_some_again() {
    let poller = Poller::new().expect("a poller");
    let (server, mut client) = connection();
    fill(&server);
    poller.register(&server, 1, WRITE).expect("room");
    assert_eq!(look(&poller), [], "the socket is full");
    let reader = thread::spawn(move || {
        let mut sum = 0;
        while let Ok(read @ 1..) = client.read(&mut [0; 65536]) {
            sum += read;
        }
        sum
    });
    assert!(wait(&poller)[0].writable);
    server.shutdown(Shutdown::Both).expect("a connection");
    assert!(reader.join().expect("no panic") > 65536);
}

#[test]
fn the_end_of_a_stream_is_something_to_read() {
    let poller = Poller::new().expect("a poller");
    let (mut server, client) = connection();
    poller.register(&server, 1, Interest::READ).expect("room");
    client.shutdown(Shutdown::Write).expect("a connection");
    let events = wait(&poller);
    assert!(events[0].readable && !events[0].hangup, "{events:?}");
    assert_eq!(server.read(&mut [0]).expect("the end"), 0);
    // A client that won't send any more may still wait for its answer. Until then,
    // there's nothing to report.
    poller.change(&server, 1, Interest::NONE).expect("a change");
    assert_eq!(look(&poller), []);
}

#[test]
// Windows says of a connection that has ended only what is asked for.
#[cfg(not(windows))]
fn a_reset_is_reported_whatever_is_asked_for() {
    for interest in [Interest::NONE, Interest::READ, WRITE] {
        let poller = Poller::new().expect("a poller");
        let (mut server, client) = connection();
        server.write_all(b"x").expect("a write");
        client.peek(&mut [0]).expect("a byte");
        fill(&server);
        poller.register(&server, 1, interest).expect("room");
        assert_eq!(look(&poller), [], "nothing has happened, {interest:?}");
        // To close without having read resets a connection.
        drop(client);
        let begin = Instant::now();
        while !wait(&poller).iter().any(|event| event.hangup) {
            assert!(begin.elapsed() < DEADLINE, "no hang-up, {interest:?}");
        }
    }
}

#[test]
fn a_client_that_waits_is_something_to_read() {
    let poller = Poller::new().expect("a poller");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    widen_backlog(&listener, 4096).expect("a wider backlog");
    poller.register(&listener, 1, Interest::READ).expect("room");
    assert_eq!(look(&poller), []);
    let addr = listener.local_addr().expect("an address");
    let _client = TcpStream::connect(addr).expect("a connection");
    assert!(wait(&poller)[0].readable);
}

#[test]
fn a_socket_that_was_removed_is_not_reported() {
    let poller = Poller::new().expect("a poller");
    let (first, mut one) = connection();
    let (second, mut other) = connection();
    let (third, mut another) = connection();
    for (token, socket) in [(1, &first), (2, &second), (3, &third)] {
        poller
            .register(socket, token, Interest::READ)
            .expect("room");
    }
    for client in [&mut one, &mut other, &mut another] {
        client.write_all(b"x").expect("a write");
    }
    poller.remove(&first).expect("it's watched");
    let mut tokens: Vec<_> = Vec::new();
    let begin = Instant::now();
    while tokens != [2, 3] {
        assert!(begin.elapsed() < DEADLINE, "{tokens:?}");
        tokens = wait(&poller).iter().map(|event| event.token).collect();
        tokens.sort_unstable();
    }
    poller.remove(&third).expect("it's watched");
    assert_eq!(wait(&poller)[0].token, 2);
    poller.remove(&second).expect("it's watched");
    // (WSAPoll won't wait for nothing at all.)
    let notifier = Notifier::new().expect("a notifier");
    poller.register(&notifier, 4, Interest::READ).expect("room");
    assert_eq!(look(&poller), []);
    assert!(poller.remove(&second).is_err(), "it's not watched any more");
    poller
        .change(&second, 2, Interest::READ)
        .expect_err("it's not watched any more");
}

#[test]
fn a_notifier_ends_a_wait() {
    let poller = Poller::new().expect("a poller");
    let notifier = Arc::new(Notifier::new().expect("a notifier"));
    poller
        .register(&*notifier, 9, Interest::READ)
        .expect("room");
    assert_eq!(look(&poller), []);

    let notify = Arc::clone(&notifier);
    let other = thread::spawn(move || {
        // Far more than there is room for: one is enough.
        for _ in 0..10_000 {
            notify.notify();
        }
    });
    assert_eq!(wait(&poller)[0].token, 9);
    other.join().expect("no panic");
    assert_eq!(wait(&poller)[0].token, 9, "it isn't drained yet");
    notifier.drain();
    assert_eq!(look(&poller), [], "it's drained");
    // It works as well after it was full.
    notifier.notify();
    assert_eq!(wait(&poller)[0].token, 9);
}

#[test]
fn a_wait_ends_when_its_time_is_up_and_not_before() {
    let poller = Poller::new().expect("a poller");
    let notifier = Notifier::new().expect("a notifier");
    poller.register(&notifier, 1, Interest::READ).expect("room");
    let mut events = vec![Event {
        token: 1,
        readable: true,
        writable: true,
        hangup: true,
    }];
    for micros in [1, 400, 1_600, 20_000] {
        let time = Duration::from_micros(micros);
        // A signal may interrupt a wait, but hardly all of them.
        let shortest = (0..3).map(|_| {
            let begin = Instant::now();
            poller.wait(&mut events, Some(time)).expect("a wait");
            assert_eq!(events, [], "nothing has happened");
            begin.elapsed()
        });
        let shortest = shortest.min().expect("three waits");
        assert!(shortest >= time, "{time:?} took {shortest:?}");
    }
}

#[test]
fn every_socket_is_reported() {
    let poller = Poller::new().expect("a poller");
    let mut pairs = Vec::new();
    for token in 0..40 {
        let (server, mut client) = connection();
        poller
            .register(&server, token, Interest::READ)
            .expect("room");
        client.write_all(b"x").expect("a write");
        pairs.push((server, client));
    }
    let begin = Instant::now();
    let mut seen = 0;
    while seen < pairs.len() {
        assert!(begin.elapsed() < DEADLINE, "only {seen} came");
        for event in wait(&poller) {
            let (server, _) = &mut pairs[event.token as usize];
            server.read_exact(&mut [0]).expect("a byte");
            seen += 1;
        }
    }
    assert_eq!(look(&poller), []);
}
