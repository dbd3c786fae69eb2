use std::io;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::thread;

// ANCHOR: wrong
fn serve(listener: &TcpListener, app: &Rc<App>) {
    for stream in listener.incoming().flatten() {
        let app = Rc::clone(app);
        thread::spawn(move || converse(stream, &app));
    }
}
// ANCHOR_END: wrong

struct App;

fn converse(_: TcpStream, _: &App) -> io::Result<()> {
    Ok(())
}

fn main() {}
