use std::io;
use std::thread;

// ANCHOR: wrong
struct ThreadPool {
    free: usize,
}

impl ThreadPool {
    pub fn execute<F>(&self, job: F) -> io::Result<()>
    where
        F: FnOnce() + Send + 'static,
    {
        self.free -= 1;
        thread::Builder::new().spawn(job)?;
        Ok(())
    }
}
// ANCHOR_END: wrong

fn main() {}
