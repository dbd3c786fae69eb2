//! Another shape: everything in main, a BufReader that is asked for what it has, a
//! BufWriter that is flushed, errors of clients in its own words, and the
//! listening line in one println!.

use std::env;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::TcpListener;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
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
    println!("listening on http://{}", listener.local_addr().unwrap());
    for stream in listener.incoming().flatten() {
        let mut reader = BufReader::new(&stream);
        let mut writer = BufWriter::new(&stream);
        loop {
            let bytes = match reader.fill_buf() {
                Ok([]) => break,
                Ok(bytes) => bytes,
                Err(error) => {
                    eprintln!("a client cannot be heard: {error}");
                    break;
                }
            };
            let sent = writer.write_all(bytes).and_then(|()| writer.flush());
            if sent.is_err() {
                // What is left in the writer cannot be sent: dropping it would try
                // again.
                let _ = writer.into_parts();
                eprintln!("a client did not take all of it");
                break;
            }
            let count = bytes.len();
            reader.consume(count);
        }
    }
}
