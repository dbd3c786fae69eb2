//! A connection: a socket, and the bytes that have been read from it and not used
//! yet.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::http::{HeadScanner, Refusal, Response};

/// How long a client has to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    /// What has been read and not consumed: it begins where the next head begins.
    input: Vec<u8>,
    scanner: HeadScanner,
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
    pub fn new(stream: TcpStream) -> Connection {
        Connection {
            stream,
            input: Vec::new(),
            scanner: HeadScanner::default(),
        }
    }

    /// Reads until a whole head is there.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed read, such as a reset connection.
    pub fn read_head(&mut self) -> io::Result<Head> {
        loop {
            match self.scanner.scan(&self.input) {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                Ok(Some(2)) => self.consume(2),
                Ok(Some(len)) => return Ok(Head::Complete(len)),
                Ok(None) => todo!(
                    "(2 of 7) fill the input; where no bytes come, tell the end from half a head"
                ),
                Err(refusal) => return Ok(Head::Refused(refusal)),
            }
        }
    }

    /// Reads once, and returns how many bytes came: 0 at the end of the stream.
    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(read) => {
                    self.input.extend_from_slice(&buffer[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

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
    /// Returns the error of a failed write, such as a reset connection.
    pub fn send(&mut self, response: &Response) -> io::Result<()> {
        let mut bytes = Vec::new();
        response.append_to(&mut bytes);
        self.stream.write_all(&bytes)
    }

    /// Closes the connection so that the last answer arrives.
    ///
    /// Closing a socket with unread input makes the kernel send RST, which can
    /// destroy the answer. So we say that we are done, and read what comes until the
    /// client closes too (RFC 9112, section 9.6).
    pub fn finish(mut self) {
        todo!(
            "(7 of 7) shut down the sending half, then read on until the client closes or time is up"
        )
    }
}

#[cfg(test)]
mod tests {
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
    fn read_head(mut connection: Connection) -> (io::Result<Head>, Connection) {
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
    fn finish_lets_the_answer_arrive() {
        let (mut client, mut connection) = connected();
        client.write_all(&[b'x'; 10_000]).expect("a write");
        connection.send(&Response::new(400)).expect("a write");
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
