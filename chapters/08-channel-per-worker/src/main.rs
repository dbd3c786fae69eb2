//! Chapter 08, a channel for each worker: threads that are made once, and jobs dealt
//! out in turn.

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
mod files;
mod http;
mod meeting;
mod pool;

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use app::App;
use connection::{Connection, Head};
use files::Files;
use http::{Request, Response};
use pool::ThreadPool;

const DEFAULT_ADDR: &str = "127.0.0.1:7878";
const DEFAULT_THREADS: usize = 4;

/// What the command line asks for.
struct Options {
    addr: String,
    root: PathBuf,
    threads: usize,
}

impl Options {
    /// Reads the arguments behind the program's name; `None` where they make no
    /// sense.
    fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Options> {
        let mut addr = None;
        let mut root = None;
        let mut threads = None;
        while let Some(arg) = args.next() {
            match arg.to_string_lossy() {
                option if option == "--root" => {
                    root = Some(PathBuf::from(args.next()?))
                }
                option if option == "--threads" => {
                    threads = Some(args.next()?.to_str()?.parse().ok()?);
                }
                option if option.starts_with('-') || addr.is_some() => return None,
                other => addr = Some(other.into_owned()),
            }
        }
        Some(Options {
            addr: addr.unwrap_or_else(|| DEFAULT_ADDR.to_owned()),
            root: root.unwrap_or_else(|| PathBuf::from(".")),
            threads: threads.unwrap_or(DEFAULT_THREADS),
        })
    }
}

fn main() -> ExitCode {
    let Some(Options {
        addr,
        root,
        threads,
    }) = Options::parse(env::args_os().skip(1))
    else {
        eprintln!(
            "usage: {} [ADDR] [--root DIR] [--threads N]",
            env!("CARGO_PKG_NAME")
        );
        return ExitCode::from(2);
    };

    let app = match Files::new(&root) {
        Ok(files) => Arc::new(App::new(files)),
        Err(error) => {
            eprintln!("cannot serve the folder {}: {error}", root.display());
            return ExitCode::FAILURE;
        }
    };
    let pool = match ThreadPool::new(threads) {
        Ok(pool) => pool,
        Err(error) => {
            eprintln!("cannot make a pool of {threads} threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let listener = match TcpListener::bind(&addr) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {addr}: {}", explain(&error));
            return ExitCode::FAILURE;
        }
    };
    match serve(&listener, &app, &pool) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says where the listener listens, then has the pool serve its clients for ever.
fn serve(
    listener: &TcpListener,
    app: &Arc<App>,
    pool: &ThreadPool,
) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    for connection in listener.incoming() {
        match connection {
            Ok(stream) => {
                let app = Arc::clone(app);
                let job = move || {
                    // One client's failure is no reason to leave the others.
                    if let Err(error) = converse(stream, &app) {
                        log(&format!("a connection failed: {error}"));
                    }
                };
                pool.execute(job);
            }
            Err(error) => {
                log(&format!("a connection could not be accepted: {error}"))
            }
        }
    }
    Ok(())
}

/// Answers the requests that a client sends, until none is left over.
fn converse(stream: TcpStream, app: &App) -> io::Result<()> {
    let mut connection = Connection::new(stream);
    loop {
        let (response, may_go_on) = match connection.read_head()? {
            Head::End => return Ok(()),
            Head::Refused(refusal) => (refusal.into(), false),
            Head::Complete(len) => {
                let answer = match Request::parse(connection.head(len)) {
                    Ok(request) => (app.respond(&request), !request.is_last()),
                    Err(refusal) => (Response::from(refusal), false),
                };
                connection.consume(len);
                answer
            }
        };
        if may_go_on && connection.has_more() {
            connection.send(response)?;
        } else {
            connection.send(response.with_field("Connection", "close"))?;
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
