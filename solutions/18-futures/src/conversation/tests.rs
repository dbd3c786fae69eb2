use std::fs::File;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::app::{App, Route};
use crate::buffers::PIECE;
use crate::files::Files;
use crate::handler::Handler;
use crate::pool::ThreadPool;
use crate::response::text;
use crate::slots::Slots;
use crate::stop::Stop;
use crate::woken::Woken;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);
const HEAD: &str = "GET /app/visit HTTP/1.1\r\nHost: a\r\n\r\n";
/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

/// A client, and the conversation with it, whose clock only a test moves.
struct Talk {
    client: TcpStream,
    conversation: Conversation,
    woken: Arc<Woken>,
    app: Arc<App>,
    now: Instant,
    /// Whether the last turn has read or written anything.
    has_moved: bool,
}

impl Talk {
    fn new() -> Talk {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let client = TcpStream::connect(addr).expect("a connection");
        client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let (stream, _) = listener.accept().expect("a connection");
        let connection = Connection::new(stream, PATIENCE).expect("a connection");
        let (stop, now) =
            (Arc::new(Stop::new().expect("a notifier")), Instant::now());
        let files = Files::new(Path::new(".")).expect("a folder");
        let pool = ThreadPool::new(1, 1).expect("a pool");
        let woken = Arc::new(Woken::new().expect("a notifier"));
        let waker = ConnectionWaker::new(Slots::default().insert(()), &woken);
        let admitted = Stop::admit(&stop);
        Talk {
            client,
            conversation: Conversation::new(connection, admitted, waker, now),
            woken,
            app: Arc::new(App::new(files, pool)),
            now,
            has_moved: false,
        }
    }

    fn send(&mut self, bytes: &str) {
        self.client.write_all(bytes.as_bytes()).expect("a write");
    }

    /// Does something in a turn.
    fn in_a_turn<T>(
        &mut self,
        act: impl FnOnce(&mut Conversation, &mut Turn) -> T,
    ) -> T {
        let mut turn = Turn {
            app: &self.app,
            now: self.now,
            date: "now",
            spare: Vec::new(),
        };
        self.conversation.connection.begin_turn(&mut turn.spare);
        let result = act(&mut self.conversation, &mut turn);
        self.has_moved = self.conversation.connection.end_turn(&mut turn.spare);
        result
    }

    /// One turn of the state in which a head is read.
    fn read_head(&mut self) -> Result<Step, Failure> {
        self.in_a_turn(|conversation, turn| conversation.read_head(turn))
    }

    /// Turns of that state until it does something else than wait.
    fn until_it_goes_on(&mut self) -> Result<Step, Failure> {
        let until = Instant::now() + DEADLINE;
        loop {
            match self.read_head() {
                Ok(Step::Stay(State::ReadingHead)) => {}
                step => return step,
            }
            assert!(Instant::now() < until, "it goes on waiting");
        }
    }

    /// Turns of that state until something has been read: not yet a whole head.
    fn until_it_has_read(&mut self) {
        let until = Instant::now() + DEADLINE;
        self.has_moved = false;
        while !self.has_moved {
            let step = self.read_head();
            let stays = matches!(step, Ok(Step::Stay(State::ReadingHead)));
            assert!(
                stays,
                "a head isn't complete, and it doesn't wait: {step:?}"
            );
            assert!(Instant::now() < until, "what was sent isn't read");
        }
    }

    /// Puts an answer of this length where answers wait to be sent.
    fn put(&mut self, len: usize) {
        self.in_a_turn(|conversation, _| {
            let response = text(200, "x".repeat(len));
            conversation
                .connection
                .put(response, Persistence::Persist, "now");
        });
    }

    /// One turn of the state in which answers are sent.
    fn write(&mut self, then: Then) -> Result<Step, Failure> {
        self.in_a_turn(|conversation, turn| conversation.write(then, turn))
    }

    /// What comes after an answer of this length to a client that wants this.
    fn answer(&mut self, len: usize, wanted: Persistence) -> Step {
        let response = text(200, "x".repeat(len));
        self.in_a_turn(|conversation, turn| {
            conversation.answer(response, wanted, turn)
        })
    }
}

/// The refusal that a step is.
fn status(step: Result<Step, Failure>) -> Option<u16> {
    match step {
        Err(Failure::Refused(refusal)) => Some(refusal.status),
        _ => None,
    }
}

fn is_over(step: Result<Step, Failure>) -> bool {
    matches!(step, Ok(Step::End))
}

