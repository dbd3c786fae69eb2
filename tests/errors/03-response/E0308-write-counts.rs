use std::io::{self, Write};
use std::net::TcpStream;

fn answer(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write(bytes)
}

fn main() -> io::Result<()> {
    let stream = TcpStream::connect("127.0.0.1:7878")?;
    answer(stream, b"HTTP/1.1 200 OK\r\n\r\n")
}
