use std::net::TcpListener;

fn main() {
    // ANCHOR: wrong
    let listener = TcpListener::bind("127.0.0.1:7878");
    for connection in listener.incoming() {
        drop(connection);
    }
    // ANCHOR_END: wrong
}
