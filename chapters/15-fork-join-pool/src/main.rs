//! Chapter 15, fork/join on the pool: heavy requests share its threads.

#![allow(unused, reason = "there are gaps; delete once none is left")]
#![warn(unused_must_use)]

mod app;
mod connection;
mod content;
mod conversation;
mod date;
mod deadline;
mod files;
mod fork_join;
mod host;
mod leaves;
mod log;
mod meeting;
mod options;
mod picture;
mod pool;
mod refusal;
mod request;
mod response;
mod server;
mod stop;
mod subtasks;
mod sys;
mod target_path;
mod usher;

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
    let pool = ThreadPool::new(options.threads, options.queue)
        .map_err(|error| options::cannot_make_pool(options.threads, &error))?;
    let addr = &options.addr;
    let listener = TcpListener::bind(addr)
        .map_err(|error| options::cannot_listen(addr, &error))?;
    server::serve(listener, &app, &pool, options)
        .map_err(|error| format!("cannot go on: {error}"))?;
    // Wait until each request that was received is answered.
    drop(pool);
    Ok(())
}
