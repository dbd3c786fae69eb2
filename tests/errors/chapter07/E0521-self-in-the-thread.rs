use std::io;
use std::sync::Mutex;
use std::thread;

struct ThreadPool {
    free: Mutex<usize>,
}

impl ThreadPool {
    // ANCHOR: wrong
    pub fn execute<F>(&self, job: F) -> io::Result<()>
    where
        F: FnOnce() + Send + 'static,
    {
        *self.free.lock().unwrap() -= 1;
        thread::Builder::new().spawn(move || {
            job();
            *self.free.lock().unwrap() += 1;
        })?;
        Ok(())
    }
    // ANCHOR_END: wrong
}

fn main() {}
