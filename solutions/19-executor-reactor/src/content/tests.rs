use super::*;
use crate::request::{HeadScanner, Persistence};

/// A small pseudo-random generator, xorshift64: the same numbers for the same
/// seed, which is not zero.
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % limit
    }
}

/// Scans content that arrives in pieces which end at these places: what is used
/// up of it.
fn scan_content(
    mut content: Content,
    bytes: &[u8],
    ends: impl IntoIterator<Item = usize>,
) -> Result<(usize, bool), Refusal> {
    let mut used = 0;
    for end in ends {
        used += content.scan(&bytes[used..end])?;
    }
    Ok((used, content.is_complete()))
}

#[test]
fn a_size_is_hexadecimal_and_may_have_extensions() {
    for (line, size) in [
        ("0", 0),
        ("1a", 26),
        ("00A", 10),
        ("fffffffffffffff", 0xfff_ffff_ffff_ffff),
        ("5;x", 5),
        ("5 \t;x=\"y;z\"", 5),
        ("5;\tx", 5),
    ] {
        let got = chunk_size(line.as_bytes()).map_err(|refusal| refusal.why);
        assert_eq!(got, Ok(size), "{line:?}: got (left), wanted (right)");
    }
    for line in [
        "",
        ";x",
        "x",
        "5x",
        "-1",
        "+1",
        " 1",
        "1 ",
        "0x1",
        "1 x",
        " 5;x",
        "5 x;y",
        "1 2;x",
        "0x1;a",
        "1\rx",
        "1\r;x",
        "1\x0c;x",
        "1;\0",
        "1;a\rb",
        "1;\x1f",
        "1;\x7f",
        // One digit more than fits into 64 bits.
        "10000000000000000",
    ] {
        let status = chunk_size(line.as_bytes()).map_err(|refusal| refusal.status);
        assert_eq!(status, Err(400), "{line:?}: got (left), wanted (right)");
    }
}

#[test]
fn chunks_end_where_they_end() {
    let chunked = Content::Chunked(Chunks::Size);
    for bytes in [
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "A;x=\"y;z\"\r\n0123456789\r\n000\r\nX: y\r\nZ: \r\n\r\n",
        "1 ;x\r\na\r\n0\t;y\r\n\r\n",
    ] {
        let more = format!("{bytes}GET /");
        let wanted = Ok((bytes.len(), true));
        let one_piece = scan_content(chunked, more.as_bytes(), [more.len()]);
        assert_eq!(
            one_piece, wanted,
            "{bytes:?}: used up, and whether complete, got (left) and wanted (right)"
        );
        let byte_by_byte = scan_content(chunked, more.as_bytes(), 1..=more.len());
        assert_eq!(byte_by_byte, wanted, "byte by byte: {bytes:?}");
    }
}

#[test]
fn malformed_chunks_are_refused() {
    for bytes in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\n",
        " 1\r\n",
        "0x1\r\n",
        "1 \r\n",
        "1\n",
        "1\rx",
        "11111111111111111\r\n",
        "1;\0\r\n",
        "1;a\rb\r\nx\r\n",
        "1;\x7f\r\nx\r\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\rx",
        "1\r\nax\n",
        "1\r\na \r\n",
        "0\r\nX y\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n\n",
        "0\r\n X: y\r\n\r\n",
    ] {
        // What follows is in good form: whoever accepts the bytes before it
        // refuses nothing else.
        let padded = bytes.to_owned() + &"0\r\n\r\n".repeat(300);
        let chunked = Content::Chunked(Chunks::Size);
        let verdict = scan_content(chunked, padded.as_bytes(), [padded.len()]);
        let status = verdict.map_err(|refusal| refusal.status);
        assert_eq!(status, Err(400), "{bytes:?}: got (left), wanted (right)");
    }
}

#[test]
fn the_largest_size_is_refused_or_awaited() {
    let bytes = b"ffffffffffffffff\r\nab\r\n";
    let chunked = Content::Chunked(Chunks::Size);
    let verdict = scan_content(chunked, bytes, [bytes.len()]);
    let verdict = verdict.map_err(|refusal| refusal.status);
    assert!(
        matches!(verdict, Err(400 | 413) | Ok((_, false))),
        "2^64 - 1 bytes cannot have come: got {verdict:?}"
    );
}

