use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use crate::files::Files;
use crate::pool::ThreadPool;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);
/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

fn app() -> App {
    let files = Files::new(Path::new(".")).expect("a folder");
    App::new(files, ThreadPool::new(1, 1).expect("a pool"))
}

/// A loop, and where it listens.
fn event_loop(app: &App) -> (EventLoop<'_>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let stop = Arc::new(Stop::new().expect("a notifier"));
    let event_loop = EventLoop::new(listener, app, stop, 1_000, PATIENCE);
    (event_loop.expect("a loop"), addr)
}

fn connect(addr: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(addr).expect("a connection");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    client
}

fn ask(mut client: &TcpStream, target: &str) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.write_all(request.as_bytes()).expect("a write");
}

/// Whether an answer comes that ends with this.
fn is_answered(mut client: &TcpStream, end: &str) -> bool {
    let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
    while !answer.ends_with(end.as_bytes()) {
        match client.read(&mut buffer) {
            Ok(read @ 1..) => answer.extend_from_slice(&buffer[..read]),
            _ => return false,
        }
    }
    true
}

/// News of a socket that can be read.
fn readable(token: u64) -> Event {
    Event {
        token,
        readable: true,
        writable: false,
        hangup: false,
    }
}

/// News of a connection that has failed.
fn hangup(token: u64) -> Event {
    Event {
        hangup: true,
        ..readable(token)
    }
}

impl EventLoop<'_> {
    /// A turn in which these events have come.
    fn turn_with(&mut self, events: &[Event]) {
        self.turn(events, Instant::now());
    }

    /// The names of all clients.
    fn tokens(&self) -> Vec<u64> {
        self.guests.iter().map(|(token, _)| token.into()).collect()
    }
}

#[test]
fn until_nearest_is_the_time_to_the_first_of_all_moments() {
    let now = Instant::now();
    let seconds = |seconds: &[u64]| {
        let moments = seconds.iter().map(|s| now + Duration::from_secs(*s));
        until_nearest(moments.collect::<Vec<_>>().into_iter(), now)
    };
    assert_eq!(seconds(&[7, 3, 5]), Some(Duration::from_secs(3)));
    assert_eq!(seconds(&[4]), Some(Duration::from_secs(4)));
    assert_eq!(seconds(&[0, 4]), Some(Duration::ZERO), "it's due now");
    let past = [now, now + Duration::from_secs(9)].into_iter();
    assert_eq!(
        until_nearest(past, now + Duration::from_secs(1)),
        Some(Duration::ZERO),
        "a moment that has passed is due now"
    );
}

#[test]
fn until_nearest_is_none_if_there_is_no_moment() {
    assert_eq!(
        until_nearest([].into_iter(), Instant::now()),
        None,
        "only an event ends the wait: a fixed time would wake the loop for nothing"
    );
}

#[test]
fn timeout_is_that_of_the_client_whose_time_ends_first() {
    let app = app();
    let (mut event_loop, addr) = event_loop(&app);
    assert_eq!(event_loop.timeout(Instant::now()), None, "no one is here");

    let client = connect(addr);
    event_loop.turn_with(&[readable(DOOR)]);
    let idle = event_loop.timeout(Instant::now()).expect("a deadline");
    assert!(
        idle <= PATIENCE && idle > PATIENCE - DEADLINE,
        "the client's patience is {PATIENCE:?}, not {idle:?}"
    );
    ask(&client, "/app/wait/5000");
    let token = event_loop.tokens()[0];
    event_loop.turn_with(&[readable(token)]);
    while event_loop.ask_again {
        event_loop.turn_with(&[]);
    }
    let waits = event_loop.timeout(Instant::now()).expect("a deadline");
    let asked = Duration::from_secs(5);
    assert!(
        waits <= asked && waits > asked - DEADLINE,
        "the handler waits for {asked:?}, not {waits:?}"
    );
}

#[test]
fn those_who_were_turned_away_take_no_place() {
    let app = app();
    let (mut event_loop, addr) = event_loop(&app);
    event_loop.limit = 1;
    let first = connect(addr);
    let turned_away = connect(addr);
    event_loop.turn_with(&[readable(DOOR)]);
    event_loop.turn_with(&[]);
    let tokens = event_loop.tokens();
    assert_eq!(tokens.len(), 2, "one is served, and one is being told");
    // The other one stays a while: it's told, and lingers.
    drop(first);
    event_loop.turn_with(&[readable(tokens[0])]);
    let next = connect(addr);
    event_loop.turn_with(&[readable(DOOR)]);
    ask(&next, "/app/visit");
    let token = *event_loop.tokens().first().expect("a client");
    event_loop.turn_with(&[readable(token)]);
    assert!(
        is_answered(&next, "\r\n\r\n1\n"),
        "a place was free: a client that was turned away has none"
    );
    drop(turned_away);
}

