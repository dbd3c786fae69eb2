//! Where requests with content end: from chapter 13 on.

use std::time::Duration;

use crate::{Check, Client, Likely, Site, get, printf};

/// What is likely where content isn't read as it should be.
pub struct ContentHints {
    /// The usual reasons why an answer doesn't come.
    pub usual: Likely,
    /// The server waits for content that has come already.
    pub kept: &'static str,
    /// It doesn't pass over an empty line before a request.
    pub empty_line: &'static str,
}

/// What is likely where content has no limit.
pub struct LimitHints {
    /// The usual reasons why an answer doesn't come.
    pub usual: Likely,
    /// There is no deadline for content.
    pub late: &'static str,
    /// The client is done before its content is, and the server isn't.
    pub early: &'static str,
    /// The server closes before the client can have read why.
    pub closed: &'static str,
}

impl Check {
    /// Checks that content of a known length is skipped.
    #[track_caller]
    pub fn skips_content_by_length(&self, hints: ContentHints) {
        by_length(self, hints);
    }

    /// Checks that content has a limit, and a deadline.
    #[track_caller]
    pub fn refuses_too_much_content(&self, hints: LimitHints) {
        too_much(self, hints);
    }

    /// Checks that chunked content is skipped, in one piece and in several. `step` says
    /// what is likely if the server waits for more than there is.
    #[track_caller]
    pub fn skips_chunks(&self, usual: Likely, step: &'static str) {
        in_chunks(self, usual, step);
    }

    /// Checks that a request is refused if two servers could see its end in two places.
    #[track_caller]
    pub fn refuses_smuggled_requests(&self, likely: Likely) {
        smuggled(self, likely);
    }
}

#[track_caller]
fn by_length(check: &Check, hints: ContentHints) {
    let ContentHints {
        usual,
        kept,
        empty_line,
    } = hints;
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    const WRONG_BYTE: &str = "the next request does not begin behind this one's \
                              content: skip as many bytes as Content-Length says, \
                              some of which may come later.";
    // Content that looks like a request must not be taken for one.
    let content = get("/app/visit/1000");
    let len = content.len();
    let post = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n{content}"
    );
    let all = post.clone() + &get("/app/visit");
    for cuts in [
        vec![],
        vec![post.len() - len],
        vec![post.len() - 10],
        vec![30, post.len()],
    ] {
        let mut client = server.connect();
        client.by_hand(&match cuts.first() {
            None => typed(&all),
            Some(cut) => typed_in_two(&all, *cut),
        });
        client.send_in_pieces(all.as_bytes(), &cuts);
        let answer = client.answer(Likely {
            silent: kept,
            ..usual
        });
        client.expect_status(&answer, &[405], "nothing here takes POST.");
        let answer = client.answer(Likely {
            closed: WRONG_BYTE,
            silent: "the next request came together with the content, and is lost: \
                     take as many bytes out of the input as scan() has used, and no \
                     others.",
            ..usual
        });
        client.expect_status(&answer, &[200], WRONG_BYTE);
        client.hang_up();
    }
    // Any method may come with content.
    let mut client = server.connect();
    let both = post.replace("POST", "GET") + &get("/");
    client.by_hand(&typed(&both)).send(both);
    const ANY_METHOD: &str = "GET is seldom sent with content, but it may be, and \
                              then its content is no request: the fields tell, not \
                              the method.";
    for _ in 0..2 {
        let answer = client.answer(usual);
        client.expect_body(&answer, b"home", ANY_METHOD);
    }
    client.hang_up();
    // Old clients send a line end behind content, which belongs to nothing.
    let mut client = server.connect();
    let both = post + "\r\n" + &get("/");
    client.by_hand(&typed(&both)).send(both);
    client.answer(usual);
    let answer = client.answer(usual);
    client.expect_body(&answer, b"home", empty_line);
    client.hang_up();
    // A client that asks first whether its content is wanted has to be told
    // something.
    let mut client = server.connect();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
                Expect: 100-continue\r\n\r\n";
    client.by_hand(&typed_in_two(&format!("{head}{}", get("/")), head.len()));
    client.send(head);
    let is_told_to = client.read_some(12).starts_with(b"HTTP/1.1 100");
    if is_told_to {
        client.send("hello");
    }
    let answer = client.answer(Likely {
        silent: "the client said Expect: 100-continue, and sends its content only \
                 when it is told to: answer without it, or send 100 \
                 (Continue) first.",
        ..usual
    });
    client.expect_status(
        &answer,
        &[405, 417],
        "content that nobody wants can be refused before it is sent.",
    );
    if !is_told_to {
        // The client may send its content all the same, or not.
        client.send(get("/app/visit/1000"));
        client.expect_end(Likely::always(
            "the client may send its content after all, or go on without it: nobody \
             can tell, so what follows is no request. Answer, and close.",
        ));
        client.expect_last(&answer);
    }
    client.hang_up();
    server.ask("/app/visit").must_get(200, "5\n", WRONG_BYTE);
    let large = 300_000;
    let mut client = server.connect();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {large}\r\n\r\n"
    ));
    client.send("x".repeat(large)).send(get("/"));
    client.answer(usual);
    let answer = client.answer(usual);
    client.expect_body(&answer, b"home", WRONG_BYTE);
}