#[test]
fn chunks_have_no_endless_lines() {
    let line = |len| [b"5;".as_slice(), &vec![b'x'; len - 4], b"\r\n"].concat();
    let chunked = Content::Chunked(Chunks::Size);
    let longest = line(MAX_CHUNK_LINE);
    let verdict = scan_content(chunked, &longest, [longest.len()]);
    assert_eq!(verdict, Ok((longest.len(), false)), "the longest line");
    let longer = line(MAX_CHUNK_LINE + 1);
    let verdict = scan_content(chunked, &longer, [MAX_CHUNK_LINE]);
    let status = verdict.map_err(|refusal| refusal.status);
    assert_eq!(status, Err(400), "of a longer line, no more is awaited");
}

#[test]
fn content_comes_to_one_verdict_however_the_bytes_are_split() {
    const SOME: &[u8] = b"\r\n\r\n\r\n00123a;: x";
    for seed in 1..=5_000 {
        let mut below = random(seed);
        let content = match seed % 4 {
            0 => Content::Length(below(40) as u64),
            _ => Content::Chunked(Chunks::Size),
        };
        let bytes: Vec<u8> = (0..48).map(|_| SOME[below(SOME.len())]).collect();
        let mut ends: Vec<usize> =
            (0..below(10)).map(|_| below(bytes.len())).collect();
        ends.sort_unstable();
        ends.push(bytes.len());
        assert_eq!(
            scan_content(content, &bytes, ends.iter().copied()),
            scan_content(content, &bytes, [bytes.len()]),
            "in pieces (left) and in one (right): seed {seed}, the pieces of \"{}\" \
             end at {ends:?}",
            bytes.escape_ascii()
        );
    }
}

/// What a connection makes of the bytes that have come.
#[derive(Debug)]
struct Conversation {
    /// Each request, and how its content ends.
    requests: Vec<String>,
    used: usize,
    scanner: HeadScanner,
    content: Content,
}

impl Conversation {
    /// Goes as far as these bytes go: all that have come since the beginning.
    fn go_on(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        loop {
            self.used += self.content.scan(&bytes[self.used..])?;
            if !self.content.is_complete() {
                return Ok(());
            }
            let rest = &bytes[self.used..];
            let Some(len) = self.scanner.scan(rest)? else {
                return Ok(());
            };
            // Empty lines before a request are ignored.
            if len > 2 {
                let request = Request::parse(&rest[..len])?;
                self.content = Content::of(&request)?;
                self.requests
                    .push(format!("{request:?}, {:?}", self.content));
            }
            self.scanner = HeadScanner::default();
            self.used += len;
        }
    }
}

/// The requests in bytes that arrive in pieces which end at these places; then
/// how many bytes were used up, or the refusal that was the end.
fn converse(
    bytes: &[u8],
    ends: impl IntoIterator<Item = usize>,
) -> (Vec<String>, Result<usize, Refusal>) {
    let mut conversation = Conversation {
        requests: Vec::new(),
        used: 0,
        scanner: HeadScanner::default(),
        content: Content::Length(0),
    };
    let outcome = ends
        .into_iter()
        .try_for_each(|end| conversation.go_on(&bytes[..end]));
    let Conversation { requests, used, .. } = conversation;
    (requests, outcome.map(|()| used))
}

/// Some requests, one after the other: sometimes in good form, sometimes not.
fn some_requests(mut below: impl FnMut(usize) -> usize) -> Vec<u8> {
    const REQUESTS: [&str; 7] = [
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /b HTTP/1.0\r\n\r\n",
        "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nGET / H",
        "POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         7;x=y\r\n1234567\r\n2\r\n\r\n\r\n0\r\nX: y\r\n\r\n",
        "POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "\r\n",
    ];
    const OTHERS: [&[u8]; 15] = [
        b"",
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b"0",
        b"9f",
        b"-",
        b";",
        b":",
        b"\0",
        b"\xff",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        &[b'x'; MAX_CHUNK_LINE - 6],
    ];
    let requests = (0..1 + below(6)).map(|_| REQUESTS[below(REQUESTS.len())]);
    let mut bytes = requests.collect::<String>().into_bytes();
    for _ in 0..below(4) {
        let at = below(bytes.len());
        let other = OTHERS[below(OTHERS.len())];
        bytes.splice(at..at + below(2), other.iter().copied());
    }
    bytes
}

