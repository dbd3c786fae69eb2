use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

// ANCHOR: wrong
fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer);
    stream.write_all(&buffer[..read])
}
// ANCHOR_END: wrong

fn main() -> io::Result<()> {
    echo(TcpListener::bind("127.0.0.1:7878")?.accept()?.0)
}
