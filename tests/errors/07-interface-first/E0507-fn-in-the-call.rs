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

fn converse(stream: TcpStream) {}

// ANCHOR: wrong
fn serve(pool: &ThreadPool, stream: TcpStream) -> io::Result<()> {
    pool.execute(move || converse(stream))
}
// ANCHOR_END: wrong

fn main() {}
