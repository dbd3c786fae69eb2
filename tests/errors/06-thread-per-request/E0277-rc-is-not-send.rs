use std::io;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::thread;

// ANCHOR: wrong
fn serve(listener: &TcpListener, app: &Rc<App>) {
    for stream in listener.incoming().flatten() {
        let app = Rc::clone(app);
        thread::spawn(move || converse(Connection::new(stream), &app));
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
