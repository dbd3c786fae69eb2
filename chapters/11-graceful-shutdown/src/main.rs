//! Chapter 11, graceful shutdown: the server stops when it is asked to, and every
//! request that it has received is answered.

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
mod stop;
mod sys;

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use app::App;
use connection::{Connection, Head};
use files::Files;
use http::{Method, Refusal, Request, Response};
use pool::ThreadPool;
use stop::Stop;

const DEFAULT_ADDR: &str = "127.0.0.1:7878";
const DEFAULT_THREADS: usize = 4;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);
const DEFAULT_GRACE: Duration = Duration::from_secs(5);
/// How long to wait after a failed accept, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// What the command line asks for.
struct Options {
    addr: String,
    root: PathBuf,
    threads: usize,
    patience: Duration,
    grace: Duration,
    until_eof: bool,
}

impl Options {
    /// Reads the arguments behind the program's name; `None` where they make no
    /// sense.
    fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Options> {
        let mut addr = None;
        let mut root = None;
        let mut threads = None;
        let mut patience = None;
        let mut grace = None;
        let mut until_eof = false;
        while let Some(arg) = args.next() {
            match arg.to_string_lossy() {
                option if option == "--root" => {
                    root = Some(PathBuf::from(args.next()?))
                }
                option if option == "--threads" => {
                    threads = Some(number(args.next()?)?)
                }
                option if option == "--patience" => {
                    patience = Some(number(args.next()?).filter(|ms| *ms > 0)?);
                }
                option if option == "--grace" => grace = Some(number(args.next()?)?),
                option if option == "--until-eof" => until_eof = true,
                option if option.starts_with('-') || addr.is_some() => return None,
                other => addr = Some(other.into_owned()),
            }
        }
        Some(Options {
            addr: addr.unwrap_or_else(|| DEFAULT_ADDR.to_owned()),
            root: root.unwrap_or_else(|| PathBuf::from(".")),
            threads: threads.map_or(DEFAULT_THREADS, |threads| threads as usize),
            patience: patience.map_or(DEFAULT_PATIENCE, milliseconds),
            grace: grace.map_or(DEFAULT_GRACE, milliseconds),
            until_eof,
        })
    }
}

fn number(arg: OsString) -> Option<u32> {
    arg.to_str()?.parse().ok()
}

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(number.into())
}

fn main() -> ExitCode {
    let Some(options) = Options::parse(env::args_os().skip(1)) else {
        eprintln!(
            "usage: {} [ADDR] [--root DIR] [--threads N] [--patience MS] [--grace MS] [--until-eof]",
            env!("CARGO_PKG_NAME")
        );
        return ExitCode::from(2);
    };

    let app = match Files::new(&options.root) {
        Ok(files) => Arc::new(App::new(files)),
        Err(error) => {
            eprintln!(
                "cannot serve the folder {}: {error}",
                options.root.display()
            );
            return ExitCode::FAILURE;
        }
    };
    let pool = match ThreadPool::new(options.threads) {
        Ok(pool) => pool,
        Err(error) => {
            eprintln!("cannot make a pool of {} threads: {error}", options.threads);
            return ExitCode::FAILURE;
        }
    };
    let listener = match TcpListener::bind(&options.addr) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {}: {}", options.addr, explain(&error));
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = serve(listener, &app, &pool, &options) {
        log(&format!("cannot go on: {error}"));
        return ExitCode::FAILURE;
    }
    // Wait until each request that was received is answered.
    drop(pool);
    ExitCode::SUCCESS
}

/// Says where the listener listens, then has the pool serve its clients until it is
/// asked to stop.
fn serve(
    listener: TcpListener,
    app: &Arc<App>,
    pool: &ThreadPool,
    options: &Options,
) -> io::Result<()> {
    let addr = listener.local_addr()?;
    let stop = Arc::new(Stop::new(addr));
    stop::watch(&stop, options.until_eof, options.grace)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{addr}")?;
    stdout.flush()?;

    let [first_pause, longest_pause] = PAUSES;
    let mut pause = first_pause;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                pause = first_pause;
                let (app, stop) = (Arc::clone(app), Arc::clone(&stop));
                let patience = options.patience;
                let job = move || {
                    // One client's failure is no reason to leave the others.
                    if let Err(error) = converse(stream, &app, patience, stop) {
                        log(&format!("a connection failed: {error}"));
                    }
                };
                pool.execute(job);
            }
            // This client left while it was waiting: the next one is there.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            // Something is used up, file descriptors perhaps. Trying again at once
            // would burn a core until somebody gives something back.
            Err(error) => {
                log(&format!("no connection can be accepted: {error}"));
                thread::sleep(pause);
                pause = (pause * 2).min(longest_pause);
            }
        }
        if stop.has_begun() {
            todo!(
                "(3 of 6) whom the kernel has connected already goes to the pool too, and when nobody is \
                 left, return; the loop above can do it, with a listener that does not wait"
            )
        }
    }
}

/// Answers the requests that a client sends, until none is left over.
fn converse(
    stream: TcpStream,
    app: &App,
    patience: Duration,
    stop: Arc<Stop>,
) -> io::Result<()> {
    // Elsewhere than on Linux, a stream is born as nonblocking as its listener.
    stream.set_nonblocking(false)?;
    let mut connection = Connection::new(stream, patience, stop);
    loop {
        let (response, may_go_on) = match connection.read_head()? {
            Head::End => return Ok(()),
            Head::Refused(refusal) => (refusal.into(), false),
            Head::Complete(len) => {
                let answer = match Request::parse(connection.head(len)) {
                    Ok(request) => (respond(app, &request), !request.is_last()),
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

/// Has the app answer. A handler that panics is answered with 500.
fn respond(app: &App, request: &Request) -> Response {
    let response = catch_unwind(|| app.respond(request)).unwrap_or_else(|_| {
        Refusal::new(500, "the handler of this request has failed").into()
    });
    // The app leaves the content out where the method is HEAD, unless it panics
    // before that.
    match request.method {
        Method::Head => response.without_content(),
        _ => response,
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
