use std::net::TcpListener;

fn main() {
    let listener: TcpListener = TcpListener::bind("127.0.0.1:7878");
    println!("listening on {:?}", listener.local_addr());
}
