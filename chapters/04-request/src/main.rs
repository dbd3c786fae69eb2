//! Chapter 04, request: parse each request, and answer with what was understood.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

mod app;
mod connection;
mod conversation;
mod host;
mod log;
mod options;
mod refusal;
mod request;
mod response;
mod server;

use std::env;
use std::net::TcpListener;
use std::process::ExitCode;

use log::log;
use options::{Options, USAGE};

fn main() -> ExitCode {
    let Some(options) = Options::parse(env::args_os().skip(1)) else {
        log(USAGE);
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            log(&why);
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line asks for; an error is a sentence for the person who
/// started the program.
fn run(options: &Options) -> Result<(), String> {
    let addr = &options.addr;
    let listener = TcpListener::bind(addr)
        .map_err(|error| options::cannot_listen(addr, &error))?;
    server::serve(&listener).map_err(|error| format!("cannot go on: {error}"))
}
