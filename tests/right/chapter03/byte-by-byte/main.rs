//! Reads a byte at a time up to the blank line, and sends the answer with io::copy.

use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let addr = std::env::args()
        .nth(1)
        .unwrap_or("127.0.0.1:7878".to_owned());
    let listener = TcpListener::bind(addr)?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        if let Err(error) = answer(stream) {
            eprintln!("{error}");
        }
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let start = format!(
        "HTTP/1.1 200 Fine\r\nContent-Length: {}\r\nConnection: close\r\n\
         Server: mine\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
        head.len()
    );
    io::copy(&mut start.as_bytes().chain(&head[..]), &mut stream)?;
    Ok(())
}