#[test]
fn news_of_a_client_that_has_left_is_not_news_of_another() {
    let app = app();
    let (mut event_loop, addr) = event_loop(&app);
    let first = connect(addr);
    event_loop.turn_with(&[readable(DOOR)]);
    let old = event_loop.tokens()[0];
    drop(first);
    let second = connect(addr);
    // One batch closes the first connection, and lets the second client in, on the
    // same descriptor and in the same place.
    event_loop.turn_with(&[readable(old), readable(DOOR)]);
    let new = event_loop.tokens()[0];
    assert_eq!(event_loop.guests.len(), 1, "one has left, and one has come");
    ask(&second, "/app/meet/2");
    event_loop.turn_with(&[readable(new), hangup(old)]);
    assert_eq!(
        event_loop.tokens(),
        [new],
        "it was the first client that has hung up, not the second"
    );
    let third = connect(addr);
    event_loop.turn_with(&[readable(DOOR)]);
    ask(&third, "/app/meet/2");
    event_loop.turn_with(&[readable(event_loop.tokens()[1])]);
    assert!(
        is_answered(&second, "2 met\n"),
        "the second client's handler was still waiting, and its meeting is complete"
    );
}

#[test]
fn a_turn_asks_all_handlers_that_wait() {
    let app = app();
    let (mut event_loop, addr) = event_loop(&app);
    let clients = [(); 3].map(|()| connect(addr));
    event_loop.turn_with(&[readable(DOOR)]);
    let tokens = event_loop.tokens();
    for (client, token) in clients.iter().zip(tokens) {
        ask(client, "/app/meet/3");
        event_loop.turn_with(&[readable(token)]);
    }
    // The last of them has completed the meeting, and nothing has happened to the
    // sockets of the others.
    for client in &clients {
        assert!(
            is_answered(client, "3 met\n"),
            "three have met, and one of them has no answer: a turn asks all handlers \
             that wait, whatever comes of it"
        );
    }
}

#[test]
fn one_that_gets_on_may_help_another_that_was_asked_before() {
    let app = app();
    let (mut event_loop, addr) = event_loop(&app);
    let clients = [(); 3].map(|()| connect(addr));
    event_loop.turn_with(&[readable(DOOR)]);
    let tokens = event_loop.tokens();
    // The second one completes the first one's meeting, a second from now. The third
    // gets nowhere meanwhile, and is asked last.
    let targets: [&[_]; 3] = [
        &["/app/meet/2"],
        &["/app/wait/1000", "/app/meet/2"],
        &["/app/wait/90000"],
    ];
    for ((client, token), targets) in clients.iter().zip(&tokens).zip(targets) {
        for target in targets {
            ask(client, target);
        }
        event_loop.turn_with(&[readable(*token)]);
    }
    let mut now = Instant::now() + Duration::from_millis(1_001);
    event_loop.turn(&[], now);
    while event_loop.timeout(now) == Some(Duration::ZERO) {
        now += Duration::from_millis(1);
        event_loop.turn(&[], now);
    }
    assert!(is_answered(&clients[1], "2 met\n"));
    assert!(
        is_answered(&clients[0], "2 met\n"),
        "one handler got on, and the loop goes to sleep without asking those again \
         that were asked before it: note whether any of them got on, not whether the \
         last one did"
    );
}

#[test]
fn a_turn_leaves_those_alone_whom_nothing_concerns() {
    let app = app();
    let (mut event_loop, addr) = event_loop(&app);
    let client = connect(addr);
    event_loop.turn_with(&[readable(DOOR)]);
    let mut events = Vec::new();
    let mut look = |event_loop: &EventLoop| {
        let wait = event_loop.poller.wait(&mut events, Some(DEADLINE));
        wait.expect("a wait");
        events.iter().any(|event| event.readable)
    };
    ask(&client, "/app/visit");
    assert!(look(&event_loop), "a request has come");
    // A turn for others.
    event_loop.turn_with(&[]);
    assert!(
        look(&event_loop),
        "no event of this client was in the turn, its time isn't up, and it has no \
         handler that waits: who reads from it all the same does so for each client in \
         each turn, as chapter 16 did"
    );
}

#[test]
fn a_turn_lets_in_many_clients_and_not_all_of_any_number() {
    let app = app();
    let (mut event_loop, addr) = event_loop(&app);
    let clients: Vec<_> = (0..MAX_ACCEPTED + 1).map(|_| connect(addr)).collect();
    event_loop.turn_with(&[readable(DOOR)]);
    let let_in = event_loop.guests.len();
    assert!(let_in > 1, "one client for each turn is too slow");
    assert!(let_in <= MAX_ACCEPTED, "those who are in wait meanwhile");
    let mut events = Vec::new();
    while event_loop.guests.len() < clients.len() {
        let wait = event_loop.poller.wait(&mut events, Some(DEADLINE));
        wait.expect("a wait");
        assert!(!events.is_empty(), "someone still waits outside");
        event_loop.turn_with(&events);
    }
}

#[test]
fn run_ends_soon_after_a_stop_although_nothing_else_happens() {
    let (tell, told) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let stop = Arc::new(Stop::new().expect("a notifier"));
    let asked = Arc::clone(&stop);
    thread::spawn(move || {
        let app = app();
        let event_loop = EventLoop::new(listener, &app, asked, 1_000, PATIENCE);
        let ended = event_loop.and_then(EventLoop::run);
        tell.send(ended.is_ok())
    });
    // When this is answered, the loop is about to wait.
    let client = connect(addr);
    ask(&client, "/app/visit");
    assert!(is_answered(&client, "1\n"));
    stop.begin();
    let ended = told.recv_timeout(DEADLINE);
    assert_eq!(
        ended,
        Ok(true),
        "nothing has woken the loop: the bell is to be watched, and heard"
    );
}
