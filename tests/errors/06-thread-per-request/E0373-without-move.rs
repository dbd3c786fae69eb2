use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

// ANCHOR: wrong
fn serve(listener: &TcpListener, app: &Arc<App>) {
    for stream in listener.incoming().flatten() {
        let app = Arc::clone(app);
        thread::spawn(|| converse(stream, &app));
    }
}
// ANCHOR_END: wrong

struct App;

fn converse(_: TcpStream, _: &App) -> io::Result<()> {
    Ok(())
}

fn main() {}
