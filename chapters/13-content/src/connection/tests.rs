use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::{env, panic, thread};

use super::*;
use crate::content::Chunks;
use crate::stop::Stop;

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// No test may take longer: what has not come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

/// How patient a server is whose patience is to run out.
const SHORT: Duration = Duration::from_millis(100);

/// A client, and the server's end of its connection.
fn connected() -> (TcpStream, Connection) {
    connected_for(DEADLINE)
}

/// The same, with a server that is less patient.
fn connected_for(patience: Duration) -> (TcpStream, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = TcpStream::connect(addr).expect("a connection");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let (stream, _) = listener.accept().expect("a connection");
    let stop = Arc::new(Stop::new(addr));
    let connection = Connection::new(Arc::new(stream), patience, Stop::admit(&stop));
    (client, connection.expect("a stream that can wait"))
}

/// Reads a head, unless that takes too long.
fn read_head(
    mut connection: Connection,
) -> (Result<Option<usize>, Failure>, Connection) {
    soon("read_head", move || (connection.read_head(), connection))
}

/// What the function returns, unless that takes too long.
fn soon<T: Send + 'static>(
    name: &str,
    function: impl FnOnce() -> T + Send + 'static,
) -> T {
    let running = thread::spawn(function);
    let until = Instant::now() + DEADLINE;
    while !running.is_finished() {
        assert!(
            Instant::now() < until,
            "{name} does not return: has each wait in it a deadline?"
        );
        thread::sleep(Duration::from_millis(1));
    }
    running
        .join()
        .unwrap_or_else(|why| panic::resume_unwind(why))
}

