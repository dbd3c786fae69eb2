//! Chapter 01, bind: ask the system for an address, say so, and take what comes.

#![allow(
    dead_code,
    unreachable_code,
    unused_imports,
    unused_mut,
    unused_variables,
    reason = "there are gaps; when all are filled, delete this attribute"
)]

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
        "bind a TcpListener to &addr; where that fails, say so on stderr and return exit code 1"
    );
    match serve(&listener) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says where the listener listens, then accepts connections for ever and closes
/// each.
fn serve(listener: &TcpListener) -> io::Result<()> {
    todo!(
        "print `listening on http://` and the listener's address, then accept connections for ever"
    )
}

/// Says why an address cannot be had, in words that a person can act on.
fn explain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => {
            "the address is in use: stop the program that has it, or choose another port".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "permission denied: ports below 1024 are usually reserved for the administrator; \
             choose a higher one"
                .to_owned()
        }
        ErrorKind::AddrNotAvailable => "no network interface here has this address".to_owned(),
        ErrorKind::InvalidInput => {
            "this is not an address: write HOST:PORT, as in 127.0.0.1:7878".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Writes a line to stderr. Where stderr itself is gone, there is nobody left to
/// tell.
fn log(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
