//! Clients that are slow, greedy or in a hurry: they send without end, bit by bit, or
//! more than anyone reads.

use std::io::{ErrorKind, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::end::is_timeout;
use crate::{Client, DEADLINE, Program, show};

impl Program {
    /// Whether the program reads on from `stays`, which has its last answer, after
    /// more `time` than it may give it, and keeps `next` waiting meanwhile. `false`
    /// if the system doesn't tell.
    ///
    /// For that time the program is stopped while all buffers are filled, so that
    /// afterwards its time is over and there's always something to read, as with a
    /// client that sends without a pause.
    pub fn reads_on(
        &self,
        stays: &mut Client,
        next: &mut Client,
        time: Duration,
    ) -> bool {
        // At rest it waits for more from this client, and has noted when it began.
        if !cfg!(target_os = "linux")
            || !self.comes_to_rest()
            || !next.has_silence(Duration::from_millis(5))
        {
            return false;
        }
        let filled = self.while_stopped(|| {
            thread::sleep(time);
            stays.fill(&vec![b'x'; 16 << 20])
        });
        self.check().step("let the program go on");
        // There's room for more only if the program reads. One read is no offence.
        let mut more = 0;
        let until = Instant::now() + DEADLINE;
        while more < filled / 2 && Instant::now() < until {
            match stays.stream.write(&[b'x'; 4096]) {
                Ok(written) => more += written,
                Err(error) if is_timeout(&error) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        more >= filled / 2
    }
}

impl Client {
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
                Ok(written) => {
                    self.last_write = Instant::now();
                    total += written;
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
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
    /// program to take them: if its socket is closed already, the kernel answers them
    /// with RST, and a later write fails. No program lingers for long, so on a machine
    /// that keeps the client from sending in time a failure proves nothing.
    #[track_caller]
    pub fn expect_lingering(&mut self, likely: &str) -> &mut Client {
        const PAUSE: Duration = Duration::from_millis(50);
        const IN_TIME: Duration = Duration::from_millis(400);
        self.check.step("send 10 bytes more, three times");
        for count in 1..=3 {
            if count > 1 {
                thread::sleep(PAUSE);
            }
            if let Err(error) = self.stream.write_all(b"xxxxxxxxxx") {
                if self.last_write.elapsed() > IN_TIME {
                    return self;
                }
                self.lost(
                    format!(
                        "The connection was torn down while the client was still \
                         sending: write {count} of 3 after the answer failed ({}).",
                        error.kind()
                    ),
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

    /// Sends `chunk` up to this many times, each time when the program has read what
    /// came before, and returns how many bytes it has read: fewer if it closes.
    pub fn feed(&mut self, chunk: &[u8], times: usize) -> usize {
        self.check
            .step(format!("send {} bytes {times} times", chunk.len()));
        let _ = self.stream.set_write_timeout(Some(DEADLINE));
        let mut total = 0;
        for _ in 0..times {
            if self.stream.write_all(chunk).is_err() || !self.is_read_within(DEADLINE)
            {
                break;
            }
            total += chunk.len();
        }
        total
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
}