/// Closes a client's end with an answer unread, which resets the connection: in a
/// moment, while the server waits for it.
///
/// On most systems the reset may come before the server reads, and the read fails all
/// the same. But Wine tells only a read that waits, and the next one that the client
/// has closed.
fn reset_soon(client: TcpStream) {
    // The answer is here when it can be seen.
    client.peek(&mut [0]).expect("an answer");
    thread::spawn(move || {
        thread::sleep(SHORT / 2);
        drop(client);
    });
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
fn read_head_lets_a_silent_client_go() {
    let (_client, connection) = connected_for(SHORT);
    let (outcome, _) = read_head(connection);
    assert!(
        matches!(outcome, Ok(None)),
        "no byte came in time: wanted Ok(None), got {outcome:?}. A client that asked \
         nothing gets no answer, so a timeout with nothing in the input is the end, not \
         a refusal"
    );
}

#[test]
fn read_head_refuses_a_head_that_trickles() {
    let (mut client, connection) = connected_for(SHORT);
    client.write_all(&HEAD[..9]).expect("a write");
    let trickling = thread::spawn(move || {
        while client.write_all(b"x").is_ok() {
            thread::sleep(SHORT / 20);
        }
    });
    let (outcome, connection) = read_head(connection);
    assert!(
        matches!(outcome, Err(Failure::Refused(refusal)) if refusal.status == 408),
        "half a head and then a byte now and then: wanted a refusal with 408, got \
         {outcome:?}. Fix the deadline once, before the loop"
    );
    drop(connection);
    trickling.join().expect("a client that does not panic");
}

/// What [`Connection::skip`] makes of chunked content.
fn skip(mut connection: Connection) -> Result<(), Failure> {
    soon("skip", move || {
        connection.skip(Content::Chunked(Chunks::Size))
    })
}

/// The status code of a refusal.
fn status(outcome: Result<(), Failure>) -> Result<(), u16> {
    outcome.map_err(|failure| match failure {
        Failure::Refused(refusal) => refusal.status,
        Failure::Lost(error) => panic!("no read should fail: {error}"),
    })
}

#[test]
fn skip_reads_no_more_than_it_may() {
    let chunk = |size, data: &str| format!("{size:x}\r\n{data}\r\n0\r\n\r\n");
    // What delimits a chunk of this size takes 14 bytes.
    let longest = chunk(MAX_CONTENT - 14, &"x".repeat(MAX_CONTENT - 14));
    let longer = chunk(MAX_CONTENT - 13, &"x".repeat(MAX_CONTENT - 13));
    let wrong_behind_the_limit = chunk(MAX_CONTENT, &"x".repeat(MAX_CONTENT + 1));
    for (name, content, wanted) in [
        ("the longest content", longest.as_bytes(), Ok(())),
        ("a longer one", longer.as_bytes(), Err(413)),
        ("as much of it", &longer.as_bytes()[..MAX_CONTENT], Err(413)),
        ("a mistake", wrong_behind_the_limit.as_bytes(), Err(413)),
    ] {
        let (mut client, mut connection) = connected();
        // One byte has come already, so that reads of any usual size pass the limit.
        let (first, rest) = content.split_at(1);
        connection.input.extend_from_slice(first);
        let rest = rest.to_owned();
        let sending = thread::spawn(move || client.write_all(&rest));
        let verdict = status(skip(connection));
        assert_eq!(
            verdict, wanted,
            "{name}: got (left), wanted (right). Once MAX_CONTENT bytes have come \
             and the content isn't complete, nothing that comes can make it fit"
        );
        // An error means that not all was read.
        let _ = sending.join().expect("a client that does not panic");
    }
}

#[test]
fn skip_refuses_content_that_does_not_come() {
    let (mut client, connection) = connected_for(SHORT);
    client.write_all(b"5\r\nhel").expect("a write");
    let verdict = status(skip(connection));
    assert_eq!(verdict, Err(408), "half of the content, and no more");

    let (mut client, connection) = connected();
    client.write_all(b"5\r\nhel").expect("a write");
    client.shutdown(Shutdown::Write).expect("a half-close");
    let verdict = status(skip(connection));
    assert_eq!(verdict, Err(400), "half of the content, and then the end");
}

#[test]
fn skip_refuses_content_that_trickles() {
    let (mut client, connection) = connected_for(SHORT);
    client.write_all(b"fffff\r\n").expect("a write");
    let (over, is_over) = mpsc::channel::<()>();
    let trickling = thread::spawn(move || {
        let goes_on = || is_over.try_recv() == Err(mpsc::TryRecvError::Empty);
        while goes_on() && client.write_all(b"x").is_ok() {
            thread::sleep(SHORT / 20);
        }
    });
    let verdict = status(skip(connection));
    drop(over);
    trickling.join().expect("a client that does not panic");
    assert_eq!(
        verdict,
        Err(408),
        "a byte now and then: fix the deadline once, before the loop"
    );
}

#[test]
fn skip_refuses_at_once_what_is_announced_to_be_too_long() {
    let (_client, mut connection) = connected();
    let outcome = soon("skip", move || {
        connection.skip(Content::Length(MAX_CONTENT as u64 + 1))
    });
    assert_eq!(
        status(outcome),
        Err(413),
        "a length, and not a byte of content"
    );
}

#[test]
fn skip_passes_a_reset_on() {
    let (client, mut connection) = connected();
    connection
        .send(Response::new(200), Persistence::Persist)
        .expect("a write");
    connection.flush().expect("a write");
    reset_soon(client);
    let outcome = skip(connection);
    assert!(outcome.is_err(), "wanted the read's error, got {outcome:?}");
}

#[test]
fn read_head_passes_a_reset_on() {
    let (mut client, mut connection) = connected();
    client.write_all(&HEAD[..9]).expect("a write");
    connection
        .send(Response::new(200), Persistence::Close)
        .expect("a write");
    connection.flush().expect("a write");
    reset_soon(client);
    let (outcome, _) = read_head(connection);
    assert!(
        matches!(outcome, Err(Failure::Lost(_))),
        "half a head, then a reset: wanted the error of the read, got {outcome:?}. \
         Only a timeout is answered with 408"
    );
}

#[test]
fn send_is_content_when_a_whole_file_is_sent() {
    let (_client, mut connection) = connected();
    let program = env::current_exe().and_then(File::open);
    let program = program.expect("this program can be read");
    let outcome = connection.send(
        Response::new(200).with_file(program, 1000),
        Persistence::Close,
    );
    assert!(outcome.is_ok(), "wanted Ok, got {outcome:?}");
}

#[test]
fn send_gives_up_on_a_client_that_does_not_read() {
    let (_client, mut connection) = connected_for(SHORT);
    let response = Response::new(200).with_body("x".repeat(64 << 20));
    let outcome = soon("send", move || {
        connection.send(response, Persistence::Close)
    });
    assert!(
        outcome.as_ref().is_err_and(is_timeout),
        "the client reads nothing: wanted a timeout as the error, got {outcome:?}. \
         `left` makes one when the deadline has passed: pass it on"
    );
}

#[test]
fn send_does_not_wait_for_a_client_that_is_gone() {
    let (client, mut connection) = connected();
    drop(client);
    let response = Response::new(200).with_body("x".repeat(64 << 20));
    let outcome = soon("send", move || {
        connection.send(response, Persistence::Close)
    });
    assert!(
        outcome.as_ref().is_err_and(|error| !is_timeout(error)),
        "the client has closed: wanted the error of the write, got {outcome:?}. \
         Only a timeout is a reason to write again"
    );
}

#[test]
fn write_all_has_one_deadline_for_all_its_bytes() {
    let (mut client, mut connection) = connected_for(3 * SHORT);
    thread::spawn(move || {
        let mut some = vec![0; 4 * PIECE];
        let mut reads = 0;
        while let Ok(1..) = client.read(&mut some) {
            reads += 1;
            // For twice as long as the server is patient.
            if reads <= 60 {
                thread::sleep(SHORT / 10);
            }
        }
    });
    // Far more than the client takes in so short a time, and than the kernel
    // keeps for it.
    let bytes = vec![b'x'; 64 << 20];
    let outcome = soon("write_all", move || connection.write_all(&bytes));
    assert!(
        outcome.as_ref().is_err_and(is_timeout),
        "the client reads a little now and then: wanted a timeout as the error, got \
         {outcome:?}. Fix the deadline once, before the loop, and give each write \
         the time that is left"
    );
}

#[test]
fn finish_lets_the_answer_arrive() {
    let (mut client, mut connection) = connected();
    client.write_all(&[b'x'; 10_000]).expect("a write");
    connection
        .send(Response::new(400), Persistence::Close)
        .expect("a write");
    let (returned, has_returned) = mpsc::channel();
    let reading = thread::spawn(move || {
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        let waits = has_returned.recv_timeout(LINGER / 5).is_err();
        Ok::<_, io::Error>((answer, waits))
    });
    connection.finish().expect("a write");
    // The client may be gone already.
    let _ = returned.send(());
    let outcome = reading.join().expect("a client that does not panic");
    let (answer, waits) = outcome.expect("the answer and then the end, not a reset");
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
    assert!(waits, "finish does not wait until the client closes");
}

#[test]
fn finish_returns_if_the_client_is_gone() {
    let (client, connection) = connected();
    let mut stream = &*connection.stream;
    stream.write_all(b"an answer").expect("a write");
    client.peek(&mut [0]).expect("a byte");
    // What it hasn't read makes its kernel reset the connection.
    drop(client);
    let _ = connection.finish();
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
        let sent = connection.send(response, Persistence::Close);
        assert!(
            matches!(sent, Ok(false)),
            "{head:?}: send returned {sent:?}"
        );
        connection.finish().expect("a write");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an answer");
        let (_, found) = answer.split_once("\r\n\r\n").expect(&answer);
        assert_eq!(
            found, content,
            "the content (left) of the answer to {head:?}"
        );
    }
}

