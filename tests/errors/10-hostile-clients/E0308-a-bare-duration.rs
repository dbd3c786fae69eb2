use std::io;
use std::net::TcpStream;
use std::time::Duration;

// ANCHOR: wrong
fn limit(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    stream.set_read_timeout(patience)
}
// ANCHOR_END: wrong

fn main() {
    if let Ok(stream) = TcpStream::connect("127.0.0.1:7878") {
        let _ = limit(&stream, Duration::from_secs(10));
    }
}
