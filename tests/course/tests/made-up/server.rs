//! A server that greets its clients and numbers them, for the tests of the
//! transcripts.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::exit;
use std::thread;

fn main() {
    let addr = std::env::args().nth(1).expect("an address is always given");
    if addr == "nonsense" {
        eprintln!("usage: solution02 [ADDR]");
        exit(2);
    }
    let Ok(listener) = TcpListener::bind(&addr) else {
        eprintln!("cannot listen on {addr}");
        exit(1);
    };
    println!("listening on http://{addr}");
    for (stream, number) in listener.incoming().zip(1..) {
        let mut stream = stream.expect("a client");
        let addr = addr.clone();
        thread::spawn(move || {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).expect("it writes text");
            let said = line.trim();
            eprintln!("a client said {said}");
            writeln!(stream, "{said} from http://{addr} to client {number}").expect("it reads");
        });
    }
}
