//! Reads a byte at a time up to the blank line, and sends the answer with io::copy.

use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let addr = match args.as_slice() {
        [] => "127.0.0.1:7878",
        [addr] if !addr.starts_with('-') => addr,
        _ => {
            eprintln!("usage: one address");
            std::process::exit(2);
        }
    };
    let listener = TcpListener::bind(addr).unwrap_or_else(|error| {
        eprintln!("{addr}: {error}");
        std::process::exit(1);
    });
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
