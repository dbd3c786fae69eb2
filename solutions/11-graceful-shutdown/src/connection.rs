//! A connection: a socket, and the bytes that have been read from it and not used
//! yet.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Take, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::http::{Body, HeadScanner, Refusal, Response};
use crate::stop::Stop;

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);
/// How long a read waits before it looks whether stopping has begun.
const TICK: Duration = Duration::from_millis(100);
/// How long a read waits after that. What a client has sent by then is here already.
const LAST_LOOK: Duration = Duration::from_millis(10);
/// How many bytes are sent under one deadline.
const PIECE: usize = 64 * 1024;
/// How long a write waits at most before it looks for room once more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    /// What has been read and not consumed: it begins where the next head begins.
    input: Vec<u8>,
    scanner: HeadScanner,
    patience: Duration,
    stop: Arc<Stop>,
}

/// What a client sent when a request's head was awaited.
#[derive(Debug)]
pub enum Head {
    /// A complete head of this many bytes.
    Complete(usize),
    /// Bytes that cannot become the head of a request.
    Refused(Refusal),
    /// Nothing more: the client is done.
    End,
}

impl Connection {
    /// Takes over a stream from which nothing has been read.
    ///
    /// `patience` is how long the client may take for a whole head, and for each 64
    /// KiB of an answer. After stopping has begun, no head is awaited that is not
    /// here.
    pub fn new(stream: TcpStream, patience: Duration, stop: Arc<Stop>) -> Connection {
        Connection {
            stream,
            input: Vec::new(),
            scanner: HeadScanner::default(),
            patience,
            stop,
        }
    }

    /// Reads until a whole head is there, or the client's time is up.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed read, such as a reset connection.
    pub fn read_head(&mut self) -> io::Result<Head> {
        let deadline = Instant::now() + self.patience;
        loop {
            match self.scanner.scan(&self.input) {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Ok(Some(2)) => self.consume(2),
                Ok(Some(len)) => return Ok(Head::Complete(len)),
                Ok(None) => match self.fill(deadline) {
                    Ok(1..) => {}
                    // Nothing was asked, so there is nothing to answer.
                    Ok(0) if self.input.is_empty() => return Ok(Head::End),
                    Err(error) if is_timeout(&error) && self.input.is_empty() => {
                        return Ok(Head::End);
                    }
                    Ok(0) => {
                        return Ok(refused(
                            400,
                            "the head ends before its blank line",
                        ));
                    }
                    Err(error) if is_timeout(&error) => {
                        return Ok(refused(408, "the head took too long to arrive"));
                    }
                    Err(error) => return Err(error),
                },
                Err(refusal) => return Ok(Head::Refused(refusal)),
            }
        }
    }

