//! Chapter 02, echo: send back every byte that a client sends, one client after the
//! other.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

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

/// Says where the listener listens, then serves one client after the other.
fn serve(listener: &TcpListener) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    for connection in listener.incoming() {
        match connection {
            Ok(stream) => todo!(
                "(2 of 2) if echo fails, log the error and go on; it returned {:?}",
                echo(stream)
            ),
            Err(error) => log(&format!("cannot accept a connection: {error}")),
        }
    }
    Ok(())
}

/// Sends back every byte until the client has closed its sending half.
fn echo(mut stream: TcpStream) -> io::Result<()> {
    todo!("(1 of 2) send every byte back until the client has sent its last one")
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
