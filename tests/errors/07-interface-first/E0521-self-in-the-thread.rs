use std::io;
use std::sync::Mutex;
use std::thread;

// ANCHOR: wrong
struct ThreadPool {
    free: Mutex<usize>,
}

impl ThreadPool {
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
}
// ANCHOR_END: wrong

fn main() {}