#[test]
fn read_head_waits_for_the_last_byte_of_a_head() {
    let mut talk = Talk::new();
    for byte in HEAD[..HEAD.len() - 1].chars() {
        talk.send(byte.encode_utf8(&mut [0; 4]));
        talk.until_it_has_read();
    }
    talk.send("\n");
    let step = talk.until_it_goes_on();
    let Ok(Step::To(State::Skipping(content, asked))) = step else {
        panic!("a whole head has come, and it's {step:?}");
    };
    assert!(content.is_complete(), "a GET without content");
    assert!(matches!(asked.route, Route::Visit(1)), "{asked:?}");
    assert_eq!(asked.persistence, Persistence::Persist);
}

#[test]
fn read_head_takes_one_request_of_several() {
    let mut talk = Talk::new();
    talk.send(&HEAD.repeat(3));
    for count in 1..=3 {
        let step = talk.until_it_goes_on();
        let goes_on = matches!(step, Ok(Step::To(State::Skipping(..))));
        assert!(
            goes_on,
            "request {count} of three has come, and it's {step:?}"
        );
    }
    let step = talk.read_head();
    let waits = matches!(step, Ok(Step::Stay(State::ReadingHead)));
    assert!(waits, "the client has said no more, and it's {step:?}");
}

#[test]
fn read_head_tells_an_end_from_half_a_head() {
    for (begin, wanted) in [("", None), ("\r\n", None), ("GET / HT", Some(400))] {
        let mut talk = Talk::new();
        if !begin.is_empty() {
            talk.send(begin);
            talk.until_it_has_read();
        }
        talk.client.shutdown(Shutdown::Write).expect("a connection");
        let step = talk.until_it_goes_on();
        match wanted {
            None => {
                assert!(is_over(step), "nothing was asked: {begin:?}, then the end")
            }
            wanted => assert_eq!(status(step), wanted, "{begin:?}, then the end"),
        }
    }
}

#[test]
fn read_head_looks_at_the_deadline() {
    for (begin, wanted) in [("", None), ("\r\n", None), ("GET / HT", Some(408))] {
        let mut talk = Talk::new();
        if !begin.is_empty() {
            talk.send(begin);
            talk.until_it_has_read();
        }
        talk.now += PATIENCE - Duration::from_nanos(1);
        let step = talk.read_head();
        let waits = matches!(step, Ok(Step::Stay(State::ReadingHead)));
        assert!(waits, "{begin:?}, and its time isn't up: {step:?}");
        talk.now += Duration::from_nanos(1);
        let step = talk.read_head();
        let is_over = matches!(step, Ok(Step::End));
        let told = status(step);
        // A client that has asked nothing may be told so, or not.
        let fits = match wanted {
            None => is_over || told == Some(408),
            wanted => told == wanted,
        };
        assert!(fits, "{begin:?} is all in its time: refused with {told:?}");
    }
}

#[test]
fn read_head_refuses_a_head_that_goes_on_after_the_deadline() {
    let mut talk = Talk::new();
    talk.send("GET / HT");
    talk.until_it_has_read();
    talk.now += PATIENCE;
    talk.send("TP/1.1\r\n");
    let step = talk.until_it_goes_on();
    assert_eq!(
        status(step),
        Some(408),
        "another byte doesn't make up for being late"
    );
}

#[test]
fn read_head_reads_before_it_looks_at_the_deadline() {
    // On most systems what is sent is there at once, and on all of them soon.
    for _ in 0..100 {
        let mut talk = Talk::new();
        talk.send(HEAD);
        // As when something else has kept the loop busy.
        talk.now += 2 * PATIENCE;
        // Whether it goes on in this turn or in the next one makes no difference.
        for _ in 0..2 {
            if let Ok(Step::To(State::Skipping(..))) = talk.read_head() {
                return;
            }
        }
    }
    panic!("a hundred heads had come in time, if only someone had looked");
}

#[test]
fn read_head_sends_answers_before_it_waits() {
    let mut talk = Talk::new();
    talk.put(100);
    let step = talk.read_head();
    assert!(
        matches!(step, Ok(Step::To(State::Writing(Then::NextRequest)))),
        "an answer waits to be sent, the client says no more, and it's {step:?}"
    );
}

