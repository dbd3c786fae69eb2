//! Chapter 19, an executor and a reactor: tasks that await their clients.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

mod app;
mod buffers;
mod catch_unwind;
mod connection;
mod content;
mod conversation;
#[cfg(test)]
mod counting;
mod date;
mod deadline;
mod door;
mod executor;
mod files;
mod fork_join;
mod host;
mod lent;
mod log;
mod meeting;
mod net;
mod options;
mod picture;
mod places;
mod pool;
mod reactor;
mod refusal;
mod registered;
mod request;
mod response;
mod select;
mod server;
mod sleep;
mod slots;
mod stop;
mod subtasks;
mod sys;
mod target_path;
mod timers;
mod watched;
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
