//! A server on which the harness is tried: it does what clients ask for, good or bad.
//!
//! `server ADDR [ends|mute]`: with `ends`, the first client ends the program with an
//! error; with `mute`, the program doesn't say where it listens.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let listener = TcpListener::bind(args.next().ok_or("usage: server ADDR")?)?;
    let how = args.next().unwrap_or_default();
    if how != "mute" {
        println!("listening on http://{}", listener.local_addr()?);
    }
    loop {
        match listener.accept() {
            Ok(_) if how == "ends" => return Err("a client came".into()),
            Ok((stream, _)) => {
                thread::spawn(move || converse(stream));
            }
            Err(error) => {
                eprintln!("accept: {:?} {error}", error.kind());
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn converse(mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let mut input = Vec::new();
    let mut memory = Vec::new();
    loop {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => input.extend_from_slice(&buffer[..read]),
            Err(error) => {
                eprintln!("read: {:?}", error.kind());
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                return;
            }
        }
        while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&input[..end]).into_owned();
            input.drain(..=end);
            let answer = match line.as_str() {
                "panic" => panic!("as asked"),
                "large" => vec![b'x'; 10 << 20],
                "grow" => {
                    memory.extend(vec![1_u8; 20 << 20]);
                    b"grown\n".to_vec()
                }
                "work" => {
                    while std::hint::black_box(true) {}
                    Vec::new()
                }
                line => format!("{line}\n").into_bytes(),
            };
            if let Err(error) = stream.write_all(&answer) {
                eprintln!("write: {:?}", error.kind());
                return;
            }
        }
    }
}