#[track_caller]
fn too_much(check: &Check, hints: LimitHints) {
    let LimitHints {
        usual,
        late,
        early,
        closed,
    } = hints;
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 1);
    const ENDLESS: &str = "the server reads whatever a client sends. Set a limit, \
                           answer with 413, and close: the rest is not \
                           worth reading.";
    const NINE_DIGITS: &str = "a chunk of 64 GiB is in good form, and too large: \
                               413. Its size has nine digits, and up to 15 must be \
                               understood. Is it read into a u32?";
    for (field, chunk) in [
        ("Content-Length: 1000000000000", "x".repeat(1 << 20)),
        (
            "Transfer-Encoding: chunked",
            format!("80000\r\n{}\r\n", "x".repeat(0x80000)),
        ),
        // One chunk of 64 GiB.
        (
            "Transfer-Encoding: chunked\r\n\r\nfffffffff",
            "x".repeat(1 << 20),
        ),
        // A byte in each chunk, and hundreds to delimit it.
        (
            "Transfer-Encoding: chunked",
            format!("1;{}\r\nx\r\n", "x".repeat(900)).repeat(500),
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n0",
            format!("X: {}\r\n", "y".repeat(900)).repeat(500),
        ),
    ] {
        let mut client = server.connect();
        let end = if field.ends_with("\n0") {
            "\r\n"
        } else {
            "\r\n\r\n"
        };
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{field}{end}"));
        const LIMIT: usize = 32 << 20;
        if client.flood(chunk.as_bytes(), LIMIT) >= LIMIT {
            check.fail(
                format!(
                    "The program read {LIMIT} bytes of content and asked for more."
                ),
                ENDLESS,
            );
        }
        let answer = client.answer(Likely {
            silent: ENDLESS,
            ..usual
        });
        let is_one_chunk = field.ends_with("fffffffff");
        let why = if is_one_chunk && answer.status() == 400 {
            NINE_DIGITS
        } else {
            ENDLESS
        };
        client.expect_status(&answer, &[413, 405], why);
        client.expect_lingering(closed);
        client.hang_up();
    }
    server.ask("/").must_get(200, "home", ENDLESS);
    drop(server);

    let check = check
        .clone()
        .with_options("--threads 1 --patience 1000")
        .by_hand(
            "(printf 'POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: \
             1000\\r\\n\\r\\n'; while sleep 0.3; do printf x; done) | nc 127.0.0.1 \
             {port}",
        );
    let args = ["--root", &site.arg(), "--threads", "1", "--patience", "200"];
    let server = check.start(&args);
    for _ in 0..10 {
        let mut client = server.connect();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
        let Some(silence) = client.trickle(b"x", Duration::from_millis(15)) else {
            check.fail(
                "The client sent a byte of content every 15 ms, and was never \
                 refused.",
                late,
            );
        };
        // On a busy machine the client itself may have paused for too long: that
        // proves nothing.
        if silence < Duration::from_millis(200) {
            let answer = client.answer(Likely::always(late));
            client.expect_status(&answer, &[408, 405], late);
            client.expect_last(&answer);
            break;
        }
    }
    let mut client = server.connect();
    let begin = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx";
    client.by_hand(&format!(
        "{} | nc -N 127.0.0.1 {{port}}",
        printf(begin.as_bytes())
    ));
    client.send(begin).half_close();
    let answer = client.answer(Likely::always(early));
    client.expect_status(&answer, &[400, 405], early);
    client.expect_end(Likely::always(early));
    server.ask("/").must_get(200, "home", late);
}

