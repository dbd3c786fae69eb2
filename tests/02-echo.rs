//! Milestone of chapter 02: every byte that a client sends comes back, in order,
//! until the client closes its sending half; then the server closes too, and serves
//! the next client.

use std::time::Duration;

use harness::{Client, Likely, Program, Random, after, check};

const STILL_WAITING: &str = "the server waits for more input than there is: for a \
                             line end, for a full buffer, or for the client to \
                             close. read() returns as soon as anything is there: \
                             send that back at once. If you write to a BufWriter, \
                             the bytes may still be in its buffer.";
const EMPTY_BUFFER: &str = "the server closes before it has sent anything back. Did \
                            the first read() return Ok(0)? It fills the slice that \
                            it's given, and a Vec made with new() or with_capacity() \
                            has length 0. Make the buffer with [0; 4096] or vec![0; \
                            4096].";
const ONE_READ: &str = "one read is not the whole message, and neither is a read \
                        that leaves room in the buffer: go on reading until read() \
                        returns Ok(0).";
const NOT_TEXT: &str = "from_utf8() or read_line() refuses bytes that are not UTF-8. \
                        A stream carries bytes: pass them on as [u8].";
const STALE_TAIL: &str = "bytes that an earlier read() brought, or the zeros of a \
                          fresh buffer, were sent along. Only &buffer[..n] is new, \
                          where n is what the last read() returned.";
const FULL_READ: &str = "the server waits for more after a read that filled its \
                         buffer. A full buffer doesn't mean that more will come, any \
                         more than one with room left means that the message is \
                         over. Send back what each read() brings, at once.";
const FULL_BUFFER: &str = "the server stops after that many bytes. Is the next \
                           read() given what is left of a buffer, &mut buffer[n..]? \
                           Once the buffer is full, that slice is empty, and read() \
                           returns Ok(0) without being at the end. Read into the \
                           whole buffer each time: what it held has been sent back.";
const LOOP_ENDED: &str = "the loop over connections has ended: the end of one \
                          client, Ok(0), is not the end of the server. After one \
                          client the program must accept the next.";
const CARRIED_OUT: &str = "one client's error, of read(), write_all() or another \
                           call, was carried out of the loop over connections by \
                           unwrap(), expect(), ? or break. It concerns that client \
                           alone: log it, and go on with the next.";
const UNHEARD: &str = "an error of read() or write_all() was thrown away, or taken \
                       for the end of the stream: by `let _ =`, by ok(), by an arm \
                       Err(_), by `while let Ok(…)`. Let echo return it, and hand it \
                       to log where echo was called.";
const TIME_LIMIT: &str = "the server gave up on a client that was silent for a \
                          moment. A time limit on the stream is a matter for chapter \
                          10; here, a client may take as long as it likes.";
const PANICKED: &str = "a client's error reached unwrap() or expect() in a thread. \
                        The server survives that, but a panic is a message for \
                        programmers: let echo return the error, and log it.";
const CUT_BY_HAND: &str = "\
bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}
head -c 30000000 /dev/zero >&3 &
sleep 5; timeout 3 cat <&3 | wc -c'
# within the 5 seconds, press Ctrl-Z in the first terminal, and type fg";
const STALE: &str = "bytes were changed, lost or added. Are only the bytes sent back \
                     that the last read() put into the buffer, &buffer[..n]? Is \
                     everything written, with write_all()? Are the bytes passed on \
                     as bytes, not as text?";

#[test]
fn check_01_says_where_it_listens() {
    let check = check!("the first line on stdout says where the program listens");
    check.start(&[]).connect();
}

#[test]
fn check_02_bytes_come_back() {
    after(check_01_says_where_it_listens);
    let check =
        check!("what a client sends comes back while the client waits for it")
            .read("read-and-write")
            .by_hand(
                "(printf hello; sleep 5) | nc -N 127.0.0.1 {port}  # hello must \
                  appear at once",
            );
    let server = check.start(&[]);
    let mut client = server.connect();
    let word = Random::default().word(5);
    client.send(&word).expect(
        word.as_bytes(),
        Likely {
            silent: STILL_WAITING,
            closed: EMPTY_BUFFER,
            reset: EMPTY_BUFFER,
            differs: STALE,
        },
    );
}

#[test]
fn check_03_many_writes_are_one_stream() {
    after(check_02_bytes_come_back);
    let check = check!(
        "bytes from several writes come back as one stream, without stale bytes"
    )
    .read("one-write-is-not-one-read")
    .by_hand("(printf hello; sleep 1; printf hi) | nc -N 127.0.0.1 {port} | od -c");
    let server = check.start(&[]);
    let mut client = server.connect();
    let mut random = Random::default();
    for len in [40, 3, 17, 1, 25] {
        let word = random.word(len);
        client.send(&word).expect(
            word.as_bytes(),
            Likely {
                silent: STILL_WAITING,
                closed: ONE_READ,
                reset: ONE_READ,
                differs: STALE_TAIL,
            },
        );
    }
    // A client may take its time.
    server.nothing_happens_for(Duration::from_millis(300));
    let word = random.word(9);
    client
        .send(&word)
        .expect(word.as_bytes(), Likely::always(TIME_LIMIT));
}

