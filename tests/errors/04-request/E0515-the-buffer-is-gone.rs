use std::io::{self, Read};
use std::net::TcpStream;

struct Request<'a> {
    head: &'a [u8],
}

// ANCHOR: wrong
fn read_request(stream: &mut TcpStream) -> io::Result<Request<'_>> {
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer)?;
    Ok(Request {
        head: &buffer[..read],
    })
}
// ANCHOR_END: wrong

fn main() -> io::Result<()> {
    let mut stream = TcpStream::connect("127.0.0.1:7878")?;
    println!("{}", read_request(&mut stream)?.head.len());
    Ok(())
}
