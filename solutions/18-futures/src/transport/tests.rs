use std::net::TcpListener;
use std::time::Instant;

use super::*;

#[test]
fn attempt_says_how_many_bytes_there_were() {
    for count in [0, 1, 16_384] {
        let outcome = attempt(|| Ok(count)).expect("no error");
        assert_eq!(outcome, Io::Done(count));
    }
}

#[test]
fn attempt_takes_would_block_for_an_answer() {
    let mut calls = 0;
    let outcome = attempt(|| {
        calls += 1;
        assert!(
            calls < 100,
            "one WouldBlock is enough: nobody waits for better"
        );
        Err(ErrorKind::WouldBlock.into())
    });
    let outcome = outcome.expect(
        "WouldBlock says that nothing is here now, and isn't an error of the \
         connection",
    );
    assert_eq!(outcome, Io::NotNow);
}

#[test]
fn attempt_makes_an_interrupted_call_once_more() {
    let mut results = [
        Ok(7),
        Err(ErrorKind::Interrupted),
        Err(ErrorKind::Interrupted),
    ]
    .map(|result: Result<usize, ErrorKind>| result.map_err(io::Error::from))
    .into_iter()
    .collect::<Vec<_>>();
    let outcome = attempt(|| results.pop().expect("no call after a result"));
    let outcome = outcome.expect("Interrupted isn't an error of the connection");
    assert_eq!(outcome, Io::Done(7), "two signals came before 7 bytes");
}

#[test]
fn attempt_passes_other_errors_on() {
    for kind in [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe] {
        let mut calls = 0;
        let outcome = attempt(|| {
            calls += 1;
            assert!(calls < 100, "{kind:?} doesn't pass");
            Err(kind.into())
        });
        let error = outcome.expect_err("a connection that is lost is an error");
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn a_transport_does_not_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = TcpStream::connect(addr).expect("a connection");
    let (stream, _) = listener.accept().expect("a connection");
    let transport = Transport::new(stream).expect("a transport");
    let begin = Instant::now();
    let read = transport.read(&mut [0; 100]).expect("no error");
    assert_eq!(read, Io::NotNow, "the client has said nothing");
    let mut written = 0;
    while let Io::Done(count) = transport.write(&[b'x'; 65_536]).expect("no error") {
        written += count;
        assert!(
            written < 1 << 30,
            "a socket that nobody reads from gets full"
        );
    }
    assert!(written > 0, "an empty socket has room");
    assert!(begin.elapsed().as_secs() < 4, "it has waited");
    drop(client);
}
