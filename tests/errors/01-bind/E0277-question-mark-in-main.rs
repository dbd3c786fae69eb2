use std::net::TcpListener;
use std::process::ExitCode;

fn main() -> ExitCode {
    let addr = "127.0.0.1:7878";
    let listener = TcpListener::bind(&addr)?;
    drop(listener);
    ExitCode::SUCCESS
}
