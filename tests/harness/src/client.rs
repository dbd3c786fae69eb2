//! A raw TCP client for tests: it sends exactly the bytes it is told to, and every
//! wait ends.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::check::Failure;
use crate::{Check, DEADLINE, bytes, show};

/// A TCP connection to the program under test.
pub struct Client {
    check: Check,
    stream: TcpStream,
    sent: Vec<u8>,
    received: Vec<u8>,
    /// How many received bytes earlier expectations have used up.
    taken: usize,
    end: Option<End>,
}

/// How a connection ended, or why nothing came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The other side closed in order: EOF.
    Closed,
    /// The connection was torn down: RST.
    Reset,
    /// Nothing came within the deadline.
    Silent,
}

/// Why a program that should serve client after client serves no more.
pub(crate) const LOOP_ENDED: &str = "nobody listens there any more: the loop over connections has \
    ended, through a return, a break, or a ? that carried one client's error out of it; or the \
    listener was dropped.";

/// The usual reasons why an expectation is not met, one for each way to miss it.
#[derive(Clone, Copy)]
pub struct Likely {
    /// Nothing came within the deadline.
    pub silent: &'static str,
    /// The connection was closed in order before all was there.
    pub closed: &'static str,
    /// The connection was reset.
    pub reset: &'static str,
    /// Other bytes came than were expected.
    pub differs: &'static str,
}

impl Default for Likely {
    fn default() -> Likely {
        Likely {
            silent: "the server is still waiting: for more input than was sent, for the client to \
                     close, or for another client.",
            closed: "the server closed the connection before it had sent everything.",
            reset: "the server closed the connection while bytes that the client had sent were \
                    still unread. The kernel then sends RST, which can also destroy what it has \
                    not sent yet.",
            differs: "compare the bytes above from the caret on.",
        }
    }
}

impl Likely {
    /// One reason, however the expectation is missed.
    pub fn always(reason: &'static str) -> Likely {
        Likely {
            silent: reason,
            closed: reason,
            reset: reason,
            differs: reason,
        }
    }

    pub(crate) fn because(&self, end: End) -> &'static str {
        match end {
            End::Closed => self.closed,
            End::Reset => self.reset,
            End::Silent => self.silent,
        }
    }
}