    // ANCHOR: fill
    /// Reads once, and returns how many bytes came: 0 at the end of the stream. After
    /// stopping has begun, it waits no longer than for a last look.
    fn fill(&mut self, deadline: Instant) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        loop {
            // Asked before the read: what came before stopping began is read in any
            // case.
            let stopping = self.stop.has_begun();
            let wait = if stopping { LAST_LOOK } else { TICK };
            self.stream
                .set_read_timeout(Some(left(deadline)?.min(wait)))?;
            match self.stream.read(&mut buffer) {
                Ok(read) => {
                    self.input.extend_from_slice(&buffer[..read]);
                    return Ok(read);
                }
                Err(error) if is_timeout(&error) && !stopping => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    // ANCHOR_END: fill

    /// The head that [`Connection::read_head`] found.
    ///
    /// # Panics
    ///
    /// Panics if `len` is more than has been read.
    pub fn head(&self, len: usize) -> &[u8] {
        &self.input[..len]
    }

    /// Drops a head that has been dealt with. What was read behind it stays.
    ///
    /// # Panics
    ///
    /// Panics if `len` is more than has been read.
    pub fn consume(&mut self, len: usize) {
        self.input.drain(..len);
        self.scanner = HeadScanner::default();
    }

    /// Whether bytes of another request have been read.
    pub fn has_more(&self) -> bool {
        self.input.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    /// Sends a response.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed write, such as a reset connection or a client
    /// that takes too long to read, or of a file that cannot be read to the length
    /// that the head has promised. The connection is of no use after that.
    pub fn send(&mut self, response: Response) -> io::Result<()> {
        let mut bytes = Vec::new();
        response.append_to(&mut bytes);
        for piece in bytes.chunks(PIECE) {
            self.write_all(piece)?;
        }
        if let Body::File(file, len) = response.into_body() {
            self.send_file(file.take(len))?;
        }
        Ok(())
    }

    fn send_file(&mut self, mut file: Take<File>) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        while file.limit() > 0 {
            match file.read(&mut piece) {
                Ok(0) => {
                    return Err(io::Error::other(
                        "a file became shorter while it was sent",
                    ));
                }
                Ok(read) => self.write_all(&piece[..read])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes bytes under one deadline. A client that takes a byte now and then does
    /// not move it.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.patience;
        let mut rest = bytes;
        while !rest.is_empty() {
            // A write that waits is woken only when much of the kernel's buffer is
            // free, which with a slow client may take longer than our patience. A new
            // write takes any room.
            let wait = left(deadline)?.min(LOOK_AGAIN);
            self.stream.set_write_timeout(Some(wait))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error)
                    if is_timeout(&error)
                        || error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Closes the connection so that the last answer arrives.
    ///
    /// Closing a socket with unread input makes the kernel send RST, which can
    /// destroy the answer. So we say that we are done, and read what comes until the
    /// client closes too (RFC 9112, section 9.6).
    pub fn finish(mut self) {
        // An error here or below means that the client is already gone: there is
        // nothing to save.
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut linger = LINGER.min(self.patience);
        if self.stop.has_begun() {
            // Others wait for this worker, and the end for them.
            linger = linger.min(TICK);
        }
        let deadline = Instant::now() + linger;
        let mut discarded = [0; 4096];
        while let Ok(left) = left(deadline) {
            if self.stream.set_read_timeout(Some(left)).is_err() {
                return;
            }
            match self.stream.read(&mut discarded) {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }
}

fn refused(status: u16, why: &'static str) -> Head {
    Head::Refused(Refusal::new(status, why))
}

/// The time until a deadline, which is never zero: a timeout of zero would mean none.
fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// Unix calls it `WouldBlock` when a socket's timeout passes, Windows `TimedOut`.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc;
    use std::{env, panic, thread};

    use super::*;

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
        (client, Connection::new(stream, patience, stop))
    }

    /// Reads a head, unless that takes too long.
    fn read_head(mut connection: Connection) -> (io::Result<Head>, Connection) {
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
            matches!(outcome, Ok(Head::Complete(found)) if found == len),
            "a head in two pieces: wanted Complete({len}), got {outcome:?}"
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
            matches!(outcome, Ok(Head::Complete(found)) if found == len),
            "the second of two heads: wanted Complete({len}), got {outcome:?}"
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
            matches!(outcome, Ok(Head::End)),
            "no byte, then the end: wanted End, got {outcome:?}"
        );

        let (mut client, connection) = connected();
        client.write_all(&HEAD[..9]).expect("a write");
        client.shutdown(Shutdown::Write).expect("a half-close");
        let (outcome, _) = read_head(connection);
        assert!(
            matches!(outcome, Ok(Head::Refused(refusal)) if refusal.status == 400),
            "half a head, then the end: wanted Refused with 400, got {outcome:?}"
        );
    }

    #[test]
    fn read_head_lets_a_silent_client_go() {
        let (_client, connection) = connected_for(SHORT);
        let (outcome, _) = read_head(connection);
        assert!(
            matches!(outcome, Ok(Head::End)),
            "no byte came in time: wanted End, got {outcome:?}. Who asked nothing is told nothing, so \
             a timeout with nothing in the input is the end and no refusal"
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
            matches!(outcome, Ok(Head::Refused(refusal)) if refusal.status == 408),
            "half a head and then a byte now and then: wanted Refused with 408, got {outcome:?}. Fix \
             the deadline once, before the loop"
        );
        drop(connection);
        trickling.join().expect("a client that does not panic");
    }

    #[test]
    fn read_head_passes_a_reset_on() {
        let (mut client, mut connection) = connected();
        client.write_all(&HEAD[..9]).expect("a write");
        connection.send(Response::new(200)).expect("a write");
        client.peek(&mut [0]).expect("an answer");
        // To close with unread input is to reset the connection.
        drop(client);
        let (outcome, _) = read_head(connection);
        assert!(
            outcome.is_err(),
            "half a head, then a reset: wanted the error of the read, got {outcome:?}. Only a \
             timeout is answered with 408"
        );
    }

    #[test]
    fn send_is_content_when_a_whole_file_is_sent() {
        let (_client, mut connection) = connected();
        let program = env::current_exe().and_then(File::open);
        let program = program.expect("this program can be read");
        let outcome = connection.send(Response::new(200).with_file(program, 1000));
        assert!(outcome.is_ok(), "wanted Ok, got {outcome:?}");
    }

    #[test]
    fn send_gives_up_on_a_client_that_does_not_read() {
        let (_client, mut connection) = connected_for(SHORT);
        let response = Response::new(200).with_body("x".repeat(64 << 20));
        let outcome = soon("send", move || connection.send(response));
        assert!(
            outcome.as_ref().is_err_and(is_timeout),
            "the client reads nothing: wanted a timeout as the error, got {outcome:?}. `left` makes \
             one when the deadline has passed: pass it on"
        );
    }

    #[test]
    fn send_does_not_wait_for_a_client_that_is_gone() {
        let (client, mut connection) = connected();
        drop(client);
        let response = Response::new(200).with_body("x".repeat(64 << 20));
        let outcome = soon("send", move || connection.send(response));
        assert!(
            outcome.as_ref().is_err_and(|error| !is_timeout(error)),
            "the client has closed: wanted the error of the write, got {outcome:?}. Only a timeout is \
             a reason to write again"
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
            "the client reads a little now and then: wanted a timeout as the error, got {outcome:?}. \
             Fix the deadline once, before the loop, and give each write the time that is left"
        );
    }

    #[test]
    fn finish_lets_the_answer_arrive() {
        let (mut client, mut connection) = connected();
        client.write_all(&[b'x'; 10_000]).expect("a write");
        connection.send(Response::new(400)).expect("a write");
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
        let (answer, waits) =
            outcome.expect("the answer and then the end, not a reset");
        assert!(answer.starts_with(b"HTTP/1.1 400 "));
        assert!(waits, "finish does not wait until the client closes");
    }
}
