//! The command line, and the sentences for what stops a start.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What a wrong command line is answered with.
pub const USAGE: &str = concat!(
    "usage: ",
    env!("CARGO_PKG_NAME"),
    " [ADDR] [--root DIR] [--threads N]"
);

const DEFAULT_ADDR: &str = "127.0.0.1:7878";
const DEFAULT_THREADS: usize = 4;

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// The address to listen on.
    pub addr: String,
    /// The folder whose files are served.
    pub root: PathBuf,
    /// How many threads the pool has.
    pub threads: usize,
}

impl Options {
    /// Reads the arguments after the program's name; `None` if they make no sense.
    pub fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Options> {
        let mut addr = None;
        let mut root = None;
        let mut threads = None;
        while let Some(arg) = args.next() {
            match arg.to_string_lossy() {
                option if option == "--root" => {
                    root = Some(PathBuf::from(args.next()?));
                }
                option if option == "--threads" => {
                    threads = Some(number(args.next()?)?);
                }
                option if option.starts_with('-') || addr.is_some() => return None,
                other => addr = Some(other.into_owned()),
            }
        }
        Some(Options {
            addr: addr.unwrap_or_else(|| DEFAULT_ADDR.to_owned()),
            root: root.unwrap_or_else(|| PathBuf::from(".")),
            threads: threads.map_or(DEFAULT_THREADS, |threads| threads as usize),
        })
    }
}

fn number(arg: OsString) -> Option<u32> {
    arg.to_str()?.parse().ok()
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
