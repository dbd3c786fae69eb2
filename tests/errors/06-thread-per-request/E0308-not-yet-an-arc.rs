use std::net::TcpListener;
use std::sync::Arc;

struct App;

fn serve(_: &TcpListener, _: &Arc<App>) {}

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // ANCHOR: wrong
    let app = App;
    serve(&listener, &app);
    // ANCHOR_END: wrong
}