#[test]
fn a_connection_comes_to_the_same_requests_however_the_bytes_are_split() {
    let (mut requests, mut refusals) = (0, 0);
    for seed in 1..=5_000 {
        let mut below = random(seed);
        let bytes = some_requests(&mut below);
        let mut ends: Vec<usize> =
            (0..below(20)).map(|_| below(bytes.len())).collect();
        ends.sort_unstable();
        ends.push(bytes.len());
        let in_one_piece = converse(&bytes, [bytes.len()]);
        requests += in_one_piece.0.len();
        refusals += usize::from(in_one_piece.1.is_err());
        assert_eq!(
            converse(&bytes, ends.iter().copied()),
            in_one_piece,
            "in pieces (left) and in one (right): seed {seed}, the pieces of \"{}\" \
             end at {ends:?}",
            bytes.escape_ascii()
        );
    }
    assert!(requests > 5_000, "many are in good form");
    assert!(refusals > 1_000, "many are not");
}

/// Checks a request that has these field lines.
fn request(fields: &str, check: impl Fn(&Request)) {
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    check(&Request::parse(head.as_bytes()).expect(&head));
}

#[test]
fn content_is_delimited_in_one_way_or_refused() {
    let cases = [
        ("", Ok(Content::Length(0))),
        ("Content-Length: 12\r\n", Ok(Content::Length(12))),
        (
            "Transfer-Encoding: Chunked\r\n",
            Ok(Content::Chunked(Chunks::Size)),
        ),
        ("Content-Length: +1\r\n", Err(400)),
        ("Content-Length: -1\r\n", Err(400)),
        ("Content-Length: 0x1\r\n", Err(400)),
        ("Content-Length:\r\n", Err(400)),
        ("Content-Length: 99999999999999999999\r\n", Err(400)),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", Err(400)),
        ("Content-Length: 0\r\nContent-Length: +44\r\n", Err(400)),
        (
            "Content-Length: 1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
            Err(400),
        ),
        (
            "Content-Length: 1\r\nContent-Length: 2\r\nContent-Length: 1\r\n",
            Err(400),
        ),
        (
            "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            Err(400),
        ),
        (
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            Err(400),
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Err(400),
        ),
        ("Transfer-Encoding: gzip, chunked\r\n", Err(501)),
        ("Transfer-Encoding: chunked, chunked\r\n", Err(400)),
        ("Transfer-Encoding: chunked, gzip\r\n", Err(400)),
        ("Transfer-Encoding: xchunked\r\n", Err(400)),
        ("Transfer-Encoding:\r\n", Err(400)),
    ];
    for (fields, wanted) in cases {
        request(fields, |request| {
            let content = Content::of(request).map_err(|refusal| refusal.status);
            assert_eq!(content, wanted, "{fields:?}: got (left), wanted (right)");
        });
    }
    // The same length twice may be taken for once (RFC 9112, section 6.3).
    for fields in [
        "Content-Length: 1, 1\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n",
    ] {
        request(fields, |request| {
            let content = Content::of(request).map_err(|refusal| refusal.status);
            assert!(
                matches!(content, Err(400) | Ok(Content::Length(1))),
                "{fields:?}: got {content:?}"
            );
        });
    }
    // HTTP/1.0 knows no chunks: after such a request the connection must end
    // (section 6.1).
    for length in ["", "Content-Length: 5\r\n"] {
        let head = format!(
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n{length}\
             Transfer-Encoding: chunked\r\n\r\n"
        );
        let request = Request::parse(head.as_bytes()).expect("it is in good form");
        let content = Content::of(&request);
        assert!(
            content.is_err() || request.persistence() == Persistence::Close,
            "{head:?}: chunked in HTTP/1.0, which persists: wanted 400, got \
             {content:?}"
        );
    }
}
