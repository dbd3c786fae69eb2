use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

fn echo(mut stream: TcpStream) -> io::Result<()> {
    // ANCHOR: wrong
    let mut buffer = [0; 4096];
    let read = stream.read(&buffer)?;
    // ANCHOR_END: wrong
    stream.write_all(&buffer[..read])
}

fn main() -> io::Result<()> {
    echo(TcpListener::bind("127.0.0.1:7878")?.accept()?.0)
}
