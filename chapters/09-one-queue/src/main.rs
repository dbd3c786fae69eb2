//! Chapter 09, one queue: whichever worker is free takes the next job.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

mod app;
mod connection;
mod conversation;
mod files;
mod host;
mod log;
mod meeting;
mod options;
mod pool;
mod refusal;
mod request;
mod response;
mod server;
mod target_path;

use std::env;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use app::App;
use files::Files;
use log::log;
use options::{Options, USAGE};
use pool::ThreadPool;

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
    let files = Files::new(&options.root)
        .map_err(|error| options::cannot_serve(&options.root, &error))?;
    let app = Arc::new(App::new(files));
    let pool = ThreadPool::new(options.threads)
        .map_err(|error| options::cannot_make_pool(options.threads, &error))?;
    let addr = &options.addr;
    let listener = TcpListener::bind(addr)
        .map_err(|error| options::cannot_listen(addr, &error))?;
    server::serve(&listener, &app, &pool)
        .map_err(|error| format!("cannot go on: {error}"))
}