/// A response with the first bytes of a file that has many more.
fn with_file(len: u64) -> Response {
    let program = env::current_exe().and_then(File::open);
    let program = program.expect("this program can be read");
    Response::new(200).with_file(program, len)
}

#[test]
fn send_waits_for_more_while_answers_are_small() {
    let (mut client, mut connection) = connected();
    let small = Response::new(200).with_body("small");
    connection
        .send(small, Persistence::Persist)
        .expect("a small answer");
    connection
        .send(with_file(1000), Persistence::Persist)
        .expect("a small file");
    client.set_nonblocking(true).expect("a nonblocking client");
    let come = client.read(&mut [0; 100]);
    assert!(come.is_err_and(|error| is_timeout(&error)), "nothing yet");
    connection.flush().expect("a write");
    client.set_nonblocking(false).expect("a blocking client");
    let come = client.read(&mut [0; 100]);
    assert!(matches!(come, Ok(1..)), "flush sends them");
}

#[test]
fn send_sends_a_file_behind_answers_that_fill_a_piece() {
    let (mut client, mut connection) = connected();
    // With the head of the file's answer, these are more than a piece.
    let large = Response::new(200).with_body(vec![b'x'; PIECE - 60]);
    let outcome = soon("send", move || {
        connection.send(large, Persistence::Persist)?;
        connection.send(with_file(1000), Persistence::Persist)?;
        connection.flush()
    });
    assert!(outcome.is_ok(), "wanted Ok, got {outcome:?}");
    let mut both = vec![0; PIECE - 60 + 1000];
    client.read_exact(&mut both).expect("two whole answers");
}

