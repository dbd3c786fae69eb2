//! Chapter 03, response: answer each request with an HTTP response that shows what
//! the client sent.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

mod response;

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use response::Response;

const DEFAULT_ADDR: &str = "127.0.0.1:7878";

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let addr = match args.next() {
        Some(addr) => addr.to_string_lossy().into_owned(),
        None => DEFAULT_ADDR.to_owned(),
    };
    if addr.starts_with('-') || args.next().is_some() {
        eprintln!("usage: {} [ADDR]", env!("CARGO_PKG_NAME"));
        return ExitCode::from(2);
    }

    let listener = match TcpListener::bind(&addr) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {addr}: {}", explain(&error));
            return ExitCode::FAILURE;
        }
    };
    match serve(&listener) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says where the listener listens, then serves one client after the other forever.
fn serve(listener: &TcpListener) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    for connection in listener.incoming() {
        match connection {
            Ok(stream) => {
                // One client's failure is no reason to leave the others.
                if let Err(error) = answer(stream) {
                    log(&format!("a connection failed: {error}"));
                }
            }
            Err(error) => log(&format!("cannot accept a connection: {error}")),
        }
    }
    Ok(())
}

/// Reads a request's head and sends it back as the content of a response.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    let Some(head) = read_head(&mut stream)? else {
        // The client left without a request: nobody waits for an answer.
        return Ok(());
    };
    let response = Response::new(200)
        .with_field("Content-Type", "text/plain; charset=utf-8")
        .with_field("Connection", "close")
        .with_body(head);
    let mut bytes = Vec::new();
    response.append_to(&mut bytes);
    stream.write_all(&bytes)
}

/// Reads up to the blank line that ends a request's head. `None` if the stream ends
/// before.
fn read_head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    todo!(
        "(1 of 2) read until the blank line that ends the head, and return the \
         bytes up to and with it"
    )
}

/// Says why bind failed, in words that tell a person what to do.
fn explain(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::AddrInUse => {
            "already in use: stop that program or use another port"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need privileges; choose a higher one"
        }
        ErrorKind::AddrNotAvailable => "no network interface here has this address",
        ErrorKind::InvalidInput => {
            "not an address: write HOST:PORT, as in 127.0.0.1:7878"
        }
        _ => return error.to_string(),
    };
    words.to_owned()
}

/// Writes a line to stderr. If that fails, there's nowhere left to say so.
fn log(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
