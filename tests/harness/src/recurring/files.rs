//! Servers of files: clients that leave, and files that change while they are sent.

use std::fs;

use crate::{Check, Likely, Program, Site, get};

/// The length of a large file: no buffer divides it, and the buffers on the way are
/// smaller.
pub const LARGE: u64 = (24 << 20) + 12_345;

impl Site {
    /// What [`Program::survives_resets`] asks for, a home page and a folder besides a
    /// large file.
    pub fn for_resets() -> Site {
        let site = Site::with_a_home();
        site.large_file("large", 20 << 20, b"end")
            .file("folder/index.html", "x");
        site
    }
}

impl Program {
    /// Has clients reset their connections in all places where that can hurt, and
    /// gets the home page of a [`Site::for_resets`] after them: while the program
    /// waits for the rest of a request, sends a file, and writes a head.
    #[track_caller]
    pub fn survives_resets(&self) {
        let home = get("/");
        for _ in 0..3 {
            self.reset_in_a_read(&home, &home[..9]);
        }
        self.reset_in_a_write(get("/large"));
        // Heads so long that they fill the buffers on the way.
        let redirect = get(&format!("/folder?{}", "q".repeat(7000)));
        let mut client = self.connect();
        client.fill(redirect.repeat(1000).as_bytes());
        self.comes_to_rest();
        client.reset();
        self.ask("/").must_get(
            200,
            "home",
            "one client's error must not hurt the next client.",
        );
        self.must_not_have_panicked(
            "a client that resets its connection isn't a fault of the program: a read \
             or a write returns an error then, and the conversation ends.",
        );
        self.must_still_run();
    }
}

impl Check {
    /// Checks that an answer has the length that was promised for it, or breaks off,
    /// if its file changes while it's sent.
    #[track_caller]
    pub fn keeps_to_the_promised_length(&self) {
        const SECOND: &str = "the second answer";
        let site = Site::new();
        site.large_file("shrinks", LARGE, b"the end")
            .large_file("grows", LARGE, b"the end")
            .file("second", SECOND);
        let server = self.start(&["--root", &site.arg()]);
        let changing = |how: &str| {
            format!(
                "truncate -s 1G book/src/big\n\
                 curl --limit-rate 500M -o copy http://{{addr}}/big & sleep 1\n\
                 {how}; wait %1; ls -l copy; rm book/src/big copy"
            )
        };
        let begin = |name: &str, by_hand: &str| {
            let mut client = server.connect();
            client.by_hand(by_hand);
            client.send(get(&format!("/{name}")) + &get("/second"));
            // Now the server is in the middle of the file.
            client.read_some(1);
            client
        };

        let mut client = begin("grows", &changing("echo more >>book/src/big"));
        self.step("make the file longer while it is on its way");
        site.append("grows", "more");
        const PROMISED: &str = "the length was promised before: no more bytes than \
                                that may follow, take(len), or the client takes the \
                                rest for the next answer.";
        for len in [LARGE, SECOND.len() as u64] {
            let answer = client.answer(Likely::always(PROMISED));
            if answer.body().len() as u64 != len {
                let came = answer.body().len();
                self.fail(format!("{came} bytes came instead of {len}."), PROMISED);
            }
        }
        client.hang_up();

        let shrink = changing("truncate -s 1M book/src/big");
        let mut client = begin("shrinks", &shrink);
        self.step("make the file shorter while it is on its way");
        site.large_file("shrinks", 1 << 20, b"the end");
        let received = client.read_to_end(Likely {
            silent: "the promised length can no longer be kept; the client waits \
                     for the rest as long as the connection is open.",
            ..Likely::default()
        });
        self.clone()
            .by_hand(&shrink)
            .must_break_off(&received, LARGE);
        server.ask("/second").must_get(
            200,
            SECOND,
            "one client's failure is no reason to leave the others.",
        );
    }

