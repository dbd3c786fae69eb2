use std::io;
use std::net::TcpStream;
use std::thread;

struct ThreadPool;

impl ThreadPool {
    pub fn execute<F: Fn() + Send + 'static>(&self, job: F) -> io::Result<()> {
        thread::Builder::new().spawn(job)?;
        Ok(())
    }
}

struct Connection;

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        Connection
    }
}

fn converse(connection: Connection) {}

// ANCHOR: wrong
fn serve(pool: &ThreadPool, stream: TcpStream) -> io::Result<()> {
    pool.execute(move || converse(Connection::new(stream)))
}
// ANCHOR_END: wrong

fn main() {}
