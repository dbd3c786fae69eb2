//! A raw TCP client for tests: it sends exactly the bytes it is told to, and every
//! wait ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::end::{End, is_timeout};
use crate::places::Place;
use crate::report::{Failure, Symptom};
use crate::{Check, DEADLINE, bytes, sockets};

/// A TCP connection to the program under test.
pub struct Client {
    pub(crate) check: Check,
    pub(crate) stream: TcpStream,
    pub(crate) sent: Vec<u8>,
    pub(crate) received: Vec<u8>,
    /// How many received bytes earlier expectations have used up.
    pub(crate) taken: usize,
    pub(crate) end: Option<End>,
    /// When the kernel last took bytes from it.
    pub(crate) last_write: Instant,
    _place: Place,
}

impl Client {
    #[track_caller]
    pub(crate) fn new(check: Check, stream: TcpStream, place: Place) -> Client {
        let prepared = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_write_timeout(Some(DEADLINE)));
        if let Err(error) = prepared {
            // Some systems say so of a connection that has been reset already.
            check.report(Failure {
                problem: format!("The connection broke at once: {error}."),
                likely: crate::program::LOOP_ENDED.to_owned(),
                symptom: Symptom::Lost,
                ..Failure::default()
            });
        }
        Client {
            check,
            stream,
            sent: Vec::new(),
            received: Vec::new(),
            taken: 0,
            end: None,
            last_write: Instant::now(),
            _place: place,
        }
    }

    /// Sends bytes in one write.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        let bytes = bytes.as_ref();
        self.check.step(format!("send {} bytes", bytes.len()));
        self.write(bytes);
        self
    }

    /// Sends bytes in pieces that end at `cuts`, each only when the program has read
    /// the one before. On Linux the kernel tells; elsewhere a pause has to do.
    #[track_caller]
    pub fn send_in_pieces(&mut self, bytes: &[u8], cuts: &[usize]) -> &mut Client {
        let pieces = match cuts.len() {
            0 => String::new(),
            cuts => format!(" in {} pieces", cuts + 1),
        };
        self.check
            .step(format!("send {} bytes{pieces}", bytes.len()));
        let mut start = 0;
        for &cut in cuts {
            self.write(&bytes[start..cut]);
            self.until_read();
            start = cut;
        }
        self.write(&bytes[start..]);
        self
    }

    /// Reads what comes, at least `count` bytes unless the end or the deadline comes
    /// first. Returns all that has come and was not used up yet.
    pub fn read_some(&mut self, count: usize) -> &[u8] {
        let mut deadline = Deadline::new(&self.check);
        let wanted = self.received.len() + count;
        while self.received.len() < wanted && self.await_more(&mut deadline).is_ok() {
        }
        self.pending()
    }

    /// Waits until the program has read every byte sent so far, or has answered or
    /// closed.
    #[track_caller]
    pub fn until_read(&mut self) -> &mut Client {
        let mut deadline = Deadline::new(&self.check);
        while let Some(left) = deadline.left() {
            if self.is_read_within(left) {
                return self;
            }
        }
        self.missed(
            format!("The program didn't read what was sent within {DEADLINE:?}."),
            String::new(),
            "it isn't reading from this connection: it may be busy with another one, \
             or wait for something else.",
        )
    }

    /// Like [`Client::until_read`], for a program that may rightly be slow: waits at
    /// most this long, and tells whether it has come to that.
    pub fn is_read_within(&mut self, wait: Duration) -> bool {
        let Some((server, client)) = self.addrs() else {
            return true;
        };
        let until = Instant::now() + wait;
        loop {
            match sockets::unread_bytes(server, client) {
                Some(0) => return true,
                Some(_) if self.has_news() => return true,
                // A socket's timeout would be rounded up to the kernel's tick, some
                // milliseconds.
                Some(_) => thread::sleep(Duration::from_micros(50)),
                None => {
                    thread::sleep(Duration::from_millis(30));
                    return true;
                }
            }
            if Instant::now() > until {
                return false;
            }
        }
    }

    /// Closes the sending half: the program reads EOF and can still answer.
    pub fn half_close(&mut self) -> &mut Client {
        self.check.step("close the sending half");
        // If the connection has already gone, the next expectation tells more than
        // this error.
        let _ = self.stream.shutdown(Shutdown::Write);
        self
    }

    /// Closes the connection, so that the program can turn to the next client. What
    /// has been received can still be checked.
    pub fn hang_up(&mut self) {
        // An error means that it is closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
        self.end = Some(End::Closed);
    }

    /// Names another section of the page for what this client may miss from now on.
    pub fn read(&mut self, section: &str) -> &mut Client {
        self.check = self.check.clone().read(section);
        self
    }

    /// Gives other commands to try by hand, if they depend on what this client sends:
    /// see [`Check::by_hand`].
    pub fn by_hand(&mut self, commands: &str) -> &mut Client {
        self.check = self.check.clone().by_hand(commands);
        self
    }

    /// The check that this client belongs to.
    pub(crate) fn check(&self) -> &Check {
        &self.check
    }

    /// The addresses of the program's end and of this one.
    pub(crate) fn addrs(&self) -> Option<(SocketAddr, SocketAddr)> {
        let server = self.stream.peer_addr().ok()?;
        Some((server, self.stream.local_addr().ok()?))
    }

    /// How many bytes have been received so far.
    pub(crate) fn received(&self) -> usize {
        self.received.len()
    }

    /// The bytes received and not used up yet.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.received[self.taken..]
    }

    /// Uses up received bytes.
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        let taken = self.received[self.taken..self.taken + count].to_vec();
        self.taken += count;
        taken
    }

    /// Reads once, at most until `until`.
    pub(crate) fn read_more(&mut self, until: Instant) -> Result<(), End> {
        if let Some(end) = self.ended() {
            return Err(end);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(End::Silent);
        }
        // A zero timeout would mean "forever", which `left` is not here.
        let _ = self.stream.set_read_timeout(Some(left));
        self.read_once()
    }

    /// Reads once, at most until the deadline, which is later if the program is busy.
    pub(crate) fn await_more(&mut self, deadline: &mut Deadline) -> Result<(), End> {
        loop {
            let left = deadline.left().ok_or(End::Silent)?;
            match self.read_more(Instant::now() + left) {
                Err(End::Silent) => {}
                read => return read,
            }
        }
    }

    /// How the connection ended, if it did: nothing more can come.
    fn ended(&self) -> Option<End> {
        self.end.filter(|end| *end != End::Silent)
    }

    /// Reads what is there, and waits for it as long as the socket is set to.
    fn read_once(&mut self) -> Result<(), End> {
        if let Some(end) = self.ended() {
            return Err(end);
        }
        let mut buffer = [0; 16 * 1024];
        let end = match self.stream.read(&mut buffer) {
            Ok(0) => End::Closed,
            Ok(read) => {
                self.received.extend_from_slice(&buffer[..read]);
                return Ok(());
            }
            Err(error) if is_timeout(&error) => End::Silent,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(_) => End::Reset,
        };
        self.end = Some(end);
        Err(end)
    }

    /// Ends the check: an expectation of this client was missed.
    #[track_caller]
    pub(crate) fn missed(&self, problem: String, got: String, likely: &str) -> ! {
        self.check.report(Failure {
            problem,
            sent: bytes::in_lines(&self.sent),
            got,
            likely: likely.to_owned(),
            symptom: self.symptom(),
            ..Failure::default()
        })
    }

    /// Ends the check: a call on this client's socket failed.
    #[track_caller]
    pub(crate) fn lost(&self, problem: String, likely: &str) -> ! {
        self.check.report(Failure {
            problem,
            sent: bytes::in_lines(&self.sent),
            likely: likely.to_owned(),
            symptom: Symptom::Lost,
            ..Failure::default()
        })
    }

    /// What a missed expectation is a symptom of: of a lost connection, if that has
    /// ended.
    pub(crate) fn symptom(&self) -> Symptom {
        match self.ended() {
            Some(_) => Symptom::Lost,
            None => Symptom::Wrong,
        }
    }

    /// Whether bytes have come, or the end, without waiting for them.
    fn has_news(&mut self) -> bool {
        let _ = self.stream.set_nonblocking(true);
        let outcome = self.read_once();
        let _ = self.stream.set_nonblocking(false);
        outcome != Err(End::Silent)
    }

    /// Whether nothing comes for this long.
    pub(crate) fn has_silence(&mut self, wait: Duration) -> bool {
        self.read_more(Instant::now() + wait) == Err(End::Silent)
    }

    #[track_caller]
    fn write(&mut self, bytes: &[u8]) {
        // While the program's answer fills the buffers on the way back, it doesn't
        // read: so what comes has to be read here between the writes.
        let mut rest = bytes;
        let until = Instant::now() + DEADLINE;
        while !rest.is_empty() {
            let chunk = &rest[..rest.len().min(64 * 1024)];
            let _ = self
                .stream
                .set_write_timeout(Some(Duration::from_millis(5)));
            match self.stream.write(chunk) {
                Ok(written) => {
                    self.last_write = Instant::now();
                    self.sent.extend_from_slice(&rest[..written]);
                    rest = &rest[written..];
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // What the program sent before it closed tells more than this error.
                Err(_) => return,
            }
            if !rest.is_empty() {
                while self.ended().is_none()
                    && !self.has_silence(Duration::from_micros(100))
                {}
                if Instant::now() > until {
                    self.missed(
                        format!(
                            "The program stopped reading; {} bytes couldn't be sent.",
                            rest.len()
                        ),
                        String::new(),
                        "it doesn't read while it writes, or it waits for something \
                         else.",
                    );
                }
            }
        }
    }
}