impl Client {
    #[track_caller]
    pub(crate) fn new(check: Check, stream: TcpStream) -> Client {
        let prepared = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_write_timeout(Some(DEADLINE)));
        if let Err(error) = prepared {
            check.fail(format!("The socket cannot be set up: {error}."), "");
        }
        Client {
            check,
            stream,
            sent: Vec::new(),
            received: Vec::new(),
            taken: 0,
            end: None,
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

    /// Sends `chunk` again and again until the program answers or closes, at most
    /// `limit` bytes; returns how many were sent.
    pub fn flood(&mut self, chunk: &[u8], limit: usize) -> usize {
        self.check.step(format!(
            "go on sending {:?}… up to {limit} bytes",
            show(&chunk[..chunk.len().min(16)])
        ));
        let until = Instant::now() + DEADLINE;
        let _ = self
            .stream
            .set_write_timeout(Some(Duration::from_millis(20)));
        let mut total = 0;
        while total < limit && Instant::now() < until {
            let start = total % chunk.len();
            match self.stream.write(&chunk[start..]) {
                Ok(written) => total += written,
                Err(error) if is_timeout(&error) => {}
                Err(_) => break,
            }
            if !self.has_silence(Duration::from_millis(1)) {
                break;
            }
        }
        let _ = self.stream.set_write_timeout(Some(DEADLINE));
        total
    }

    /// Sends ten bytes more, three times with a pause between, and expects the
    /// program to take them: where its socket is closed already, the kernel answers
    /// them with RST, and a later write fails.
    #[track_caller]
    pub fn expect_lingering(&mut self, likely: &str) -> &mut Client {
        const PAUSE: Duration = Duration::from_millis(50);
        self.check.step("send 10 bytes more, three times");
        for count in 1..=3 {
            if count > 1 {
                thread::sleep(PAUSE);
            }
            if let Err(error) = self.stream.write_all(b"xxxxxxxxxx") {
                self.missed(
                    format!(
                        "The connection was torn down while the client was still sending: write \
                         {count} of 3 after the answer failed ({}).",
                        error.kind()
                    ),
                    String::new(),
                    likely,
                );
            }
        }
        self
    }

    /// Goes on sending a byte now and then, for longer than any deadline, while the
    /// check goes on with other clients.
    pub fn dribble(&mut self) -> &mut Client {
        const PAUSE: Duration = Duration::from_millis(200);
        self.check.step("go on sending a byte every 0.2 s");
        if let Ok(mut stream) = self.stream.try_clone() {
            let until = Instant::now() + 2 * DEADLINE;
            thread::spawn(move || {
                while Instant::now() < until && stream.write_all(b"x").is_ok() {
                    thread::sleep(PAUSE);
                }
            });
        }
        self
    }

    /// Sends as much of `bytes` as goes without reading anything: until all buffers
    /// on the way are full, or the program stops reading. Returns how much went.
    pub fn fill(&mut self, bytes: &[u8]) -> usize {
        self.check
            .step(format!("send up to {} bytes without reading", bytes.len()));
        self.fill_quietly(bytes)
    }

    /// Like [`Client::fill`], without a note for the report.
    pub(crate) fn fill_quietly(&mut self, bytes: &[u8]) -> usize {
        let patience = Duration::from_millis(60);
        let _ = self.stream.set_write_timeout(Some(patience));
        let mut total = 0;
        while total < bytes.len() {
            match self.stream.write(&bytes[total..]) {
                Ok(written) => total += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.sent.extend_from_slice(&bytes[..total]);
        total
    }

    /// Reads what comes, at least `count` bytes unless the end or the deadline comes
    /// first. Returns all that has come and was not used up yet.
    pub fn read_some(&mut self, count: usize) -> &[u8] {
        let until = Instant::now() + DEADLINE;
        let wanted = self.received.len() + count;
        while self.received.len() < wanted && self.read_more(until).is_ok() {}
        self.pending()
    }

    /// Sends `byte` again and again with a pause before each, until the program
    /// answers or closes, and returns the longest time for which it then has sent
    /// nothing: on a busy machine that may be far more than `pause`. `None` if the
    /// program neither answers nor closes.
    pub fn trickle(&mut self, byte: &[u8], pause: Duration) -> Option<Duration> {
        self.check
            .step(format!("send {:?} every {pause:?}", show(byte)));
        let until = Instant::now() + DEADLINE;
        let mut last = Instant::now();
        let mut longest = Duration::ZERO;
        while Instant::now() < until {
            let is_over =
                !self.has_silence(pause) || self.stream.write_all(byte).is_err();
            longest = longest.max(last.elapsed());
            last = Instant::now();
            if is_over {
                return Some(longest);
            }
        }
        None
    }

    /// Waits until the program has read every byte sent so far, or has answered or
    /// closed.
    #[track_caller]
    pub fn until_read(&mut self) -> &mut Client {
        if !self.is_read_within(DEADLINE) {
            self.missed(
                format!("The program did not read what was sent within {DEADLINE:?}."),
                String::new(),
                "it is not reading from this connection: it may be busy with another one, or wait \
                 for something else.",
            );
        }
        self
    }

    /// Like [`Client::until_read`], for a program that may rightly be slow: waits at
    /// most this long, and tells whether it has come to that.
    pub fn is_read_within(&mut self, wait: Duration) -> bool {
        let Ok((server, client)) = self.addrs() else {
            return true;
        };
        let until = Instant::now() + wait;
        loop {
            match unread_bytes(server, client) {
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
        // Where the connection has already gone, the next expectation tells more than
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

    /// Tears the connection down with RST, as happens when a client ends with bytes
    /// unread.
    ///
    /// Closing a socket with unread input makes the kernel send RST, so the program
    /// must have sent something that this client has not read; waits for that.
    #[track_caller]
    pub fn reset(self) {
        self.until_answered("");
        self.check.step("reset the connection");
        drop(self.stream);
    }

    /// Waits until something has come back, which stays unread. An empty `likely` means
    /// the usual reasons.
    #[track_caller]
    pub fn until_answered(&self, likely: &str) {
        self.check.step("wait for the first byte back");
        let waited = self.stream.set_read_timeout(Some(DEADLINE));
        let peek = || loop {
            match self.stream.peek(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                arrived => return arrived,
            }
        };
        let arrived = waited.and_then(|()| peek());
        match arrived {
            Ok(1..) => {}
            Ok(_) => self.missed(
                "The program closed the connection without a byte.".to_owned(),
                String::new(),
                match likely {
                    "" => Likely::default().closed,
                    likely => likely,
                },
            ),
            Err(error) => self.missed(
                match is_timeout(&error) {
                    true => format!("Nothing came back within {DEADLINE:?}."),
                    false => format!("Nothing came back: {error}."),
                },
                String::new(),
                match is_timeout(&error) {
                    _ if !likely.is_empty() => likely,
                    true => Likely::default().silent,
                    false if self.check.program_has_ended() => LOOP_ENDED,
                    false => Likely::default().reset,
                },
            ),
        }
    }

    /// Names another section of the page for what this client may miss from now on.
    pub fn read(&mut self, section: &str) -> &mut Client {
        self.check = self.check.clone().read(section);
        self
    }

    /// Gives other commands to try by hand, where they depend on what this client
    /// sends: see
    /// [`Check::by_hand`].
    pub fn by_hand(&mut self, commands: &str) -> &mut Client {
        self.check = self.check.clone().by_hand(commands);
        self
    }

    /// Expects the program not to be silent. What comes, an end too, is left to the
    /// next expectation.
    #[track_caller]
    pub fn expect_a_sign(&mut self, likely: &str) -> &mut Client {
        if self.pending().is_empty()
            && self.read_more(Instant::now() + DEADLINE) == Err(End::Silent)
        {
            self.missed(
                format!("Nothing came back within {DEADLINE:?}."),
                String::new(),
                likely,
            );
        }
        self
    }

    /// Expects exactly these bytes to come next; more may follow. Each byte that
    /// comes extends the deadline, so that a slow program is not taken for a silent
    /// one.
    #[track_caller]
    pub fn expect(&mut self, wanted: &[u8], likely: Likely) -> &mut Client {
        self.check
            .step(format!("wait for {} bytes back", wanted.len()));
        let mut same = 0;
        loop {
            let got = &self.received[self.taken..];
            while same < got.len() && same < wanted.len() && got[same] == wanted[same]
            {
                same += 1;
            }
            if same == wanted.len() {
                self.taken += same;
                return self;
            }
            if same < got.len() {
                let note =
                    format!("byte {same}: expected {}", preview(&wanted[same..]));
                self.missed(
                    format!("The bytes differ from byte {same} on."),
                    bytes::with_caret(got, same, &note),
                    likely.differs,
                );
            }
            if let Err(end) = self.read_more(Instant::now() + DEADLINE) {
                let got = &self.received[self.taken..];
                let note =
                    format!("{}; expected {}", end.here(), preview(&wanted[same..]));
                self.missed(
                    format!(
                        "{} after {same} of {} bytes.",
                        end.sentence(),
                        wanted.len()
                    ),
                    bytes::with_caret(got, same, &note),
                    likely.because(end),
                );
            }
        }
    }

    /// Expects the program to close the connection in order, with nothing more on it.
    #[track_caller]
    pub fn expect_end(&mut self, likely: Likely) {
        self.check.step("wait for the end of the stream");
        let until = Instant::now() + DEADLINE;
        let outcome = match self.received.len() > self.taken {
            true => Ok(()),
            false => self.read_more(until),
        };
        match outcome {
            Err(End::Closed) => {}
            Err(end) => self.missed(
                format!(
                    "{} where the end of the stream was expected.",
                    end.sentence()
                ),
                bytes::with_caret(&self.received, self.received.len(), end.here()),
                likely.because(end),
            ),
            Ok(()) => self.missed(
                "More bytes came where the end of the stream was expected."
                    .to_owned(),
                bytes::with_caret(
                    &self.received,
                    self.taken,
                    "nothing more should come",
                ),
                likely.differs,
            ),
        }
    }

    /// Reads whatever comes until the connection ends, in order or not, and returns
    /// all of it.
    #[track_caller]
    pub fn read_to_end(&mut self, likely: Likely) -> Vec<u8> {
        self.check.step("read until the connection ends");
        let until = Instant::now() + DEADLINE;
        loop {
            match self.read_more(until) {
                Ok(()) => {}
                Err(End::Silent) => {
                    let all = self.pending().len();
                    self.missed(
                        format!(
                            "The server did not close the connection within {DEADLINE:?}; {all} \
                             bytes had come back."
                        ),
                        String::new(),
                        likely.silent,
                    );
                }
                Err(End::Closed | End::Reset) => {
                    return self.take(self.pending().len());
                }
            }
        }
    }

    /// Waits for the next byte or for the end, and tells whether the connection ended
    /// in order.
    pub fn ends_at_once(&mut self) -> bool {
        self.pending().is_empty()
            && self.read_more(Instant::now() + DEADLINE) == Err(End::Closed)
    }

    /// Checks that nothing has come yet beyond what earlier expectations used up.
    ///
    /// This cannot wait for what must not happen; call it after an event that shows
    /// that the program had its chance, such as [`Client::until_read`].
    #[track_caller]
    pub fn expect_nothing_yet(&mut self, likely: &'static str) -> &mut Client {
        let silent = self.has_silence(Duration::from_millis(5));
        if !silent || self.received.len() > self.taken {
            let problem = match self.end {
                Some(End::Reset) => "The connection was reset too early.",
                Some(_) if self.received.len() == self.taken => {
                    "The connection was closed too early."
                }
                _ => "Bytes came back too early.",
            };
            self.missed(
                problem.to_owned(),
                bytes::with_caret(
                    &self.received,
                    self.taken,
                    "nothing should come yet",
                ),
                likely,
            );
        }
        self
    }

    /// Whether the program has closed the connection already, in order or not,
    /// without a byte.
    ///
    /// As with [`Client::expect_nothing_yet`], call it after an event that shows that
    /// the program had its chance.
    pub fn is_turned_away(&mut self) -> bool {
        self.has_silence(Duration::from_millis(5));
        matches!(self.end, Some(End::Closed | End::Reset))
            && self.pending().is_empty()
    }

    /// The addresses of the connection: the program's and the client's.
    pub(crate) fn addrs(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.stream.peer_addr()?, self.stream.local_addr()?))
    }

    /// How many bytes have been received so far.
    pub(crate) fn received(&self) -> usize {
        self.received.len()
    }

    /// The check that this client belongs to.
    pub(crate) fn check(&self) -> &Check {
        &self.check
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
        // A zero timeout would mean "for ever", which `left` is not here.
        let _ = self.stream.set_read_timeout(Some(left));
        self.read_once()
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
            ..Failure::default()
        })
    }

    /// Whether bytes have come, or the end, without waiting for them.
    fn has_news(&mut self) -> bool {
        let _ = self.stream.set_nonblocking(true);
        let outcome = self.read_once();
        let _ = self.stream.set_nonblocking(false);
        outcome != Err(End::Silent)
    }

    /// Whether nothing comes for this long.
    fn has_silence(&mut self, wait: Duration) -> bool {
        self.read_more(Instant::now() + wait) == Err(End::Silent)
    }

    #[track_caller]
    fn write(&mut self, bytes: &[u8]) {
        // While the program's answer fills the buffers on the way back, it does not
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
                    self.sent.extend_from_slice(&rest[..written]);
                    rest = &rest[written..];
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // What the program sent before it closed tells more than this error.
                Err(_) => return,
            }
            if !rest.is_empty() {
                while self.end != Some(End::Reset)
                    && self.end != Some(End::Closed)
                    && !self.has_silence(Duration::from_micros(100))
                {}
                if Instant::now() > until {
                    self.missed(
                        format!(
                            "The program stopped reading; {} bytes could not be sent.",
                            rest.len()
                        ),
                        String::new(),
                        "it does not read while it writes, or it waits for something else.",
                    );
                }
            }
        }
    }
}

