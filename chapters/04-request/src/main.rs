//! Chapter 04, request: parse each request, and answer with what was understood.

#![allow(
    dead_code,
    unreachable_code,
    unused_imports,
    unused_mut,
    unused_variables,
    reason = "there are gaps; when all are filled, delete this attribute"
)]

mod app;
mod connection;
mod http;

use std::env;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use connection::{Connection, Head};
use http::{Request, Response};

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

/// Says where the listener listens, then serves one client after the other for ever.
fn serve(listener: &TcpListener) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    for connection in listener.incoming() {
        match connection {
            Ok(stream) => {
                // One client's failure is no reason to leave the others.
                if let Err(error) = converse(stream) {
                    log(&format!("a connection failed: {error}"));
                }
            }
            Err(error) => {
                log(&format!("a connection could not be accepted: {error}"))
            }
        }
    }
    Ok(())
}

/// Answers the requests that a client sends, until none is left over.
fn converse(stream: TcpStream) -> io::Result<()> {
    let mut connection = Connection::new(stream);
    loop {
        let (response, may_go_on) = match connection.read_head()? {
            Head::End => return Ok(()),
            Head::Refused(refusal) => (refusal.into(), false),
            Head::Complete(len) => {
                let answer = match Request::parse(connection.head(len)) {
                    Ok(request) => (app::respond(&request), !request.is_last()),
                    Err(refusal) => (Response::from(refusal), false),
                };
                connection.consume(len);
                answer
            }
        };
        if may_go_on && connection.has_more() {
            connection.send(&response)?;
        } else {
            connection.send(&response.with_field("Connection", "close"))?;
            connection.finish();
            return Ok(());
        }
    }
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
