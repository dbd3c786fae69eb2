use std::cell::Cell;
use std::net::TcpStream as Client;
use std::thread;

use crate::executor::{run, spawn};

use super::*;

/// Sends back what comes, until nothing more does.
async fn echo(stream: net::TcpStream) -> io::Result<()> {
    let stream = TcpStream::new(stream)?;
    let mut room = vec![0; 10_000];
    loop {
        stream.readable().await?;
        let len = match stream.try_read(&mut room)? {
            Some(0) => return stream.end_writing(),
            Some(len) => len,
            None => continue,
        };
        let mut sent = 0;
        while sent < len {
            match stream.try_write(&room[sent..len])? {
                Some(written) => sent += written,
                None => stream.writable().await?,
            }
        }
    }
}

#[test]
fn tasks_echo_to_their_clients() {
    const CLIENTS: u32 = 3;
    const LEN: usize = 2_000_000;
    let listener = net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let clients = (0..CLIENTS).map(|number| {
        thread::spawn(move || {
            let stream = Client::connect(addr).expect("a connection");
            let deadline = Some(std::time::Duration::from_secs(8));
            stream.set_read_timeout(deadline).expect("a socket");
            let sent: Vec<u8> = (0..LEN).map(|at| (at % 251) as u8).collect();
            let mut writer = stream.try_clone().expect("a socket");
            let bytes = sent.clone();
            // All of it comes back while it's sent.
            let writing = thread::spawn(move || {
                writer.write_all(&bytes).expect("a write");
                writer.shutdown(Shutdown::Write).expect("a socket");
            });
            let mut received = Vec::new();
            let read = (&stream).read_to_end(&mut received);
            read.unwrap_or_else(|error| panic!("client {number}: {error}"));
            assert!(received == sent, "client {number} got something else");
            writing.join().expect("no panic");
        })
    });
    let clients: Vec<_> = clients.collect();
    let served = run(async move {
        let listener = TcpListener::new(listener).expect("a listener");
        for _ in 0..CLIENTS {
            let stream = loop {
                if let Some(stream) = listener.try_accept().expect("a client") {
                    break stream;
                }
                listener.acceptable().await.expect("a listener");
            };
            spawn(async { echo(stream).await.expect("a client") });
        }
    });
    served.expect("an executor");
    for client in clients {
        client.join().expect("what was sent");
    }
}

#[test]
fn a_read_that_would_wait_is_none() {
    let is_done = Rc::new(Cell::new(false));
    let flag = Rc::clone(&is_done);
    let outcome = run(async move {
        let listener = net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let mut client = Client::connect(addr).expect("a connection");
        let (stream, _) = listener.accept().expect("a connection");
        let stream = TcpStream::new(stream).expect("a stream");
        let mut room = [0; 8];
        assert_eq!(stream.try_read(&mut room).expect("a read"), None);
        client.write_all(b"abc").expect("a write");
        stream.readable().await.expect("a stream");
        assert_eq!(stream.try_read(&mut room).expect("a read"), Some(3));
        drop(client);
        stream.readable().await.expect("a stream");
        assert_eq!(stream.try_read(&mut room).expect("a read"), Some(0));
        flag.set(true);
    });
    outcome.expect("an executor");
    assert!(is_done.get(), "the task has panicked: see above");
}

#[test]
fn attempt_tries_again_after_a_signal() {
    let mut outcomes = vec![
        Ok(7),
        Err(ErrorKind::Interrupted.into()),
        Err(ErrorKind::WouldBlock.into()),
    ];
    let mut next = || outcomes.pop().expect("an outcome");
    assert_eq!(attempt(&mut next).expect("no error"), None);
    assert_eq!(attempt(&mut next).expect("no error"), Some(7));
    let reset = || Err::<(), _>(ErrorKind::ConnectionReset.into());
    assert!(attempt(reset).is_err());
}
