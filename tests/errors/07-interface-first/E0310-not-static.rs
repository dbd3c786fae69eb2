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
    let job = move || converse(stream);
    pool.execute(job)
}

fn converse(stream: TcpStream) {}

fn main() {}
