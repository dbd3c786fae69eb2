use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;

// ANCHOR: wrong
fn serve(listener: &TcpListener, app: &App) {
    for stream in listener.incoming().flatten() {
        thread::spawn(move || converse(Connection::new(stream), app));
    }
}
// ANCHOR_END: wrong

struct App;

struct Connection;

impl Connection {
    fn new(_: TcpStream) -> Connection {
        Connection
    }
}

fn converse(_: Connection, _: &App) -> io::Result<()> {
    Ok(())
}

fn main() {}