#[track_caller]
fn in_chunks(check: &Check, usual: Likely, step: &'static str) {
    let site = Site::with_a_home();
    // On a busy machine, content that comes bit by bit takes its time.
    let args = [
        "--root",
        &site.arg(),
        "--threads",
        "1",
        "--patience",
        "60000",
    ];
    let server = check.start(&args);
    const CHUNKS: &str = "a chunk is: its size in hexadecimal, perhaps ;extensions, \
                          CR LF, so many bytes, CR LF. The last has size 0; trailer \
                          fields and a blank line follow.";
    const PIECES: &str = "in one piece the same request was understood; here its \
                          content comes bit by bit. step() must return 0 until its \
                          next piece is complete: a line up to its \\n, and also \
                          behind a chunk's data, where only \\r may have come.";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
    // All arrive in one piece, and the one that has everything also in pieces: cut
    // in the middle of each line, of each line end, and of the data.
    let all_kinds = "2;x\r\n\r\n\r\n0\r\nX: y\r\n\r\n";
    let everywhere = [0, 1, 4, 6, 8, 10, 11, 13, 17, 19];
    let everywhere = everywhere.map(|at| post.len() + at).to_vec();
    for (content, cuts) in [
        ("0\r\n\r\n", vec![]),
        ("5\r\nhello\r\n0\r\n\r\n", vec![]),
        ("3\r\n\r\n\r\r\n1\r\n0\r\n0\r\n\r\n", vec![]),
        ("A;name=value\r\n0123456789\r\n00\r\n\r\n", vec![]),
        (
            "a ; x=\"quoted; \\\" too\"\r\n0123456789\r\n0;last\r\n\r\n",
            vec![],
        ),
        ("1\r\nx\r\n0\r\nX-Trailer: y\r\nHost: b\r\n\r\n", vec![]),
        (all_kinds, vec![]),
        (all_kinds, everywhere),
    ] {
        let all = format!("{post}{content}{}", get("/"));
        let (likely, silent) = if cuts.is_empty() {
            (CHUNKS, step)
        } else {
            (PIECES, PIECES)
        };
        let mut client = server.connect();
        let by_hand = match cuts.is_empty() {
            true => typed(&all),
            false => typed_in_two(&all, post.len() + "2;x\r\n\r\n\r".len()),
        };
        client.by_hand(&by_hand);
        client.send_in_pieces(all.as_bytes(), &cuts);
        let answer = client.answer(Likely { silent, ..usual });
        client.expect_status(&answer, &[405], likely);
        let answer = client.answer(Likely {
            closed: likely,
            silent,
            ..usual
        });
        client.expect_body(&answer, b"home", likely);
        client.hang_up();
    }
}

