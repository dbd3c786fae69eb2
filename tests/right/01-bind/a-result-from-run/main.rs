//! Another shape: `?` all the way up to `run`, with an error type of its own, and a
//! thread for each connection that closes it.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::ErrorKind::{AddrInUse, InvalidInput, PermissionDenied};
use std::net::TcpListener;
use std::process::ExitCode;
use std::{env, io, thread};

enum Failure {
    Usage,
    Bind(String, io::Error),
    Other(Box<dyn Error>),
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage => write!(f, "usage: PROGRAM [HOST:PORT]"),
            Failure::Bind(addr, error) => {
                let hint = match error.kind() {
                    AddrInUse => "somebody else has it already",
                    PermissionDenied => "you are not allowed; take a port above 1023",
                    InvalidInput => "not a socket address",
                    _ => return write!(f, "No luck with {addr}, {error}."),
                };
                write!(f, "No luck with {addr}, {hint}.")
            }
            Failure::Other(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Other(error.into())
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            match failure {
                Failure::Usage => ExitCode::from(2),
                _ => ExitCode::from(1),
            }
        }
    }
}

fn run() -> Result<(), Failure> {
    let args: Vec<String> = env::args().skip(1).collect();
    let addr = match args.as_slice() {
        [] => "127.0.0.1:7878",
        [addr] if !addr.starts_with('-') => addr,
        _ => return Err(Failure::Usage),
    };
    let listener = TcpListener::bind(addr)
        .map_err(|error| Failure::Bind(addr.to_owned(), error))?;
    println!("listening on http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => drop(thread::spawn(move || drop(stream))),
            Err(error) => eprintln!("{}", Failure::from(error)),
        }
    }
    Ok(())
}
