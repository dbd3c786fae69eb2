use std::net::TcpListener;
use std::process::ExitCode;

fn main() -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:7878")?;
    println!("listening on http://{:?}", listener.local_addr());
    ExitCode::SUCCESS
}
