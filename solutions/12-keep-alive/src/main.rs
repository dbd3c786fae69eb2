//! Chapter 12, keep-alive and backpressure: a client may ask again, and a full server
//! says so.

mod app;
mod connection;
mod content;
mod date;
mod files;
mod http;
mod meeting;
mod pool;
mod stop;
mod sys;

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use app::App;
use connection::{Connection, Head};
use date::Clock;
use files::Files;
use http::{Method, Refusal, Request, Response, Version};
use pool::{Full, ThreadPool};
use stop::Stop;

const DEFAULT_ADDR: &str = "127.0.0.1:7878";
const DEFAULT_THREADS: usize = 4;
const DEFAULT_QUEUE: u32 = 128;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);
const DEFAULT_GRACE: Duration = Duration::from_secs(5);
/// How many connections that were turned away are kept open until their clients have
/// read why.
const MAX_TURNED_AWAY: usize = 64;
/// How long to wait after a failed accept, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// What the command line asks for.
struct Options {
    addr: String,
    root: PathBuf,
    threads: usize,
    queue: usize,
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
        let mut queue = None;
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
                option if option == "--queue" => queue = Some(number(args.next()?)?),
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
            queue: queue.unwrap_or(DEFAULT_QUEUE) as usize,
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
            "usage: {} [ADDR] [--root DIR] [--threads N] [--queue N] [--patience MS] [--grace MS] [--until-eof]",
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
    let pool = match ThreadPool::new(options.threads, options.queue) {
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

    // ANCHOR: hand_over
    let mut turned_away = VecDeque::new();
    let mut hand_over = |stream| {
        let stream = Arc::new(stream);
        let job = {
            let (stream, app, stop) =
                (Arc::clone(&stream), Arc::clone(app), Arc::clone(&stop));
            let patience = options.patience;
            move || {
                // One client's failure is no reason to leave the others.
                if let Err(error) = converse(&stream, &app, patience, &stop) {
                    log(&format!("a connection failed: {error}"));
                }
            }
        };
        if pool.execute(job) == Err(Full) {
            turn_away(&stream);
            turned_away.push_back(stream);
            if turned_away.len() > MAX_TURNED_AWAY {
                turned_away.pop_front();
            }
        }
    };
    // ANCHOR_END: hand_over
    let [first_pause, longest_pause] = PAUSES;
    let mut pause = first_pause;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                pause = first_pause;
                hand_over(stream);
            }
            // Stopping has begun, and nobody is left whom the kernel has connected.
            // The listener is dropped here, and the kernel refuses whoever comes now.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
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
            // Clients that the kernel has connected have perhaps sent their requests:
            // they are taken, and no others are awaited.
            listener.set_nonblocking(true)?;
        }
    }
}

// ANCHOR: turn_away
/// Tells a client that the server is busy. The thread that accepts must not wait for
/// it: what the socket does not take at once is not sent.
///
/// Whoever closes the stream at once could destroy the answer, because the request is
/// still unread.
fn turn_away(mut stream: &TcpStream) {
    let refusal = Refusal::new(503, "the server is busy");
    let response = Response::from(refusal)
        .with_field("Date", Clock::default().date())
        .with_field("Retry-After", "1")
        .with_field("Connection", "close");
    let mut bytes = Vec::new();
    response.append_to(&mut bytes);
    // An error means that the client has left, which is all the same here.
    let _ = stream
        .set_nonblocking(true)
        .and_then(|()| stream.write(&bytes))
        .and_then(|_| stream.shutdown(Shutdown::Write));
}
// ANCHOR_END: turn_away

// ANCHOR: converse
/// Answers one request after the other, until the client or the server wants no more.
fn converse(
    stream: &TcpStream,
    app: &App,
    patience: Duration,
    stop: &Stop,
) -> io::Result<()> {
    // Elsewhere than on Linux, a stream is born as nonblocking as its listener.
    stream.set_nonblocking(false)?;
    // Answers are written whole: there is nothing that their last bytes should wait
    // for.
    stream.set_nodelay(true)?;
    let mut connection = Connection::new(stream, patience, stop);
    let mut clock = Clock::default();
    loop {
        let (response, next) = match connection.read_head()? {
            Head::End => return Ok(()),
            Head::Refused(refusal) => (refusal.into(), None),
            Head::Complete(len) => answer(&mut connection, len, app)?,
        };
        let response = response.with_field("Date", clock.date());
        // Requests that have been read already are answered, also when stopping has
        // begun.
        let goes_on = connection.has_more() || !stop.has_begun();
        match next.filter(|_| goes_on) {
            Some(Version::Http11) => connection.send(response)?,
            // A client that speaks 1.0 goes on only if it is told that it may.
            Some(Version::Http10) => {
                connection.send(response.with_field("Connection", "keep-alive"))?;
            }
            None => {
                connection.send(response.with_field("Connection", "close"))?;
                connection.flush()?;
                connection.finish();
                return Ok(());
            }
        }
    }
}
// ANCHOR_END: converse

// ANCHOR: answer
/// Answers the request whose head has come. Also tells in which version the client
/// may ask again: in none where it does not want to, or where nobody knows where its
/// next request begins.
fn answer(
    connection: &mut Connection,
    len: usize,
    app: &App,
) -> io::Result<(Response, Option<Version>)> {
    let parsed = Request::parse(connection.head(len))
        .and_then(|request| Ok((request.content()?, request)));
    let (content, response, next) = match parsed {
        // The client would send the content when told to; nothing here wants it.
        Ok((content, request))
            if request.expects_continue() && !content.is_complete() =>
        {
            return Ok((respond(app, &request), None));
        }
        Ok((content, request)) => {
            let next = request.persists().then_some(request.version);
            (content, respond(app, &request), next)
        }
        Err(refusal) => return Ok((refusal.into(), None)),
    };
    connection.consume(len);
    Ok(match connection.skip(content)? {
        Ok(()) => (response, next),
        Err(refusal) => (refusal.into(), None),
    })
}
// ANCHOR_END: answer

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
