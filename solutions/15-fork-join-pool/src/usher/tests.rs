use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use super::*;

/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

/// A client whose request is unread, and the server's end of its connection.
fn connected() -> (TcpStream, Arc<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let mut client = TcpStream::connect(addr).expect("a connection");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    client.write_all(b"GET / HTTP/1.1\r\n").expect("a write");
    let (stream, _) = listener.accept().expect("a connection");
    (client, Arc::new(stream))
}

#[test]
fn tell_says_that_the_server_is_busy_and_nothing_more() {
    let (mut client, stream) = connected();
    tell(&stream).expect("a client that is there");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect(
        "the answer and then its end: is the sending half of the socket shut down?",
    );
    let (head, content) = answer.split_once("\r\n\r\n").expect("a whole head");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    for field in ["Retry-After: ", "Connection: close", "Date: "] {
        assert!(
            head.contains(&format!("\r\n{field}")),
            "no {field}in {head}"
        );
    }
    let length = format!("\r\nContent-Length: {}\r\n", content.len());
    assert!((head.to_owned() + "\r\n").contains(&length), "{answer}");
}

#[test]
fn tell_leaves_a_stream_that_waits() {
    let (_client, stream) = connected();
    tell(&stream).expect("a client that is there");
    let wait = Some(Duration::from_millis(20));
    stream.set_read_timeout(wait).expect("a timeout");
    let begin = Instant::now();
    // What the client has sent comes first, and then nothing.
    while let Ok(1..) = (&*stream).read(&mut [0; 100]) {}
    let waited = begin.elapsed();
    assert!(
        waited >= Duration::from_millis(10),
        "a read on the stream returned after {waited:?}: make it block again, or linger() \
         can't wait for the client"
    );
}

#[test]
fn tell_does_not_wait_for_a_client_that_does_not_read() {
    let (_client, stream) = connected();
    let filler = Arc::clone(&stream);
    filler.set_nonblocking(true).expect("a nonblocking stream");
    while let Ok(1..) = (&*filler).write(&[0; 1 << 16]) {}
    filler
        .set_nonblocking(false)
        .expect("a stream that blocks again");
    let telling = thread::spawn(move || tell(&stream));
    let until = Instant::now() + DEADLINE;
    while !telling.is_finished() {
        assert!(
            Instant::now() < until,
            "tell waits for room in a full socket, and so does the thread that accepts: \
             make the stream nonblocking before the write"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_client_that_was_turned_away_is_let_go_without_another_one() {
    let usher = Usher::new().expect("a thread");
    let (_silent, stream) = connected();
    let watched = Arc::downgrade(&stream);
    usher.turn_away(stream);
    assert!(
        watched.upgrade().is_some(),
        "its socket was closed at once, and its client may still be reading. If the \
         stream is still nonblocking after tell(), linger() can't wait for the client"
    );
    let until = Instant::now() + DEADLINE;
    while watched.upgrade().is_some() {
        assert!(Instant::now() < until, "its socket is held forever");
        thread::sleep(Duration::from_millis(5));
    }
}
