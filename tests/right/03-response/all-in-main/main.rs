//! Everything in main, with a buffered reader and read_until, and the answer in
//! several writes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

fn main() {
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
    println!(
        "listening on http://{}",
        listener.local_addr().expect("an address")
    );
    for stream in listener.incoming().flatten() {
        let mut reader = BufReader::new(&stream);
        let mut head = Vec::new();
        let whole = loop {
            let start = head.len();
            match reader.read_until(b'\n', &mut head) {
                Ok(0) | Err(_) => break false,
                Ok(_) if &head[start..] == b"\r\n" => break true,
                Ok(_) => {}
            }
        };
        if whole {
            let mut writer = &stream;
            let _ = write!(writer, "HTTP/1.1 200 OK\r\n")
                .and_then(|()| {
                    write!(writer, "Content-Type: text/plain; charset=utf-8\r\n")
                })
                .and_then(|()| {
                    write!(writer, "Content-Length: {}\r\n\r\n", head.len())
                })
                .and_then(|()| writer.write_all(&head));
        }
    }
}
