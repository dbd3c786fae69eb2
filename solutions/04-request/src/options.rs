//! The command line, and the sentences for what stops a start.

use std::ffi::OsString;
use std::io::{self, ErrorKind};

/// What a wrong command line is answered with.
pub const USAGE: &str = concat!("usage: ", env!("CARGO_PKG_NAME"), " [ADDR]");

const DEFAULT_ADDR: &str = "127.0.0.1:7878";

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// The address to listen on.
    pub addr: String,
}

impl Options {
    /// Reads the arguments after the program's name; `None` if they make no sense.
    pub fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Options> {
        let addr = match args.next() {
            Some(addr) => addr.to_string_lossy().into_owned(),
            None => DEFAULT_ADDR.to_owned(),
        };
        if addr.starts_with('-') || args.next().is_some() {
            return None;
        }
        Some(Options { addr })
    }
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