#[test]
fn check_04_a_full_buffer() {
    after(check_03_many_writes_are_one_stream);
    let check = check!("bytes that just fill the server's buffer come back too")
        .read("one-write-is-not-one-read")
        .by_hand(
            "# with as many bytes as your buffer holds; they must appear at once:\n\
             (head -c 4096 /dev/zero; sleep 5) | nc -N 127.0.0.1 {port} | od -c",
        );
    // Whatever the size of a buffer, it divides one of these. They are all there when
    // the program begins to read.
    for len in [32_768, 30_000, 40_960, 65_536] {
        let server = check.start(&[]);
        let mut client = server.connect();
        let data = Random::default().text(len);
        server.while_stopped(|| {
            client.send(&data);
        });
        client.expect_a_sign(FULL_READ).expect(
            &data,
            Likely {
                silent: FULL_BUFFER,
                closed: FULL_BUFFER,
                reset: FULL_BUFFER,
                differs: STALE,
            },
        );
    }
}

#[test]
fn check_05_any_bytes_at_all() {
    after(check_03_many_writes_are_one_stream);
    let check = check!("bytes that are no text come back too")
        .read("bytes-not-text")
        .by_hand("printf 'caf\\351\\000' | nc -N 127.0.0.1 {port} | od -c");
    let server = check.start(&[]);
    let mut client = server.connect();
    let mut data = Random::default().bytes(300);
    // Neither UTF-8, nor whole lines, and NUL bytes at the end.
    data.extend(b"\r\n\xff\xfe\xc3\0\0");
    client.send(&data).expect(
        &data,
        Likely {
            silent: "some bytes were taken for the end of the text, or of a line, \
                     and left out. A stream carries bytes, NUL among them: send back \
                     as many as read() said.",
            closed: NOT_TEXT,
            reset: NOT_TEXT,
            differs: "the bytes went through a String on their way: \
                      from_utf8_lossy() replaces what isn't UTF-8. Pass them on as \
                      [u8].",
        },
    );
}

#[test]
fn check_06_the_end_is_answered_with_the_end() {
    after(check_03_many_writes_are_one_stream);
    let check =
        check!("when the client closes its sending half, the server closes too")
            .read("the-end-of-the-stream")
            .by_hand("printf hello | nc -N 127.0.0.1 {port}; echo closed");
    let server = check.start(&[]);
    let mut client = server.connect();
    let data = Random::default().bytes(1000);
    client
        .send(&data)
        .half_close()
        .expect(&data, Likely::always(STALE));
    client.expect_end(Likely {
        silent: "read() returned Ok(0): the client will send nothing more. That is \
                 the end, not an error and not \"nothing yet\": leave the loop and \
                 drop the stream.",
        differs: "more came back than the client had sent. An echo adds nothing of \
                  its own, not even at the end; and of the buffer it sends \
                  &buffer[..n], no more.",
        ..Likely::default()
    });
}

#[test]
fn check_07_the_next_client() {
    after(check_06_the_end_is_answered_with_the_end);
    let check = check!(
        "one client after the other is served, also after one that sent nothing"
    )
    .read("the-next-client")
    .if_it_ends(LOOP_ENDED)
    .by_hand(
        "nc -N 127.0.0.1 {port} < /dev/null; printf again | nc -N 127.0.0.1 {port}",
    );
    let server = check.start(&[]);
    for len in [7, 0, 300] {
        let mut client = server.connect();
        let data = Random::default().bytes(len);
        client
            .send(&data)
            .half_close()
            .expect(&data, Likely::always(LOOP_ENDED));
        client.expect_end(Likely::always(LOOP_ENDED));
    }
    server.must_still_run();
}

#[test]
fn check_08_much_at_once() {
    after(check_04_a_full_buffer);
    after(check_06_the_end_is_answered_with_the_end);
    let check = check!("a megabyte comes back unchanged")
        .read("write-all")
        .by_hand(
            "head -c 1000000 /dev/urandom > /tmp/sent\n\
             nc -N 127.0.0.1 {port} < /tmp/sent | cmp - /tmp/sent && echo same",
        );
    let server = check.start(&[]);
    let mut client = server.connect();
    let mut random = Random::default();
    let data = random.bytes(1_000_000);
    for piece in data.chunks(100_000 + random.below(100_000)) {
        client.send(piece);
    }
    client.half_close().expect(
        &data,
        Likely {
            silent: FULL_BUFFER,
            closed: FULL_BUFFER,
            reset: FULL_BUFFER,
            differs: STALE,
        },
    );
    client.expect_end(Likely::always(STALE));
}

