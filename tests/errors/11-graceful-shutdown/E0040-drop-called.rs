pub struct ThreadPool;

impl Drop for ThreadPool {
    fn drop(&mut self) {}
}

// ANCHOR: wrong
fn main() {
    let mut pool = ThreadPool;
    pool.drop();
}
// ANCHOR_END: wrong
