use std::io;
use std::thread;

struct ThreadPool;

impl ThreadPool {
    // ANCHOR: wrong
    pub fn execute<F: FnOnce()>(&self, job: F) -> io::Result<()> {
        thread::Builder::new().spawn(job())?;
        Ok(())
    }
    // ANCHOR_END: wrong
}

fn main() {}
