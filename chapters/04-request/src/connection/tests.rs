use std::net::TcpListener;
use std::sync::mpsc;
use std::{panic, thread};

use super::*;

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// No test may take longer: what has not come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

/// A client, and the server's end of its connection.
fn connected() -> (TcpStream, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = TcpStream::connect(addr).expect("a connection");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let (stream, _) = listener.accept().expect("a connection");
    (client, Connection::new(stream))
}

/// Reads a head, unless that takes too long.
fn read_head(
    mut connection: Connection,
) -> (Result<Option<usize>, Failure>, Connection) {
    let reading = thread::spawn(move || (connection.read_head(), connection));
    let until = Instant::now() + DEADLINE;
    while !reading.is_finished() {
        assert!(Instant::now() < until, "read_head does not return");
        thread::sleep(Duration::from_millis(1));
    }
    reading
        .join()
        .unwrap_or_else(|why| panic::resume_unwind(why))
}

#[test]
fn read_head_takes_what_comes_in_pieces() {
    let (mut client, connection) = connected();
    client.write_all(&HEAD[..9]).expect("a write");
    let rest = thread::spawn(move || {
        client.write_all(&HEAD[9..]).expect("a write");
        client
    });
    let (outcome, connection) = read_head(connection);
    let len = HEAD.len();
    assert!(
        matches!(outcome, Ok(Some(found)) if found == len),
        "a head in two pieces: wanted Ok(Some({len})), got {outcome:?}"
    );
    assert_eq!(connection.head(HEAD.len()), HEAD);
    drop(rest.join());
}

#[test]
fn read_head_keeps_what_is_left_over() {
    let (mut client, connection) = connected();
    let two = [HEAD, b"\r\n", HEAD, b"\r\n"].concat();
    client.write_all(&two).expect("a write");
    let (_, mut connection) = read_head(connection);
    connection.consume(HEAD.len());
    assert!(connection.has_more(), "the second head has been read too");
    let (outcome, mut connection) = read_head(connection);
    let len = HEAD.len();
    assert!(
        matches!(outcome, Ok(Some(found)) if found == len),
        "the second of two heads: wanted Ok(Some({len})), got {outcome:?}"
    );
    assert_eq!(connection.head(HEAD.len()), HEAD);
    connection.consume(HEAD.len());
    assert!(!connection.has_more(), "an empty line is no request");
}

#[test]
fn read_head_tells_the_end_from_half_a_head() {
    let (client, connection) = connected();
    drop(client);
    let (outcome, _) = read_head(connection);
    assert!(
        matches!(outcome, Ok(None)),
        "no byte, then the end: wanted Ok(None), got {outcome:?}"
    );

    let (mut client, connection) = connected();
    client.write_all(&HEAD[..9]).expect("a write");
    client.shutdown(Shutdown::Write).expect("a half-close");
    let (outcome, _) = read_head(connection);
    assert!(
        matches!(outcome, Err(Failure::Refused(refusal)) if refusal.status == 400),
        "half a head, then the end: wanted a refusal with 400, got {outcome:?}"
    );
}

#[test]
fn finish_lets_the_answer_arrive() {
    let (mut client, mut connection) = connected();
    client.write_all(&[b'x'; 10_000]).expect("a write");
    let answer = Response::new(400);
    connection
        .send(&answer, Persistence::Close)
        .expect("a write");
    let (returned, has_returned) = mpsc::channel();
    let reading = thread::spawn(move || {
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        let waits = has_returned.recv_timeout(LINGER / 5).is_err();
        Ok::<_, io::Error>((answer, waits))
    });
    connection.finish();
    // The client may be gone already.
    let _ = returned.send(());
    let outcome = reading.join().expect("a client that does not panic");
    let (answer, waits) = outcome.expect("the answer and then the end, not a reset");
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
    assert!(waits, "finish does not wait until the client closes");
}

#[test]
fn finish_returns_if_the_client_is_gone() {
    let (client, mut connection) = connected();
    connection.stream.write_all(b"an answer").expect("a write");
    client.peek(&mut [0]).expect("a byte");
    // What it hasn't read makes its kernel reset the connection.
    drop(client);
    connection.finish();
}

#[test]
fn no_answer_to_head_has_content() {
    for (head, content) in [
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("\r\nHEAD / HTTP/1.1\r\n", ""),
        ("HEAD / HTTP/9.9\n", ""),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "content"),
        ("head / HTTP/1.1\r\n", "content"),
    ] {
        let (mut client, connection) = connected();
        client.write_all(head.as_bytes()).expect("a write");
        client.shutdown(Shutdown::Write).expect("a half-close");
        let (_, mut connection) = read_head(connection);
        let response = Response::new(200).with_body("content");
        let sent = connection.send(&response, Persistence::Close);
        assert!(
            matches!(sent, Ok(false)),
            "{head:?}: send returned {sent:?}"
        );
        drop(connection);
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an answer");
        let (_, found) = answer.split_once("\r\n\r\n").expect(&answer);
        assert_eq!(
            found, content,
            "the content (left) of the answer to {head:?}"
        );
    }
}
