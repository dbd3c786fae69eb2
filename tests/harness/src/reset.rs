//! Clients that tear their connection down, as happens when a client ends with bytes
//! unread.
//!
//! Closing a socket with unread input makes the kernel send RST in place of an
//! orderly end. The program's next read or write on that connection then fails with
//! `ConnectionReset` or `BrokenPipe`, and one that was waiting fails at once. So the
//! program must have sent something that the client hasn't read.

use std::io::{self, ErrorKind};
use std::thread;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::end::{End, is_timeout};
use crate::{Client, DEADLINE, Likely, Program, sockets};

impl Program {
    /// A client that sends `whole`, which the program answers, and right behind it
    /// `half` of something, waits for the first byte of the answer, and resets the
    /// connection: the program gets the error in a read, while it waits for the other
    /// half or for the client's end.
    ///
    /// Returns when the program's end of the connection is gone. Do this a few times:
    /// a program that reads ahead may be busy with the answer when the reset comes,
    /// and get the error in a write.
    #[track_caller]
    pub fn reset_in_a_read(&self, whole: impl AsRef<[u8]>, half: impl AsRef<[u8]>) {
        let mut client = self.connect();
        client.send([whole.as_ref(), half.as_ref()].concat());
        client.reset();
    }

    /// A client that sends `whole`, whose answer must be far larger than the buffers
    /// on the way (10 MB will do), reads none of it, and resets the connection: the
    /// program gets the error in a write, while it waits for room.
    ///
    /// Returns when the program's end of the connection is gone.
    #[track_caller]
    pub fn reset_in_a_write(&self, whole: impl AsRef<[u8]>) {
        let mut client = self.connect();
        client.send(whole);
        // The first byte alone may come while the program still has to write the
        // rest into the buffers.
        client.until_answered("");
        self.comes_to_rest();
        client.reset();
    }
}

impl Program {
    /// A client that sends `bytes` and tears its connection down at once, both while
    /// the program is stopped: the program gets the bytes, and its next call fails
    /// with `ConnectionReset` or `BrokenPipe`. That's a read if it waits for more,
    /// and a write if it answers. `false` where this can't be done.
    #[track_caller]
    pub fn reset_behind(&self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        let mut client = self.connect();
        // By then the program has accepted the connection, and waits for more.
        client.send(&bytes[..1]).until_read();
        self.check().step("stop the program");
        let done = self.while_stopped(|| {
            client.send(&bytes[1..]);
            client.tear_down()
        });
        self.check().step("let it go on");
        done
    }
}

impl Client {
    /// Tears the connection down with RST at once, whatever has come. `false` where
    /// this can't be done: the connection is then closed as usual.
    #[cfg(target_os = "linux")]
    pub fn tear_down(self) -> bool {
        self.check.step("reset the connection");
        // The setting is the connection's, and the last one to close it is `self`.
        self.stream.try_clone().is_ok_and(crate::trouble::reset)
    }

    /// Tears the connection down with RST at once, whatever has come. `false` where
    /// this can't be done: the connection is then closed as usual.
    #[cfg(not(target_os = "linux"))]
    pub fn tear_down(self) -> bool {
        false
    }

    /// Waits for a byte to come, and then tears the connection down with RST. Waits
    /// until the program's end has got it, which Linux tells; elsewhere for a moment.
    #[track_caller]
    pub fn reset(self) {
        self.check
            .step("wait for the first byte back, then reset the connection");
        self.until_answered("");
        let addrs = self.addrs();
        drop(self);
        let Some((server, client)) = addrs else {
            return;
        };
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            match sockets::is_gone(server, client) {
                Some(true) => return,
                Some(false) => thread::sleep(Duration::from_micros(200)),
                None => return thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Waits until a byte has come, and leaves it unread. An empty `likely` means the
    /// usual reasons.
    #[track_caller]
    pub fn until_answered(&self, likely: &str) {
        let because = |end| match likely {
            "" => Likely::default().because(end),
            likely => likely.to_owned(),
        };
        let error = match self.peek() {
            Ok(1..) => return,
            Ok(_) => self.lost(
                "The program closed the connection without a byte.".to_owned(),
                &because(End::Closed),
            ),
            Err(error) => error,
        };
        match is_timeout(&error) {
            true => self.missed(
                format!("Nothing came back within {DEADLINE:?}."),
                String::new(),
                &because(End::Silent),
            ),
            false => self
                .lost(format!("Nothing came back: {error}."), &because(End::Reset)),
        }
    }

    fn peek(&self) -> io::Result<usize> {
        let mut deadline = Deadline::new(&self.check);
        loop {
            let left = deadline.left().ok_or(ErrorKind::TimedOut)?;
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.peek(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => {}
                arrived => return arrived,
            }
        }
    }
}
