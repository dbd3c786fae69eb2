//! The command line, and the sentences for what stops a start.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a wrong command line is answered with.
pub const USAGE: &str = concat!(
    "usage: ",
    env!("CARGO_PKG_NAME"),
    " [ADDR] [--root DIR] [--threads N] [--connections N] [--patience MS] \
     [--grace MS] [--until-eof]"
);

const DEFAULT_ADDR: &str = "127.0.0.1:7878";
const DEFAULT_THREADS: usize = 4;
/// Most systems let a program open 1,024 files and sockets, or 256 as macOS does.
const DEFAULT_CONNECTIONS: u32 = 1000;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);
const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// The address to listen on.
    pub addr: String,
    /// The folder whose files are served.
    pub root: PathBuf,
    /// How many threads share heavy work.
    pub threads: usize,
    /// How many clients are served at the same time.
    pub connections: usize,
    /// How long a client may take for a head, and for each piece of an answer.
    pub patience: Duration,
    /// How long stopping may take.
    pub grace: Duration,
    /// Whether the end of stdin stops the server, too.
    pub until_eof: bool,
}

impl Options {
    /// Reads the arguments after the program's name; `None` if they make no sense.
    pub fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Options> {
        let mut addr = None;
        let mut root = None;
        let mut threads = None;
        let mut connections = None;
        let mut patience = None;
        let mut grace = None;
        let mut until_eof = false;
        while let Some(arg) = args.next() {
            match arg.to_string_lossy() {
                option if option == "--root" => {
                    root = Some(PathBuf::from(args.next()?));
                }
                option if option == "--threads" => {
                    threads = Some(number(args.next()?)?);
                }
                option if option == "--connections" => {
                    connections = Some(number(args.next()?)?);
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
            connections: connections.unwrap_or(DEFAULT_CONNECTIONS) as usize,
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

/// Says why the server can't listen, in words that tell a person what to do.
pub fn cannot_listen(addr: &str, error: &io::Error) -> String {
    let why = match error.kind() {
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
        _ => return format!("cannot listen on {addr}: {error}"),
    };
    format!("cannot listen on {addr}: {why}")
}

/// Says why a folder can't be served.
pub fn cannot_serve(root: &Path, error: &io::Error) -> String {
    format!("cannot serve the folder {}: {error}", root.display())
}

/// Says why a pool of threads can't be had.
pub fn cannot_make_pool(threads: usize, error: &io::Error) -> String {
    format!("cannot make a pool of {threads} threads: {error}")
}
