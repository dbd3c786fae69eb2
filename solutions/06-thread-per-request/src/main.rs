//! Chapter 06, a thread for each request: no client waits for another.

mod app;
mod connection;
mod conversation;
mod files;
mod host;
mod log;
mod meeting;
mod options;
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
    // ANCHOR: app
    let files = Files::new(&options.root)
        .map_err(|error| options::cannot_serve(&options.root, &error))?;
    let app = Arc::new(App::new(files));
    // ANCHOR_END: app
    let addr = &options.addr;
    let listener = TcpListener::bind(addr)
        .map_err(|error| options::cannot_listen(addr, &error))?;
    server::serve(&listener, &app).map_err(|error| format!("cannot go on: {error}"))
}