#[test]
fn write_goes_on_where_it_stopped() {
    const LEN: usize = 12 << 20;
    let mut talk = Talk::new();
    talk.put(LEN);
    // The client doesn't read: the socket gets full.
    while talk.now.elapsed() < DEADLINE {
        let step = talk.write(Then::Linger);
        let stays = matches!(step, Ok(Step::Stay(State::Writing(Then::Linger))));
        assert!(
            stays,
            "there's an answer to send, and then it lingers: it's {step:?}"
        );
        if !talk.has_moved {
            break;
        }
    }
    assert!(
        !talk.has_moved,
        "a socket from which nobody reads gets full"
    );
    let mut reader = talk.client.try_clone().expect("a socket");
    let received = std::thread::spawn(move || {
        let mut received = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while received.len() < LEN {
            let read = reader.read(&mut buffer).expect("the rest of the answer");
            assert!(read > 0, "only {} bytes came", received.len());
            received.extend_from_slice(&buffer[..read]);
        }
        received
    });
    let until = Instant::now() + DEADLINE;
    loop {
        match talk.write(Then::Linger) {
            Ok(Step::Stay(State::Writing(Then::Linger))) => {}
            Ok(Step::To(State::Lingering)) => break,
            step => panic!("there's an answer to send, the last one: {step:?}"),
        }
        assert!(
            Instant::now() < until,
            "the client reads, and not all is sent"
        );
    }
    let received = received.join().expect("all of it");
    let head = received.windows(4).position(|four| four == b"\r\n\r\n");
    let content = &received[head.expect("a head") + 4..];
    // Slices of bytes are compared quickly, also in a debug build.
    assert!(
        content == vec![b'x'; LEN],
        "other bytes came than were put there"
    );
}

#[test]
fn write_sends_before_it_looks_at_the_deadline() {
    let mut talk = Talk::new();
    talk.put(100);
    // As when something else has kept the loop busy.
    talk.now += 2 * PATIENCE;
    let step = talk.write(Then::NextRequest);
    assert!(
        matches!(step, Ok(Step::To(State::ReadingHead))),
        "the client would have taken its answer in time, if only someone had sent \
         it: {step:?}"
    );
}

