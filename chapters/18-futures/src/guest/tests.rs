use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::connection::Connection;
use crate::files::Files;
use crate::pool::ThreadPool;
use crate::slots::Slots;
use crate::stop::Stop;
use crate::sys::Event;
use crate::woken::{ConnectionWaker, Woken};

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);
/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

/// A client, its guest, and the poller that watches it.
struct Visit {
    client: TcpStream,
    guest: Guest,
    token: Token,
    poller: Poller,
    app: Arc<App>,
}

impl Visit {
    fn new() -> Visit {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let client = TcpStream::connect(addr).expect("a connection");
        client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let (stream, _) = listener.accept().expect("a client");
        let connection = Connection::new(stream, PATIENCE).expect("a connection");
        let stop = Arc::new(Stop::new().expect("a notifier"));
        let token = Slots::default().insert(());
        let woken = Arc::new(Woken::new().expect("a notifier"));
        let waker = ConnectionWaker::new(token, &woken);
        let admitted = Stop::admit(&stop);
        let conversation =
            Conversation::new(connection, admitted, waker, Instant::now());
        let mut guest = Guest::new(conversation, false);
        let poller = Poller::new().expect("a poller");
        guest.register(token, &poller).expect("a socket");
        let files = Files::new(Path::new(".")).expect("a folder");
        let pool = ThreadPool::new(1, 1).expect("a pool");
        Visit {
            client,
            guest,
            token,
            poller,
            app: Arc::new(App::new(files, pool)),
        }
    }

    fn ask(&mut self, target: &str) {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.client.write_all(request.as_bytes()).expect("a write");
    }

    fn turn(&mut self, hangup: bool) -> io::Result<Outcome> {
        self.app.timers().wake_due(Instant::now());
        let mut turn = Turn {
            app: &self.app,
            now: Instant::now(),
            date: "now",
            spare: Vec::new(),
        };
        self.guest.turn(self.token, hangup, &self.poller, &mut turn)
    }

    /// What the poller reports at this moment.
    fn look(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let look = self.poller.wait(&mut events, Some(Duration::ZERO));
        look.expect("a look");
        events
    }
}

#[test]
fn turn_watches_for_nothing_while_a_handler_waits() {
    let mut visit = Visit::new();
    visit.ask("/app/wait/10000");
    visit.turn(false).expect("a turn");
    // What the client says now is for later.
    visit.ask("/app/visit");
    assert_eq!(
        visit.look(),
        [],
        "a handler waits, nothing is read meanwhile, and the poller still reports it: \
         tell it what the conversation waits for now"
    );
}

#[test]
fn turn_watches_again_once_the_handler_is_ready() {
    let mut visit = Visit::new();
    visit.ask("/app/wait/1");
    visit.turn(false).expect("a turn");
    let begin = Instant::now();
    while visit.guest.interest == Interest::NONE {
        assert!(begin.elapsed() < DEADLINE, "the handler is never ready");
        visit.turn(false).expect("a turn");
    }
    visit.ask("/app/visit");
    let events = visit.look();
    assert_eq!(events.len(), 1, "the next request has come: {events:?}");
    assert_eq!(events[0].token, visit.token.into(), "by the same name");
}

#[test]
// Under Wine a socket takes tens of megabytes before it's full.
#[cfg(not(windows))]
fn turn_watches_for_room_while_answers_are_left() {
    let mut visit = Visit::new();
    // Nothing of it is read.
    let many = "GET /app/visit HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100);
    visit.client.set_nonblocking(true).expect("a socket");
    let begin = Instant::now();
    while visit.guest.interest.read {
        let _ = visit.client.write(many.as_bytes());
        visit.turn(false).expect("a turn");
        assert!(
            begin.elapsed() < DEADLINE,
            "the client reads nothing, and more and more is read from it"
        );
    }
    assert!(visit.guest.interest.write, "there are answers to send");
    assert_eq!(visit.look(), [], "the socket is full");
    // Once the client has read, there's room, and then the rest of its requests.
    visit.client.set_nonblocking(false).expect("a socket");
    let mut buffer = [0; 65_536];
    while visit.look().is_empty() {
        assert!(visit.client.read(&mut buffer).expect("answers") > 0);
    }
    assert!(visit.look()[0].writable);
}

#[test]
fn turn_ends_when_the_client_hangs_up_while_a_handler_waits() {
    let mut visit = Visit::new();
    visit.ask("/app/meet/2");
    let outcome = visit.turn(false).expect("a turn");
    assert_ne!(outcome, Outcome::Over, "it waits for others");
    let outcome = visit.turn(true).expect("a turn");
    assert_eq!(
        outcome,
        Outcome::Over,
        "no one waits for that answer, and the news of it would end each wait at once"
    );
}

#[test]
fn turn_still_reads_what_came_before_the_client_hung_up() {
    // Both halves are closed, as at the end of lingering. What has come must be read,
    // because to close without that makes the kernel send RST.
    let mut visit = Visit::new();
    visit.ask("/app/visit");
    let outcome = visit.turn(true).expect("a turn");
    assert_ne!(
        outcome,
        Outcome::Over,
        "as long as it waits for the socket, the socket itself tells the end"
    );
    let mut answer = [0; 8];
    visit.client.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1");
}