impl End {
    pub(crate) fn sentence(self) -> String {
        match self {
            End::Closed => "The connection was closed".to_owned(),
            End::Reset => "The connection was reset".to_owned(),
            End::Silent => {
                format!("Nothing more came within {} seconds", DEADLINE.as_secs())
            }
        }
    }

    pub(crate) fn here(self) -> &'static str {
        match self {
            End::Closed => "closed here",
            End::Reset => "reset here",
            End::Silent => "nothing more came",
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn preview(bytes: &[u8]) -> String {
    let shown = show(&bytes[..bytes.len().min(24)]);
    match bytes.len() {
        0..=24 => format!("\"{shown}\""),
        _ => format!("\"{shown}\"…"),
    }
}

/// How many bytes wait unread in the program's end of a connection, where the system
/// tells.
///
/// Linux lists its sockets in `/proc/net/tcp`, see proc(5): addresses in hexadecimal,
/// and `tx_queue:rx_queue`. A connection that is no longer listed has nothing unread.
fn unread_bytes(server: SocketAddr, client: SocketAddr) -> Option<u64> {
    queues(server, client).map(|[_, unread]| unread)
}

/// How many bytes wait in one end of a connection to be sent and acknowledged, and
/// how many to be read, where the system tells.
pub(crate) fn queues(server: SocketAddr, client: SocketAddr) -> Option<[u64; 2]> {
    let table = BufReader::new(File::open("/proc/net/tcp").ok()?);
    let port = |field: &str| u16::from_str_radix(field.rsplit(':').next()?, 16).ok();
    // A busy machine has thousands of lines: no more are read than it takes.
    for line in table.lines().skip(1) {
        let line = line.ok()?;
        let mut fields = line.split_whitespace().skip(1);
        let local = fields.next().and_then(port);
        let remote = fields.next().and_then(port);
        if local == Some(server.port()) && remote == Some(client.port()) {
            let (sending, unread) = fields.nth(1)?.split_once(':')?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            return Some([number(sending)?, number(unread)?]);
        }
    }
    Some([0, 0])
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_tells_what_is_unread() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(server).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        client.write_all(b"seven!!").unwrap();
        let addr = client.local_addr().unwrap();
        while unread_bytes(server, addr) == Some(0) {}
        assert_eq!(unread_bytes(server, addr), Some(7));
        accepted.read_exact(&mut [0; 7]).unwrap();
        assert_eq!(unread_bytes(server, addr), Some(0));
    }
}
