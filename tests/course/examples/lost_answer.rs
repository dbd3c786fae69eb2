//! How often does an answer get lost when a server closes without having read the
//! request?
//!
//! `cargo run -q -p course --example lost_answer` asks three servers the same three
//! things, 200 times each, and counts.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

const ROUNDS: usize = 200;

/// How much of a request a server reads before it answers and closes.
#[derive(Clone, Copy)]
enum Reads {
    Nothing,
    Head,
    Everything,
}

/// What a client sends and what it is to get back, in bytes of content.
#[derive(Clone, Copy)]
struct Case(usize, usize);

const SERVERS: [(&str, Reads); 3] = [
    ("nothing", Reads::Nothing),
    ("the head", Reads::Head),
    ("everything", Reads::Everything),
];

const CASES: [(&str, Case); 3] = [
    ("100 bytes", Case(0, 100)),
    ("5 megabytes", Case(0, 5_000_000)),
    (
        "100 bytes, to an upload of 1 megabyte",
        Case(1_000_000, 100),
    ),
];

fn main() -> io::Result<()> {
    for (what, reads) in SERVERS {
        println!("The server reads {what} before it answers and closes:");
        for (answer, case) in CASES {
            let addr = start(reads, case)?;
            let got = (0..ROUNDS).filter(|_| ask(addr, case).is_ok()).count();
            println!("  lost {} of {ROUNDS} answers of {answer}", ROUNDS - got);
        }
    }
    Ok(())
}

/// Starts a server, which ends with the program.
fn start(reads: Reads, case: Case) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Here an error is part of the experiment: the client counts what it
            // costs.
            let _ = stream.and_then(|stream| answer(stream, reads, case));
        }
    });
    Ok(addr)
}

fn answer(mut stream: TcpStream, reads: Reads, case: Case) -> io::Result<()> {
    let Case(upload, answer) = case;
    let read = match reads {
        Reads::Nothing => 0,
        Reads::Head => head(upload).len(),
        Reads::Everything => head(upload).len() + upload,
    };
    stream.read_exact(&mut vec![0; read])?;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {answer}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), &vec![b'x'; answer]].concat())
}

/// Sends a request, and reads the answer up to its last byte.
fn ask(addr: SocketAddr, Case(upload, answer): Case) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr)?;
    stream.write_all(head(upload).as_bytes())?;
    // Like other clients, this one gives up when it cannot send its request.
    for piece in vec![b'x'; upload].chunks(64 * 1024) {
        stream.write_all(piece)?;
    }
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let head_end = received.windows(4).position(|four| four == b"\r\n\r\n");
        if head_end.is_some_and(|at| received.len() == at + 4 + answer) {
            return Ok(());
        }
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => received.extend_from_slice(&buffer[..read]),
        }
    }
}

fn head(upload: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {upload}\r\n\r\n")
}