#[track_caller]
fn smuggled(check: &Check, likely: Likely) {
    let site = Site::with_a_home();
    let server = check.start_pool(&site, 2);
    let fields: &[(&str, &[u16], &'static str)] = &[
        (
            "Content-Length: 0\r\nContent-Length: 44",
            &[400],
            "two lengths.",
        ),
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            &[400],
            "both a length and chunks: a proxy may believe the one, this server the \
             other.",
        ),
        (
            "Content-Length: 0\r\nContent-Length: +44",
            &[400],
            "two lengths, of which the second has a sign.",
        ),
        (
            "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 44",
            &[400],
            "three lengths, of which the last differs.",
        ),
        (
            "Content-Length: 5\r\nContent-Length: 44\r\nContent-Length: 5",
            &[400],
            "three lengths, of which the second differs.",
        ),
        (
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            &[400],
            "both a length and chunks. A length of 0 is one too.",
        ),
        ("Content-Length: 0, 44", &[400], "two lengths in one field."),
        (
            "Content-Length: +0",
            &[400],
            "a sign is no digit, and some parsers take it.",
        ),
        ("Content-Length: -1", &[400], "a sign is no digit."),
        ("Content-Length: 0x0", &[400], "the length is decimal."),
        (
            "Content-Length: 0 0",
            &[400],
            "white space inside a length.",
        ),
        (
            "Content-Length: 99999999999999999999999",
            &[400, 413],
            "the length does not fit into 64 bits.",
        ),
        ("Content-Length:", &[400], "an empty length."),
        ("Content-Length : 44", &[400], "white space before a colon."),
        ("X: y\r\n Content-Length: 44", &[400], "a folded line."),
        ("X: y\rContent-Length: 44", &[400], r"\r alone."),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            &[400, 501],
            "chunked twice.",
        ),
        (
            "Transfer-Encoding: chunked, identity",
            &[400, 501],
            "chunked must be the last coding.",
        ),
        (
            "Transfer-Encoding: xchunked",
            &[400, 501],
            "a coding that the server does not know.",
        ),
        (
            "Transfer-Encoding: \x0bchunked",
            &[400, 501],
            "a control character before the coding.",
        ),
    ];
    for (field, wanted, why) in fields {
        let request =
            format!("POST / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n0\r\n\r\n");
        refused(server.connect(), &request, wanted, why, likely);
    }
    let chunks: &[(&str, &'static str)] = &[
        ("\r\n\r\n", "an empty size."),
        ("x\r\n\r\n", "a size that is no number."),
        ("-1\r\n\r\n", "a sign is no digit."),
        (
            "+1\r\nx\r\n0\r\n\r\n",
            "a sign is no digit, and some parsers take it.",
        ),
        ("0x1\r\nx\r\n0\r\n\r\n", "hexadecimal without 0x."),
        ("1 \r\nx\r\n0\r\n\r\n", "white space behind a size."),
        (" 1\r\nx\r\n0\r\n\r\n", "white space before a size."),
        (
            " 1;x\r\nx\r\n0\r\n\r\n",
            "white space before a size, and an extension behind it.",
        ),
        (
            "1 x;y\r\nx\r\n0\r\n\r\n",
            "letters before a semicolon, where only spaces and tabs may stand.",
        ),
        (
            "1 2;x\r\nx\r\n0\r\n\r\n",
            "two sizes before one semicolon, where only spaces and tabs may stand.",
        ),
        (
            "0x1;a\r\n\r\n",
            "a size of 0, if what stands between the digits and the semicolon is \
             passed over: only spaces and tabs may stand there.",
        ),
        (
            "10000000000000001\r\nx\r\n0\r\n\r\n",
            "a size beyond 64 bits, which may wrap around to 1.",
        ),
        (
            "1\r;x\r\nx\r\n0\r\n\r\n",
            r"\r alone before a semicolon, where only spaces and tabs may stand.",
        ),
        (
            "1\x0c;x\r\nx\r\n0\r\n\r\n",
            "a form feed before a semicolon, where only spaces and tabs may stand.",
        ),
        (
            "1;a\rb\r\nx\r\n0\r\n\r\n",
            r"\r alone in an extension, where a tab is the only control character.",
        ),
        (
            "1;\x7f\r\nx\r\n0\r\n\r\n",
            "DEL in an extension, where a tab is the only control character.",
        ),
        ("1\r\nxyz0\r\n\r\n", "a chunk that is longer than its size."),
        (
            "1\r\nxy\r\n0\r\n\r\n",
            "a chunk that is longer than its size, with a line end behind it.",
        ),
        ("1\r\nx\ry0\r\n\r\n", r"a chunk that ends in \r alone."),
        (
            "1\r\nxy\n0\r\n\r\n",
            r"a chunk that ends in \n alone, behind a byte too many.",
        ),
        ("1\nx\r\n0\r\n\r\n", r"a size line that ends in \n alone."),
        ("1\r\nx\n00\r\n\r\n", r"a chunk that ends in \n alone."),
        ("0\r\nX y\r\n\r\n", "a trailer that is no field."),
        (
            "0\r\nX : y\r\n\r\n",
            "white space before a trailer's colon: split_field judges trailers as it \
             does fields.",
        ),
        (
            "0\r\n X: y\r\n\r\n",
            "white space before a trailer's name: split_field judges trailers as it \
             does fields.",
        ),
    ];
    for (content, why) in chunks {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\n\
             Transfer-Encoding: chunked\r\n\r\n{content}"
        );
        let wanted: &[u16] = if why.contains("64 bits") {
            &[400, 413]
        } else {
            &[400]
        };
        refused(server.connect(), &request, wanted, why, likely);
    }
    let mut client = server.connect();
    client.send(
        "HEAD / HTTP/1.1\r\nHost: a\r\n\
         Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    );
    let answer = client.answer_to_head(likely);
    client.expect_status(&answer, &[400], "two lengths.");
    client.expect_end(Likely::always(
        "a refusal of HEAD is an answer to HEAD: a head without content.",
    ));
    for length in ["", "Content-Length: 5\r\n"] {
        let request = format!(
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\n{length}\
             Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        );
        refused(
            server.connect(),
            &request,
            &[400, 405, 411, 501],
            "HTTP/1.0 knows no Transfer-Encoding.",
            likely,
        );
    }
    server.ask("/app/visit").must_get(
        200,
        "1\n",
        "a request that stood inside another one's content was served.",
    );
}

