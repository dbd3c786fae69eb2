//! Another shape: everything in main, `accept` in a loop, `exit` instead of
//! `ExitCode`, `println!` without a flush, and the system's own words for what went
//! wrong.

use std::env;
use std::net::TcpListener;
use std::process::exit;

fn main() {
    let args: Vec<String> = env::args().collect();
    let addr = match args.len() {
        1 => "127.0.0.1:7878",
        2 if !args[1].starts_with("--") => &args[1],
        _ => {
            eprintln!("Usage: chapter01 [ADDR]");
            exit(2);
        }
    };
    let listener = TcpListener::bind(addr).unwrap_or_else(|error| {
        eprintln!("{addr}: {error} (a port below 1024 may need root)");
        exit(1);
    });
    println!("listening on http://{}", listener.local_addr().unwrap());
    loop {
        let _ = listener.accept();
    }
}
