use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};

// ANCHOR: wrong
fn serve(listener: &TcpListener) -> io::Result<()> {
    for connection in listener.incoming() {
        match connection {
            Ok(stream) => echo(stream),
            Err(error) => log(&format!("cannot accept a connection: {error}")),
        }
    }
    Ok(())
}
// ANCHOR_END: wrong

fn echo(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)
}

fn log(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

fn main() -> io::Result<()> {
    serve(&TcpListener::bind("127.0.0.1:7878")?)
}
