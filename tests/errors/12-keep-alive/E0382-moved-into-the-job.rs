use std::net::TcpStream;

struct Full;

fn execute(job: impl FnOnce() + Send + 'static) -> Result<(), Full> {
    job();
    Ok(())
}

fn converse(_stream: &TcpStream) {}

fn turn_away(_stream: &TcpStream) {}

// ANCHOR: wrong
fn hand_over(stream: TcpStream) {
    let job = move || converse(&stream);
    if execute(job).is_err() {
        turn_away(&stream);
    }
}
// ANCHOR_END: wrong

fn main() {
    let _ = hand_over;
}
