//! What a client expects to come back, and why it may not.

use std::time::Duration;

use crate::compare::side_by_side;
use crate::deadline::Deadline;
use crate::end::End;
use crate::report::Failure;
use crate::{Client, DEADLINE, bytes};

/// The usual reasons why an expectation isn't met, one for each way to miss it.
#[derive(Clone, Copy)]
pub struct Likely {
    /// Nothing came within the deadline.
    pub silent: &'static str,
    /// The connection ended before all was there.
    pub closed: &'static str,
    /// What it also means if the connection was reset.
    pub reset: &'static str,
    /// Other bytes came than were expected.
    pub differs: &'static str,
}

impl Default for Likely {
    fn default() -> Likely {
        Likely {
            silent: "the server is still waiting: for more input than was sent, for \
                     the client to close, or for another client.",
            closed: "the server closed the connection before it had sent everything.",
            reset: "the server closed the connection while bytes that the client had \
                    sent were still unread. The kernel then sends RST, which can \
                    also destroy what it hasn't sent yet.",
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

    /// Why something that was awaited didn't come.
    ///
    /// A server that closes too early may meet bytes that are still unread or on
    /// their way, or none: that's a matter of luck, and so is whether the client sees
    /// a reset or an end. So a reset has the reasons of an end too.
    pub(crate) fn because(&self, end: End) -> String {
        match end {
            End::Closed => self.closed.to_owned(),
            End::Reset if self.reset == self.closed => self.closed.to_owned(),
            End::Reset => {
                let closed = self.closed;
                format!("{closed} A reset says more than an end: {}", self.reset)
            }
            End::Silent => self.silent.to_owned(),
        }
    }
}

impl Client {
    /// Expects the program not to be silent. What comes, an end too, is left to the
    /// next expectation.
    #[track_caller]
    pub fn expect_a_sign(&mut self, likely: &str) -> &mut Client {
        if self.pending().is_empty()
            && self.await_more(&mut Deadline::new(&self.check)) == Err(End::Silent)
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
    /// comes extends the deadline, so that a slow program isn't taken for a silent
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
                self.other_bytes(
                    wanted,
                    same,
                    format!("The bytes differ from byte {same} on."),
                    "this byte is wrong",
                    likely.differs,
                );
            }
            if let Err(end) = self.await_more(&mut Deadline::new(&self.check)) {
                self.other_bytes(
                    wanted,
                    same,
                    format!(
                        "{} after {same} of {} bytes.",
                        end.sentence(),
                        wanted.len()
                    ),
                    end.here(),
                    &likely.because(end),
                );
            }
        }
    }

    /// Ends the check, and shows what should have come and what came side by side:
    /// the same span of both, around byte `at`.
    #[track_caller]
    fn other_bytes(
        &self,
        wanted: &[u8],
        at: usize,
        problem: String,
        note: &str,
        likely: &str,
    ) -> ! {
        let got = self.pending();
        let (shown_wanted, got) = side_by_side(wanted, got, at, note);
        // An echo: what was sent is what should come back.
        let same = self.sent.get(self.taken..self.taken + wanted.len());
        let (sent, wanted) = match same == Some(wanted) {
            true => (shown_wanted, String::new()),
            false => (bytes::in_lines(&self.sent), shown_wanted),
        };
        self.check.report(Failure {
            problem,
            sent,
            wanted,
            got,
            likely: likely.to_owned(),
            symptom: self.symptom(),
            ..Failure::default()
        })
    }

    /// Expects the program to close the connection in order, with nothing more on it.
    #[track_caller]
    pub fn expect_end(&mut self, likely: Likely) {
        self.check.step("wait for the end of the stream");
        let outcome = match self.received.len() > self.taken {
            true => Ok(()),
            false => self.await_more(&mut Deadline::new(&self.check)),
        };
        match outcome {
            Err(End::Closed) => {}
            Err(end) => self.missed(
                format!(
                    "{} where the end of the stream was expected.",
                    end.sentence()
                ),
                bytes::with_caret(&self.received, self.received.len(), end.here()),
                match end {
                    End::Reset => likely.reset,
                    _ => likely.silent,
                },
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
        let mut deadline = Deadline::new(&self.check);
        loop {
            match self.await_more(&mut deadline) {
                Ok(()) => {}
                Err(End::Silent) => {
                    let all = self.pending().len();
                    self.missed(
                        format!(
                            "The server didn't close the connection within \
                             {DEADLINE:?}; {all} bytes had come back."
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
            && self.await_more(&mut Deadline::new(&self.check)) == Err(End::Closed)
    }

    /// Checks that nothing has come yet beyond what earlier expectations used up.
    ///
    /// This can't wait for what must not happen; call it after an event that shows
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
}
