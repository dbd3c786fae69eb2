#[cfg(not(windows))]
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
#[cfg(not(windows))]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
#[cfg(not(windows))]
use std::{env, process};

use crate::app::App;
use crate::connection::Connection;
use crate::files::Files;
use crate::pool::ThreadPool;
use crate::slots::Slots;
use crate::stop::Stop;
use crate::sys::Event;

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
    app: App,
}

impl Visit {
    fn new() -> Visit {
        Visit::to(Path::new("."))
    }

    /// A visit to a server of this folder.
    fn to(folder: &Path) -> Visit {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let client = TcpStream::connect(addr).expect("a connection");
        client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let (stream, _) = listener.accept().expect("a client");
        let connection = Connection::new(stream, PATIENCE).expect("a connection");
        let stop = Arc::new(Stop::new().expect("a notifier"));
        let conversation =
            Conversation::new(connection, Stop::admit(&stop), Instant::now());
        let mut guest = Guest::new(conversation, false);
        let (token, poller) = (Slots::default().insert(()), Poller::new());
        let poller = poller.expect("a poller");
        guest.register(token, &poller).expect("a socket");
        let files = Files::new(folder).expect("a folder");
        let pool = ThreadPool::new(1, 1).expect("a pool");
        Visit {
            client,
            guest,
            token,
            poller,
            app: App::new(files, pool),
        }
    }

    fn ask(&mut self, target: &str) {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.client.write_all(request.as_bytes()).expect("a write");
    }

    fn turn(&mut self, hangup: bool) -> io::Result<Outcome> {
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

/// A temporary folder, removed when dropped.
#[cfg(not(windows))]
struct Folder(PathBuf);

#[cfg(not(windows))]
impl Folder {
    /// With a file in it that no socket takes in whole. It takes no room on the disk.
    fn with_a_large_file() -> Folder {
        let name = format!("guest-{}", process::id());
        let folder = Folder(env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).expect("a temporary folder");
        let file = File::create(folder.0.join("large")).expect("a temporary file");
        file.set_len(1 << 30).expect("a file with a hole");
        folder
    }
}

#[cfg(not(windows))]
impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed stays in the temporary directory, which the system
        // empties.
        let _ = fs::remove_dir_all(&self.0);
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
fn turn_tells_the_poller_only_what_changes() {
    let mut visit = Visit::new();
    // To change what isn't watched is an error: so this sees each change.
    let socket = visit.guest.conversation.socket();
    visit.poller.remove(socket).expect("a watched socket");
    for _ in 0..2 {
        visit.ask("/app/visit");
        let outcome = visit.turn(false);
        assert!(
            outcome.is_ok(),
            "the conversation waits for a request, as before, and the poller is told \
             so again: compare first, because a change is a system call"
        );
    }
}

#[test]
// Under Wine a socket takes tens of megabytes before it's full.
#[cfg(not(windows))]
fn turn_watches_for_room_while_answers_are_left() {
    let folder = Folder::with_a_large_file();
    let mut visit = Visit::to(&folder.0);
    // Nothing of it is read.
    visit.ask("/large");
    let begin = Instant::now();
    while visit.turn(false).expect("a turn") == Outcome::Moved {
        assert!(begin.elapsed() < DEADLINE, "the socket is never full");
    }
    let interest = visit.guest.interest;
    assert!(interest.write, "there is an answer to send");
    assert!(
        !interest.read,
        "the client reads nothing, and no more is to be read from it"
    );
    // Once the client has read, there's room.
    let mut buffer = [0; 65_536];
    while visit.look().is_empty() {
        assert!(visit.client.read(&mut buffer).expect("an answer") > 0);
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
