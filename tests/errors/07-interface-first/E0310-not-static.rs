use std::io;
use std::net::TcpStream;
use std::thread;

struct ThreadPool;

impl ThreadPool {
    // ANCHOR: wrong
    pub fn execute<F: FnOnce() + Send>(&self, job: F) -> io::Result<()> {
        thread::Builder::new().spawn(job)?;
        Ok(())
    }
    // ANCHOR_END: wrong
}

fn serve(pool: &ThreadPool, stream: TcpStream) -> io::Result<()> {
    let job = move || converse(Connection::new(stream));
    pool.execute(job)
}

struct Connection;

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        Connection
    }
}

fn converse(connection: Connection) {}

fn main() {}