#[test]
fn check_09_a_write_cut_short() {
    after(check_08_much_at_once);
    let check = check!("nothing is lost when a write sends only a part of its bytes")
        .read("a-write-cut-short")
        .by_hand(CUT_BY_HAND);
    let server = check.start(&[]);
    let mut client = server.connect();
    let data = Random::default().text(100_000).repeat(160);
    // The client does not read: the server's writes fill all buffers and then wait
    // for room.
    let sent = client.fill(&data);
    check.step("ten times: stop the program, let it go on, and read a little");
    for _ in 0..10 {
        server.stop_and_continue();
        client.read_some(100_000);
    }
    client.half_close().expect(
        &data[..sent],
        Likely::always(
            "write() may send fewer bytes than it was given, and returns how many. \
             write_all() goes on until all are sent.",
        ),
    );
    if !cfg!(target_os = "linux") {
        check.pass_over("whether a write was cut short is certain on Linux alone");
    }
}

#[test]
fn check_10_the_last_write_cut_short() {
    after(check_09_a_write_cut_short);
    let check = check!("nothing is lost when the last write sends only a part")
        .read("a-write-cut-short")
        .by_hand(CUT_BY_HAND);
    let server = check.start(&[]);
    let mut client = server.connect();
    let data = Random::default().text(100_000).repeat(160);
    let Some(sent) = server.waits_within_a_write(&mut client, &data) else {
        return check.pass_over("it can't be told here which write is the last");
    };
    // After this write, the program reads the end of the stream.
    client.half_close();
    check.step("stop the program and let it go on: the write returns early");
    server.stop_and_continue();
    let likely = "the last write sent only a part of its bytes, and the rest was \
                  lost: it was to go out with the bytes of the next read(), which \
                  brought none. Send the rest before you read again: write_all() \
                  does.";
    client.expect(&data[..sent], Likely::always(likely));
    client.expect_end(Likely::always(STALE));
}

#[test]
fn check_11_a_client_that_resets() {
    after(check_07_the_next_client);
    let check = check!("a client that resets its connection doesn't end the server")
        .read("the-next-client")
        .if_it_ends(CARRIED_OUT)
        .by_hand(
            "head -c 9000000 /dev/zero |\n\
             timeout -s KILL 1 nc 127.0.0.1 {port} | sleep 2\n\
             printf 'still here?' | nc -N 127.0.0.1 {port}",
        );
    let server = check.start(&[]);
    // All are there before the first resets: whether a server that ends can still be
    // reached would be chance.
    let resetting = [(); 3].map(|()| server.connect());
    let with_more_to_come = server.connect();
    let next = server.connect();
    // These resets meet the server while it reads.
    for mut client in resetting {
        client.send("a client's last words");
        client.until_answered(CARRIED_OUT);
        client.reset();
    }
    // This one leaves it with bytes that it can read, but no longer send back.
    resets_with_more_to_come(&server, with_more_to_come);

    let is_served = |mut client: Client| {
        client
            .send("still here?")
            .half_close()
            .expect(b"still here?", Likely::always(CARRIED_OUT));
    };
    is_served(next);
    // On Linux, a connection that was reset in the backlog is accepted all the same.
    if let Some(next) = server.connect_behind_one_that_is_gone() {
        is_served(next);
    }
    server.must_still_run();
}

#[test]
fn check_12_errors_are_logged() {
    after(check_11_a_client_that_resets);
    let check = check!("what goes wrong with a client is told on stderr")
        .read("the-next-client")
        .by_hand(
            "head -c 9000000 /dev/zero |\n\
             timeout -s KILL 1 nc 127.0.0.1 {port} | sleep 2\n\
             # the first terminal must say what went wrong",
        );
    // The program reads when the connection is reset.
    let server = check.start(&[]);
    let mut client = server.connect();
    client.send("a client's last words");
    client.reset();
    server.must_have_said_why(UNHEARD);
    server.must_not_have_panicked(PANICKED);

    // Here it still has bytes to send back.
    let server = check.start(&[]);
    resets_with_more_to_come(&server, server.connect());
    server.must_have_said_why(UNHEARD);
    server.must_not_have_panicked(PANICKED);
}

/// Has a client reset its connection when the program has bytes to read that it can
/// no longer send back.
#[track_caller]
fn resets_with_more_to_come(server: &Program, mut client: Client) {
    client.send("a client's last words");
    client.until_answered(CARRIED_OUT);
    server.while_stopped(|| {
        client.send(Random::default().bytes(20_000));
        client.reset();
    });
}

#[test]
fn check_13_starts_as_before() {
    after(check_01_says_where_it_listens);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
