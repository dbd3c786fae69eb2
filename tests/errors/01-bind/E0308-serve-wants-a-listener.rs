use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

fn main() -> ExitCode {
    let addr = "127.0.0.1:7878".to_owned();
    // ANCHOR: wrong
    let listener = TcpListener::bind(&addr);
    match serve(&listener) {
        // ANCHOR_END: wrong
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(listener: &TcpListener) -> io::Result<()> {
    listener.set_nonblocking(false)
}
