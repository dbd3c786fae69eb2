//! Another shape: everything in main, a BufReader that is asked for what it has, a BufWriter that
//! is flushed, errors of clients passed over in silence, and the listening line in one println!.

use std::env;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::TcpListener;

fn main() {
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:7878".to_owned());
    let listener = match TcpListener::bind(&addr) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("{addr}: {error}");
            std::process::exit(1);
        }
    };
    println!("listening on http://{}", listener.local_addr().unwrap());
    for stream in listener.incoming().flatten() {
        let mut reader = BufReader::new(&stream);
        let mut writer = BufWriter::new(&stream);
        while let Ok(bytes @ [_, ..]) = reader.fill_buf() {
            let sent = writer.write_all(bytes).and_then(|()| writer.flush());
            if sent.is_err() {
                // What is left in the writer cannot be sent: dropping it would try again.
                let _ = writer.into_parts();
                break;
            }
            let count = bytes.len();
            reader.consume(count);
        }
    }
}
