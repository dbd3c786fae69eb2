//! Chapter 18, futures: a handler that waits says when to ask it again.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

mod app;
mod buffers;
mod connection;
mod content;
mod conversation;
#[cfg(test)]
mod counting;
mod date;
mod door;
mod event_loop;
mod files;
mod fork_join;
mod guest;
mod handler;
mod host;
mod log;
mod meeting;
mod options;
mod picture;
mod pool;
mod refusal;
mod request;
mod response;
mod server;
mod sleep;
mod slots;
mod state;
mod stop;
mod subtasks;
mod sys;
mod target_path;
mod timers;
mod transport;
mod turn;
mod woken;

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
    // One job at a time comes from the thread that serves the clients.
    let pool = ThreadPool::new(options.threads, 1)
        .map_err(|error| options::cannot_make_pool(options.threads, &error))?;
    let app = Arc::new(App::new(files, pool));
    let addr = &options.addr;
    let listener = TcpListener::bind(addr)
        .map_err(|error| options::cannot_listen(addr, &error))?;
    server::serve(listener, &app, options)
        .map_err(|error| format!("cannot go on: {error}"))
}
