use std::cell::Cell;
use std::future::{pending, ready};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream as Client};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::buffers::PIECE;
use crate::executor::run;
use crate::request::Persistence;
use crate::response::text;
use crate::sleep::Sleep;
use crate::stop::Stop;

use super::*;

const PATIENCE: Duration = Duration::from_secs(4);

/// A client, and the server's end of its connection.
fn connected(patience: Duration) -> (Client, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = Client::connect(addr).expect("a connection");
    let (stream, _) = listener.accept().expect("a connection");
    let stream = TcpStream::new(stream).expect("a stream");
    let stop = Arc::new(Stop::default());
    let connection = Connection::new(stream, patience, Stop::admit(&stop));
    (client, connection)
}

/// Runs a test as a task, and has its panics fail the test.
fn as_a_task(test: impl Future<Output = ()> + 'static) {
    let is_done = Rc::new(Cell::new(false));
    let flag = Rc::clone(&is_done);
    let outcome = run(async move {
        test.await;
        flag.set(true);
    });
    outcome.expect("an executor");
    assert!(is_done.get(), "the task has panicked: see above");
}

/// Notes that a handler has been dropped.
struct Dropped(Rc<Cell<bool>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

/// A handler that waits until someone comes who never does.
fn endless() -> (Rc<Cell<bool>>, impl Future<Output = ()>) {
    let dropped = Rc::new(Cell::new(false));
    let owned = Dropped(Rc::clone(&dropped));
    let handler = async move {
        let _owned = owned;
        pending::<()>().await;
    };
    (dropped, handler)
}

#[test]
fn while_here_has_the_handlers_outcome() {
    as_a_task(async {
        let (_client, mut connection) = connected(PATIENCE);
        let at_once = connection.while_here(ready(7)).await;
        assert_eq!(at_once.expect("an outcome"), 7);
        let later = async {
            Sleep::new(Duration::from_millis(10)).await;
            8
        };
        let later = connection.while_here(later).await;
        assert_eq!(later.expect("an outcome"), 8);
    });
}

/// Waits for something, and fails the test if it doesn't come.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    match select(pin!(future), pin!(Sleep::new(PATIENCE))).await {
        Either::First(outcome) => outcome,
        Either::Second(()) => panic!("it's never ready"),
    }
}

/// Has a client leave an answer unread, which makes its kernel send a reset.
async fn reset(client: Client, connection: &mut Connection) {
    let answer = text(200, "never read".into());
    let sent = connection.send(answer, Persistence::KeepAlive).await;
    sent.expect("a connection");
    connection.flush().await.expect("a connection");
    client.peek(&mut [0]).expect("an answer");
    drop(client);
}

#[test]
fn while_here_drops_the_handler_of_a_client_that_resets() {
    as_a_task(async {
        let (client, mut connection) = connected(PATIENCE);
        reset(client, &mut connection).await;
        let (dropped, handler) = endless();
        let outcome = in_time(connection.while_here(handler)).await;
        assert!(outcome.is_err(), "no one is there to be answered");
        assert!(dropped.get(), "no one waits for it any more");
    });
}

#[test]
fn while_here_is_also_for_clients_that_send_no_more() {
    as_a_task(async {
        let (client, mut connection) = connected(PATIENCE);
        client.shutdown(Shutdown::Write).expect("a socket");
        let handler = Sleep::new(Duration::from_millis(30));
        let outcome = in_time(connection.while_here(handler)).await;
        outcome.expect("an outcome: the client still reads");
    });
}

#[test]
fn while_here_lets_the_handler_take_longer_than_the_client_may() {
    as_a_task(async {
        let (_client, mut connection) = connected(Duration::from_millis(5));
        connection.deadline.set(connection.patience);
        let handler = Sleep::new(Duration::from_millis(30));
        let outcome = in_time(connection.while_here(handler)).await;
        outcome.expect("an outcome: it isn't the client that takes so long");
    });
}

#[test]
fn while_here_sends_what_is_finished() {
    as_a_task(async {
        let (mut client, mut connection) = connected(PATIENCE);
        let answer = text(200, "finished".into());
        let sent = connection.send(answer, Persistence::Close).await;
        sent.expect("a connection");
        // The handler ends when the client has the answer before it.
        let (tell, told) = std::sync::mpsc::channel();
        let reader = thread::spawn(move || {
            let mut received = Vec::new();
            let mut byte = [0];
            while !received.ends_with(b"finished") {
                if client.read(&mut byte).expect("a read") == 0 {
                    panic!("the connection was closed: {received:?}");
                }
                received.push(byte[0]);
            }
            tell.send(()).expect("a test");
            client
        });
        let handler = async {
            while told.try_recv().is_err() {
                Sleep::new(Duration::from_millis(1)).await;
            }
        };
        let outcome = in_time(connection.while_here(handler)).await;
        outcome.expect("an outcome");
        drop(reader.join().expect("no panic"));
    });
}

#[test]
fn while_here_notices_a_reset_while_it_sends() {
    as_a_task(async {
        let (client, mut connection) = connected(PATIENCE);
        // More than the kernel takes.
        let large = text(200, "x".repeat(200 * PIECE));
        connection.buffers.get().output.put(large.into_body());
        let (dropped, handler) = endless();
        let gone = thread::spawn(move || {
            client.peek(&mut [0]).expect("an answer");
            drop(client);
        });
        let outcome = in_time(connection.while_here(handler)).await;
        assert!(outcome.is_err(), "no one is there to be answered");
        assert!(dropped.get(), "no one waits for it any more");
        gone.join().expect("no panic");
    });
}

#[test]
fn buffers_are_borrowed_while_something_is_under_way() {
    as_a_task(async {
        let (mut client, mut connection) = connected(PATIENCE);
        client.write_all(b"GET / HTTP/1.1\r\n").expect("a write");
        connection.deadline.set(Duration::from_millis(20));
        let read = connection.fill().await.expect("a read");
        assert_eq!(read, Some(16));
        assert!(!connection.buffers.is_empty(), "half a head is kept");
        let late = connection.fill().await.expect("a read");
        assert_eq!(late, None);
        client.write_all(b"\r\n").expect("a write");
        let head = connection.read_head().await.expect("a head");
        assert_eq!(head, Some(18));
        connection.consume(18);
        connection.deadline.set(Duration::ZERO);
        let nothing = connection.read().await.expect("a read");
        assert_eq!(nothing, None);
        assert!(
            connection.buffers.is_empty(),
            "a client that says nothing needs no memory"
        );
    });
}

#[test]
fn what_has_come_in_time_is_read_although_it_is_late() {
    as_a_task(async {
        let (mut client, mut connection) = connected(PATIENCE);
        // More than one read takes.
        let sent = vec![b'x'; 40_000];
        client.write_all(&sent).expect("a write");
        client.shutdown(Shutdown::Write).expect("a socket");
        // As if a handler had kept the thread to itself.
        connection.deadline.set(Duration::ZERO);
        let (mut read, begin) = (0, Instant::now());
        while read < sent.len() {
            read += connection.fill().await.expect("a read").unwrap_or(0);
            assert!(begin.elapsed() < PATIENCE, "{read} bytes are all");
            connection.consume(connection.unread().len());
        }
    });
}