#[test]
fn write_gives_up_when_the_client_does_not_read_in_time() {
    let mut talk = Talk::new();
    talk.put(12 << 20);
    talk.in_a_turn(|conversation, turn| {
        conversation.enter(State::Writing(Then::NextRequest), turn.now);
    });
    let begin = Instant::now();
    talk.write(Then::NextRequest)
        .expect("a client that is there");
    while talk.has_moved && begin.elapsed() < DEADLINE {
        talk.write(Then::NextRequest)
            .expect("a client that is there");
    }
    talk.now += PATIENCE - Duration::from_nanos(1);
    let step = talk.write(Then::NextRequest);
    assert!(
        matches!(step, Ok(Step::Stay(_))),
        "its time isn't up: {step:?}"
    );
    talk.now += Duration::from_nanos(1);
    let step = talk.write(Then::NextRequest);
    let Err(Failure::Lost(error)) = step else {
        panic!("its time is up, and no one is left to tell: {step:?}");
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn write_goes_on_to_what_comes_then() {
    let mut talk = Talk::new();
    talk.put(100);
    let step = talk.write(Then::NextRequest);
    assert!(matches!(step, Ok(Step::To(State::ReadingHead))), "{step:?}");
    talk.put(100);
    let step = talk.write(Then::Close);
    // To linger isn't wrong here, only slower.
    assert!(
        matches!(step, Ok(Step::End | Step::To(State::Lingering))),
        "all is sent, and the client has nothing to say: {step:?}"
    );
    let step = talk.write(Then::Linger);
    assert!(matches!(step, Ok(Step::To(State::Lingering))), "{step:?}");
    let mut received = String::new();
    let all = talk.client.read_to_string(&mut received);
    all.expect("answers, and then the end: is the sending half shut down?");
    assert_eq!(received.matches("HTTP/1.1 200").count(), 2, "{received}");
}

#[test]
fn write_lets_no_answer_follow_one_that_was_cut_short() {
    let mut talk = Talk::new();
    let file = File::open("Cargo.toml").expect("a file");
    let len = file.metadata().expect("its length").len();
    talk.put(100);
    talk.in_a_turn(|conversation, _| {
        // As when the file became shorter after its length was told.
        let response = Response::new(200).with_file(file, len + 1);
        conversation
            .connection
            .put(response, Persistence::Persist, "now");
    });
    let step = talk.write(Then::NextRequest);
    assert!(
        matches!(step, Ok(Step::To(State::Lingering))),
        "an answer was cut short: another one would begin in the middle of it, and \
         the client may still be sending: {step:?}"
    );
    let mut received = String::new();
    let all = talk.client.read_to_string(&mut received);
    all.expect("half an answer, and then the end: is the sending half shut down?");
    assert!(
        received.matches("HTTP/1.1 200").count() == 2
            && received.contains("[package]"),
        "an answer is finished, and half of another: they are sent first: {received}"
    );
}

/// Whether another request is read, now or after this answer was sent.
fn goes_on(step: &Step) -> bool {
    matches!(
        step,
        Step::To(State::ReadingHead | State::Writing(Then::NextRequest))
    )
}

#[test]
fn answer_leads_to_the_next_request_or_the_end() {
    use Persistence::{Close, KeepAlive, Persist};
    for (wanted, says) in [(Persist, ""), (KeepAlive, "Connection: keep-alive\r\n")] {
        let mut talk = Talk::new();
        let step = talk.answer(10, wanted);
        assert!(goes_on(&step), "there may be another request: {step:?}");
        talk.write(Then::Linger).expect("a client that is there");
        let mut received = String::new();
        talk.client
            .read_to_string(&mut received)
            .expect("an answer");
        assert!(received.contains(says), "{wanted:?}: {received}");
        assert!(
            !received.contains("Connection: close"),
            "{wanted:?}: {received}"
        );
    }
    let mut talk = Talk::new();
    let step = talk.answer(10, Close);
    // To linger isn't wrong here, only slower.
    assert!(
        matches!(step, Step::To(State::Writing(Then::Close | Then::Linger))),
        "the client wants to close: {step:?}"
    );
}

#[test]
fn answer_lingers_while_something_is_unread() {
    let mut talk = Talk::new();
    talk.send("GET / HT");
    talk.until_it_has_read();
    let step = talk.answer(10, Persistence::Close);
    assert!(
        matches!(step, Step::To(State::Writing(Then::Linger))),
        "closing with unread input would make the kernel send RST: {step:?}"
    );
}

#[test]
fn answer_is_sent_before_there_is_too_much() {
    let mut talk = Talk::new();
    let step = talk.answer(PIECE, Persistence::Persist);
    assert!(
        matches!(step, Step::To(State::Writing(Then::NextRequest))),
        "64 KiB wait to be sent, and no other answer belongs behind them: {step:?}"
    );
}

#[test]
fn answer_is_the_last_one_however_long_it_is() {
    let mut talk = Talk::new();
    let step = talk.answer(PIECE, Persistence::Close);
    assert!(
        matches!(step, Step::To(State::Writing(Then::Close | Then::Linger))),
        "it's a long answer, and the client wants to close after it: {step:?}"
    );
}

#[test]
fn answer_is_the_last_one_while_the_server_stops() {
    let mut talk = Talk::new();
    talk.conversation.stop(talk.now);
    let step = talk.answer(10, Persistence::Persist);
    assert!(
        matches!(step, Step::To(State::Writing(Then::Linger))),
        "the client doesn't know yet, and may be sending: {step:?}"
    );
    talk.write(Then::Linger).expect("a client that is there");
    let mut received = String::new();
    talk.client
        .read_to_string(&mut received)
        .expect("an answer");
    assert!(
        received.contains("Connection: close"),
        "its head must say Connection: close: {received}"
    );
    // A request that was read before is answered first.
    let mut talk = Talk::new();
    talk.send("GET / HT");
    talk.until_it_has_read();
    talk.conversation.stop(talk.now);
    let step = talk.answer(10, Persistence::Persist);
    assert!(
        goes_on(&step),
        "another request has begun to come: {step:?}"
    );
}

#[test]
fn skip_reads_all_that_has_come_before_it_says_that_a_client_is_late() {
    // More than one turn reads, less than the kernel has room for.
    let rest = "x".repeat(50_000);
    for _ in 0..20 {
        let mut talk = Talk::new();
        talk.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50001\r\n\r\nx");
        let until = Instant::now() + DEADLINE;
        while !matches!(talk.conversation.state, State::Skipping(..)) {
            let outcome =
                talk.in_a_turn(|conversation, turn| conversation.go_on(turn));
            outcome.expect("a client that is there");
            assert!(Instant::now() < until, "what was sent isn't read");
        }
        // The rest comes in time, while something else keeps the loop busy.
        talk.send(&rest);
        talk.now += 2 * PATIENCE;
        while matches!(talk.conversation.state, State::Skipping(..)) {
            let outcome =
                talk.in_a_turn(|conversation, turn| conversation.go_on(turn));
            outcome.expect("a client that is there");
        }
        let mut status = [0; 12];
        talk.client.read_exact(&mut status).expect("an answer");
        if status == *b"HTTP/1.1 405" {
            return;
        }
    }
    panic!("content had come in time twenty times, if only someone had looked");
}

/// A handler that counts its polls and keeps the waker of the last one. It has its
/// answer once it's told so.
#[derive(Default)]
struct Watched {
    polls: Arc<AtomicUsize>,
    waker: Arc<Mutex<Option<Waker>>>,
    is_ready: Arc<AtomicBool>,
}

impl Watched {
    fn handler(&self) -> Handler {
        let polls = Arc::clone(&self.polls);
        let waker = Arc::clone(&self.waker);
        let is_ready = Arc::clone(&self.is_ready);
        Handler::new(poll_fn(move |context| {
            polls.fetch_add(1, Ordering::Relaxed);
            *waker.lock().expect("a lock") = Some(context.waker().clone());
            match is_ready.load(Ordering::Relaxed) {
                true => Poll::Ready(text(200, "ready\n".to_owned())),
                false => Poll::Pending,
            }
        }))
    }

    fn polls(&self) -> usize {
        self.polls.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        let waker = self.waker.lock().expect("a lock").clone();
        waker.expect("a waker from the context of the poll").wake();
    }
}

impl Talk {
    /// One turn of a handler of this client.
    fn handle(&mut self, handler: Handler) -> Result<Step, Failure> {
        self.in_a_turn(|conversation, turn| {
            conversation.handle(handler, Persistence::Persist, turn)
        })
    }

    /// One turn of the handler that a turn has left.
    fn handle_again(&mut self, step: Result<Step, Failure>) -> Result<Step, Failure> {
        match step {
            Ok(Step::Stay(State::Handling(handler, _))) => self.handle(handler),
            step => panic!("the handler isn't ready, so it stays: {step:?}"),
        }
    }

    /// What has come when the conversation is over.
    fn received(&mut self) -> String {
        self.write(Then::Linger).expect("a client that is there");
        let mut received = String::new();
        let all = self.client.read_to_string(&mut received);
        all.expect("an answer");
        received
    }
}

#[test]
fn handle_polls_a_handler_that_was_woken() {
    let (mut talk, watched) = (Talk::new(), Watched::default());
    // As after begin: no one has woken it, and it's polled once all the same.
    talk.conversation.waker.mark();
    let step = talk.handle(watched.handler());
    assert_eq!(watched.polls(), 1, "polled once");
    watched.is_ready.store(true, Ordering::Relaxed);
    watched.wake();
    assert_eq!(talk.woken.take().len(), 1, "its waker is this connection's");
    let step = talk.handle_again(step);
    assert_eq!(watched.polls(), 2, "it was woken, and so it's polled again");
    assert!(step.as_ref().is_ok_and(goes_on), "it's ready: {step:?}");
    let received = talk.received();
    assert!(received.ends_with("\r\n\r\nready\n"), "{received}");
}

#[test]
fn handle_leaves_a_handler_alone_that_was_not_woken() {
    let (mut talk, watched) = (Talk::new(), Watched::default());
    talk.conversation.waker.mark();
    let mut step = talk.handle(watched.handler());
    for _ in 0..3 {
        // As when room to write or a hang-up is why there's a turn.
        step = talk.handle_again(step);
    }
    assert_eq!(
        watched.polls(),
        1,
        "it has said that it will have itself woken, and hasn't been"
    );
}

#[test]
fn handle_notices_a_wake_during_the_poll() {
    let mut talk = Talk::new();
    let mut has_yielded = false;
    let yields = poll_fn(move |context| {
        if has_yielded {
            return Poll::Ready(text(200, "ready\n".to_owned()));
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    });
    talk.conversation.waker.mark();
    let step = talk.handle(Handler::new(yields));
    assert_eq!(
        talk.woken.take().len(),
        1,
        "it has woken itself during its poll, and isn't on the list: look whether it was \
         woken before the poll, not after it"
    );
    let step = talk.handle_again(step);
    assert!(
        step.as_ref().is_ok_and(goes_on),
        "it was woken while it was polled, and wasn't polled again: look whether it was \
         woken before the poll, not after it: {step:?}"
    );
}

#[test]
fn handle_answers_a_panic_with_500() {
    let mut talk = Talk::new();
    talk.conversation.waker.mark();
    let handler = Handler::new(async { panic!("a handler panics in a poll") });
    let step = catch_unwind(AssertUnwindSafe(|| talk.handle(handler)));
    let Ok(step) = step else {
        panic!("a handler has panicked in poll, and that ends the only thread");
    };
    // A client may be told and then left alone, or told and served on.
    let is_told = match status(step) {
        None => talk.received().starts_with("HTTP/1.1 500"),
        status => status == Some(500),
    };
    assert!(is_told, "a handler that panics is answered with 500");
}
