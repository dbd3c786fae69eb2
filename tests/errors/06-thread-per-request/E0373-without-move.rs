use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

// ANCHOR: wrong
fn serve(listener: &TcpListener, app: &Arc<App>) {
    for stream in listener.incoming().flatten() {
        let app = Arc::clone(app);
        thread::spawn(|| converse(Connection::new(stream), &app));
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
