use std::net::TcpListener;

fn main() {
    let addr = "127.0.0.1:7878";
    // ANCHOR: wrong
    let listener: TcpListener = TcpListener::bind(&addr);
    // ANCHOR_END: wrong
    drop(listener);
}