#[test]
fn send_fails_when_a_file_is_too_short() {
    let (_client, mut connection) = connected();
    let null = File::open(if cfg!(windows) { "NUL" } else { "/dev/null" });
    let empty = Response::new(200).with_file(null.expect("an empty file"), 1000);
    let outcome = soon("send", move || connection.send(empty, Persistence::Persist));
    assert!(outcome.is_err(), "less than was promised");
}

#[test]
fn send_waits_for_a_client_that_reads_late() {
    let (mut client, mut connection) = connected();
    let response = Response::new(200).with_body("x".repeat(16 << 20));
    let len = {
        let mut head = Vec::new();
        let clock = &mut Clock::default();
        response.append_head(Persistence::Persist, clock.date(), &mut head);
        head.len() + (16 << 20)
    };
    let reading = thread::spawn(move || {
        // Longer than a write waits before it looks again, and within the
        // server's patience.
        thread::sleep(5 * LOOK_AGAIN);
        let mut received = vec![0; len];
        client.read_exact(&mut received).map(|()| {
            received.ends_with(
                b"

xxx",
            ) || received[len - (16 << 20)..]
                .iter()
                .all(|byte| *byte == b'x')
        })
    });
    let outcome = soon("send", move || {
        connection.send(response, Persistence::Persist)?;
        connection.flush()
    });
    assert!(
        outcome.is_ok(),
        "the client reads after {:?}: wanted all to be sent, got {outcome:?}. A \
         write that has waited long enough has to look for room once more, until \
         the deadline",
        5 * LOOK_AGAIN
    );
    let all_came = reading.join().expect("a client that does not panic");
    assert!(all_came.expect("a read"), "other bytes came than were sent");
}

#[test]
fn send_says_whether_another_request_is_to_be_read() {
    for (persistence, goes_on) in [
        (Persistence::Persist, true),
        (Persistence::KeepAlive, true),
        (Persistence::Close, false),
    ] {
        let (_client, mut connection) = connected();
        let sent = connection.send(Response::new(200), persistence);
        assert_eq!(
            sent.ok(),
            Some(goes_on),
            "whether another request is to be read, {persistence:?}: got (left), \
             wanted (right)"
        );
    }
}

#[test]
fn send_ends_the_conversation_once_stopping_has_begun() {
    for (persistence, unread, goes_on) in [
        (Persistence::Persist, "", false),
        (Persistence::KeepAlive, "", false),
        (Persistence::Persist, "\r\n", false),
        (Persistence::Persist, "GET /", true),
        (Persistence::Close, "GET /", false),
    ] {
        let (_client, mut connection) = connected();
        connection.client.stop().begin();
        connection.input.extend_from_slice(unread.as_bytes());
        let sent = connection.send(Response::new(200), persistence);
        let case = format!("stopping, {persistence:?}, with {unread:?} read already");
        assert_eq!(
            sent.ok(),
            Some(goes_on),
            "whether another request is to be read, {case}: got (left), wanted \
             (right)"
        );
        let head = String::from_utf8_lossy(&connection.output);
        let says = head.contains("\r\nConnection: close\r\n");
        assert_eq!(says, !goes_on, "{case}: what the head says, {head:?}");
    }
}
