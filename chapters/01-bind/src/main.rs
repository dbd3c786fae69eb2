//! Chapter 01, bind: ask the system for an address, say so, and take what comes.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

use std::env;
use std::io::{self, ErrorKind, Write};
use std::net::TcpListener;
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

    let listener: TcpListener = todo!(
        "(1 of 2) bind a listener to &addr; if that fails, explain why on stderr \
         and return exit code 1"
    );
    match serve(&listener) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says where the listener listens, then accepts one connection after the other and
/// closes each.
fn serve(listener: &TcpListener) -> io::Result<()> {
    todo!(
        "(2 of 2) print `listening on http://` and the listener's address, then \
         accept connections forever and close each"
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
