use std::io::{self, Read};
use std::net::TcpStream;

fn execute(job: impl FnOnce() + Send + 'static) {
    job();
}

fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.read(&mut [0; 4096]).map(|_| ())
}

// ANCHOR: wrong
fn serve(stream: TcpStream) {
    execute(move || {
        converse(stream)?;
    });
}
// ANCHOR_END: wrong

fn main() {
    if let Ok(stream) = TcpStream::connect("127.0.0.1:7878") {
        serve(stream);
    }
}
