use std::io;
use std::thread;

struct ThreadPool {
    free: usize,
}

impl ThreadPool {
    // ANCHOR: wrong
    pub fn execute<F>(&self, job: F) -> io::Result<()>
    where
        F: FnOnce() + Send + 'static,
    {
        self.free -= 1;
        thread::Builder::new().spawn(job)?;
        Ok(())
    }
    // ANCHOR_END: wrong
}

fn main() {}
