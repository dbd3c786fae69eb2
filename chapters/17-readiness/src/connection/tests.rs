use std::io::{Read, Write};
use std::net::TcpListener;

use crate::response::text;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

/// A client, and the server's end of its connection.
fn connected() -> (TcpStream, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = TcpStream::connect(addr).expect("a connection");
    let (stream, _) = listener.accept().expect("a connection");
    (
        client,
        Connection::new(stream, PATIENCE).expect("a connection"),
    )
}

/// Gives turns until something has been read.
fn fill(connection: &mut Connection, spare: &mut Vec<Buffers>) -> usize {
    let until = Instant::now() + Duration::from_secs(4);
    loop {
        connection.begin_turn(spare);
        if let Io::Done(read) = connection.fill().expect("a connection") {
            return read;
        }
        connection.end_turn(spare);
        assert!(Instant::now() < until, "nothing came");
    }
}

#[test]
fn a_turn_has_one_read() {
    let (mut client, mut connection) = connected();
    let sent = vec![b'x'; 100_000];
    client.write_all(&sent).expect("a write");
    let mut spare = Vec::new();
    let (mut read, mut turns) = (0, 0);
    while read < sent.len() {
        read += fill(&mut connection, &mut spare);
        let again = connection.fill().expect("a connection");
        assert_eq!(again, Io::NotNow, "a second read in one turn");
        connection.drop_input();
        connection.end_turn(&mut spare);
        turns += 1;
    }
    assert!(
        turns >= 6,
        "{turns} turns for 100,000 bytes: one read takes 16 KiB"
    );
}

#[test]
fn a_turn_has_one_write() {
    let (mut client, mut connection) = connected();
    let (mut spare, now) = (Vec::new(), Instant::now());
    connection.begin_turn(&mut spare);
    let content = "x".repeat(3 * PIECE);
    connection.put(text(200, content), Persistence::Close, "now");
    let first = connection.flush(now).expect("a connection");
    assert_eq!(first, Io::Done(PIECE));
    let again = connection.flush(now).expect("a connection");
    assert_eq!(again, Io::NotNow, "a second write in one turn");
    while connection.has_output() {
        connection.end_turn(&mut spare);
        connection.begin_turn(&mut spare);
        connection.flush(now).expect("a connection");
    }
    connection.end_writing().expect("a connection");
    let mut received = Vec::new();
    client.read_to_end(&mut received).expect("an answer");
    assert!(received.ends_with(b"\r\n\r\nxxx") || received.len() > 3 * PIECE);
}

#[test]
fn buffers_are_lent_to_one_connection_after_the_other() {
    let mut spare = Vec::new();
    let mut idle: Vec<_> = (0..5).map(|_| connected()).collect();
    for _ in 0..2 {
        for (_, connection) in &mut idle {
            connection.begin_turn(&mut spare);
            connection.fill().expect("a connection");
            assert!(
                !connection.end_turn(&mut spare),
                "nothing was read or written"
            );
        }
        assert_eq!(spare.len(), 1, "who has nothing to say needs no memory");
    }
    // What isn't used yet is kept until it is.
    let (client, connection) = &mut idle[0];
    client.write_all(b"GET /").expect("a write");
    assert_eq!(fill(connection, &mut spare), 5);
    connection.end_turn(&mut spare);
    assert_eq!(spare.len(), 0, "half a head stays with its connection");
    client.write_all(b" HTTP/1.1\r\n\r\n").expect("a write");
    while connection.find_head().expect("no refusal").is_none() {
        fill(connection, &mut spare);
    }
    assert_eq!(connection.head(18), b"GET / HTTP/1.1\r\n\r\n");
    connection.consume(18);
    connection.end_turn(&mut spare);
    assert_eq!(spare.len(), 1);
}

#[test]
fn time_begins_again_with_each_piece_that_is_sent() {
    let (_client, mut connection) = connected();
    let (mut spare, begin) = (Vec::new(), Instant::now());
    connection.begin_turn(&mut spare);
    let content = "x".repeat(3 * PIECE);
    connection.put(text(200, content), Persistence::Close, "now");
    connection.set_time(Some(PATIENCE), begin);
    let later = begin + PATIENCE / 2;
    assert!(!connection.is_out_of_time(later));
    connection.flush(later).expect("a connection");
    assert!(
        !connection.is_out_of_time(begin + PATIENCE),
        "it has taken 64 KiB"
    );
    assert!(connection.is_out_of_time(later + PATIENCE));
    connection.set_time(None, begin);
    assert!(
        !connection.is_out_of_time(later + PATIENCE),
        "it has nothing to do"
    );
}