/// Sends a request, with another one hidden in it or behind it, and reads a refusal,
/// after which the connection must end: nothing on it can be trusted.
#[track_caller]
fn refused(
    mut client: Client,
    request: &str,
    wanted: &[u16],
    why: &'static str,
    likely: Likely,
) {
    let hidden = get("/app/visit/1000");
    client.by_hand(&typed(&format!("{request}{hidden}")));
    client.send(request).send(hidden);
    let answer = client.answer(Likely {
        silent: why,
        ..likely
    });
    client.expect_status(&answer, wanted, why);
    client.expect_end(Likely {
        silent: "after a refusal nobody knows where the next request begins: close \
                 the connection.",
        differs: "what follows a request that was refused was taken for another \
                  request.",
        ..likely
    });
    if request.contains("HTTP/1.1") {
        client.expect_last(&answer);
    }
    client.hang_up();
}

/// The command that sends these bytes by hand.
fn typed(bytes: &str) -> String {
    format!("{} | nc 127.0.0.1 {{port}}", printf(bytes.as_bytes()))
}

/// The command that sends them in two pieces, of which the first ends at `cut`.
fn typed_in_two(bytes: &str, cut: usize) -> String {
    let (first, rest) = bytes.split_at(cut);
    let (first, rest) = (printf(first.as_bytes()), printf(rest.as_bytes()));
    format!("({first}; sleep 0.2; {rest}) | nc 127.0.0.1 {{port}}")
}