    /// Checks what came of a file that turned out shorter than the length that was
    /// promised for it: fewer bytes than that, and no other answer after them.
    #[track_caller]
    fn must_break_off(&self, received: &[u8], promised: u64) {
        let head = received.windows(4).position(|end| end == b"\r\n\r\n");
        let content = &received[head.map_or(0, |at| at + 4)..];
        let most = usize::try_from(promised).unwrap_or(usize::MAX);
        let content = &content[..content.len().min(most)];
        let last = &content[content.len().saturating_sub(1000)..];
        if last.windows(7).any(|begin| begin == b"HTTP/1.") {
            self.fail(
                format!(
                    "Content-Length promised {promised} bytes; after fewer another \
                     answer came."
                ),
                "the client takes it for a part of the file. io::copy() returns how \
                 many bytes there were: if they are too few, nothing but closing is \
                 left.",
            );
        }
        if content.len() == most {
            self.fail(
                format!(
                    "The file had become shorter, and all {promised} promised bytes \
                     came."
                ),
                "something was sent that isn't in the file, such as zeros or what \
                 was left in a buffer, and the client can't know. If the bytes are \
                 too few, nothing but closing is left.",
            );
        }
    }

    /// Checks that answers arrive that were finished before one that fails: a file
    /// that turns out shorter than its length.
    ///
    /// The files in which Linux describes a network interface say that they are 4096
    /// bytes long, and have a few bytes in them. Elsewhere nothing is checked.
    #[track_caller]
    pub fn finished_answers_arrive(&self) {
        const ROOT: &str = "/sys/class/net/lo";
        const FINISHED: usize = 1500;
        const LIKELY: &str = "a file turned out shorter than its length, and answers \
                              that were finished before it got lost. Closing with \
                              unread input makes the kernel send RST, which destroys \
                              what is on its way: close as after a refusal, with \
                              finish().";
        let file = format!("{ROOT}/mtu");
        if !fs::read(&file).is_ok_and(|content| content.len() < 100)
            || !fs::metadata(&file).is_ok_and(|metadata| metadata.len() == 4096)
        {
            return;
        }
        let finished = get("/nowhere");
        let last = "GET /mtu HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let requests = finished.repeat(FINISHED) + &get("/mtu") + &last.repeat(200);
        let ask = |target| crate::printf(get(target).as_bytes());
        let by_hand = format!(
            "(for n in $(seq 1500); do {}; done\n\
             for n in $(seq 200); do {}; done) |\n\
             nc -N 127.0.0.1 {{port}} | (sleep 1; grep -ac '^HTTP.* 404')  # 1500",
            ask("/nowhere"),
            ask("/mtu")
        );
        let options = format!("--root {ROOT}");
        let check = self.clone().with_options(&options).by_hand(&by_hand);
        let server = check.start(&["--root", ROOT]);
        let mut client = server.connect();
        client.fill(requests.as_bytes());
        server.comes_to_rest();
        for _ in 0..FINISHED {
            let answer = client.answer(Likely::always(LIKELY));
            client.expect_status(&answer, &[404], LIKELY);
        }
        let received = client.read_to_end(Likely::default());
        // A server may also find out how long the file is before it promises that.
        if String::from_utf8_lossy(&received).contains(": 4096\r\n") {
            check.must_break_off(&received, 4096);
        }
    }

    /// Checks that a server of files parses and refuses requests as chapter 04 does.
    #[track_caller]
    pub fn refuses_as_in_chapter_04(&self) {
        let site = Site::new();
        site.file("introduction.md", "1").file("glossary.md", "2");
        let server = self.start(&["--root", &site.arg()]);
        const SAME: &str =
            "chapter 04's milestone tells more: cargo test -p chapter04.";
        for (head, status) in [
            ("GET /introduction.md HTTP/1.1", 400),
            ("GET /introduction.md HTTP/1.1\r\nHost : a", 400),
            ("BREW /introduction.md HTTP/1.1\r\nHost: a", 501),
            ("GET /introduction.md HTTP/3.0\r\nHost: a", 505),
        ] {
            let reply = server.send_request(&format!("{head}\r\n\r\n"));
            reply.status(&[status], SAME);
        }
        let (first, second) = (get("/introduction.md"), get("/glossary.md"));
        let reply = server.send_request(&format!("{first}{second}"));
        reply.body("1", SAME);
        reply.next(SAME).body("2", SAME);
        let last = first.replace("Host", "Connection: close\r\nHost");
        let reply = server.send_request(&format!("{last}{second}"));
        reply.body("1", SAME);
        reply.must_be_last(
            "the client said that its first request is the last one: close after the \
             answer (RFC 9112, section 9.6).",
        );
    }
}
