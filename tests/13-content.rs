//! Milestone of chapter 13: what a request carries is skipped, so that the next one
//! begins at the right byte, and a request whose end isn't certain is refused.

use harness::{ContentHints, Likely, LimitHints, after};

// Where the page explains gap 1, gap 2 and so on.
harness::gaps![
    "where-content-ends",
    "content-that-nobody-wants",
    "content-that-nobody-wants",
    "chunks",
    "chunks",
];

const NO_ANSWER: Likely = Likely {
    silent: "the server is still reading: does it wait for more than the request \
             has? Answers must leave before the server waits for the next request.",
    closed: "the server closed the connection: an HTTP/1.1 connection stays open for \
             the next request until one side says \"Connection: close\".",
    reset: "the server closed the connection while bytes that the client had sent \
            were unread.",
    differs: "an answer has more or fewer bytes than its Content-Length says, so \
              that the next one begins in the wrong place.",
};

#[test]
fn check_01_still_serves_files() {
    let check = check!("files are served as in chapter 12").read("what-stays");
    check.still_serves_files(
        NO_ANSWER,
        "it did in chapter 12: git diff chapters/13-content shows what has changed.",
    );
}

/// The message of the panic that a client can ask for.
const ASKED_TO: &str = "a handler panics, as it was asked to";

#[test]
fn check_02_one_request_after_the_other() {
    after(check_01_still_serves_files);
    let check = check!("one connection serves many requests")
        .read("what-stays")
        .causes_panics(ASKED_TO)
        .by_hand("curl -v http://{addr}/app/visit http://{addr}/app/visit");
    check.serves_one_request_after_the_other(
        NO_ANSWER,
        "HEAD gets no content, not even after a panic: the client takes it for the \
         next answer. send() leaves it out, whatever the answer is: is_head tells.",
    );
}

#[test]
fn check_03_content_by_length() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "content of a known length is skipped, and the next request begins behind it"
    )
    .read("content-that-nobody-wants")
    .by_hand("curl -v --data hello http://{addr}/ --next http://{addr}/");
    check.skips_content_by_length(ContentHints {
        usual: NO_ANSWER,
        kept: "all the content has come, and the server waits for more. Some of it was \
               read together with the head: look at self.unread() before you call \
               fill().",
        empty_line: "an empty line before a request is ignored (RFC 9112, section \
                     2.2): read_head() does so, if the content was skipped to its \
                     end, and no further.",
    });
}

#[test]
fn check_04_too_much_content() {
    after(check_03_content_by_length);
    let check = check!("content is read neither without end nor forever")
        .read("content-that-nobody-wants");
    const LATE: &str = "content that comes too slowly is refused with 408: fix one \
                        deadline before the loop, and give it to each fill().";
    const HALF: &str = "the client is done before its content is: fill() returns 0, \
                        and there is nothing to wait for. Answer with 400, \
                        and close.";
    check.refuses_too_much_content(LimitHints {
        usual: NO_ANSWER,
        late: LATE,
        early: HALF,
        closed: "the server closed at once, and what the client sends then makes the \
                 kernel tear the connection down, perhaps before the client has read \
                 why (chapter 04). Call finish() before the connection is dropped.",
    });
}

#[test]
fn check_05_chunked_content() {
    after(check_03_content_by_length);
    let check =
        check!("chunked content is skipped, with its extensions and trailers")
            .read("chunks");
    const WAITS: &str = "the server waits for more, and everything is there. Does \
                         step() change the state and return 0? That says that \
                         nothing happened, so scan() waits for bytes that never \
                         come: return how many bytes were used up. Else: a chunk is \
                         its size in hexadecimal, perhaps ;extensions, CR LF, so \
                         many bytes, CR LF; after the last, of size 0, come trailer \
                         fields and a blank line.";
    check.skips_chunks(NO_ANSWER, WAITS);
}

#[test]
fn check_06_smuggled_requests() {
    after(check_03_content_by_length);
    let check = check!(
        "a request whose end two servers could see in two places is refused with 400"
    )
    .read("smuggling");
    check.refuses_smuggled_requests(NO_ANSWER);
}

#[test]
#[cfg(unix)]
fn check_07_still_stops() {
    after(check_02_one_request_after_the_other);
    let check = check!(
        "idle connections do not delay the end, and the last answer says close"
    )
    .read("what-stays")
    .by_hand("nc 127.0.0.1 {port} & sleep 0.2; kill -TERM $(pgrep -n chapter13)");
    check.stops_though_connections_stay(
        NO_ANSWER,
        "it did in chapter 12: git diff chapters/13-content shows what has changed. \
         A connection that waits for its next request is an idle one.",
        "when the server stops and nothing more has been read, this answer is the \
         last one, and send() says so, as if the client had wanted no more.",
    );
}

#[test]
fn check_08_a_real_client() {
    after(check_01_still_serves_files);
    let check = check!("a real HTTP client gets the pages").read("what-stays");
    check.serves_a_real_client();
}

#[test]
fn check_09_starts_as_before() {
    after(check_01_still_serves_files);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
