use std::net::TcpListener;
use std::process::ExitCode;

fn main() -> ExitCode {
    // ANCHOR: wrong
    let addr = "127.0.0.1:7878".to_owned();
    let listener = match TcpListener::bind(addr) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {addr}: {error}");
            return ExitCode::FAILURE;
        }
    };
    // ANCHOR_END: wrong
    drop(listener);
    ExitCode::SUCCESS
}
