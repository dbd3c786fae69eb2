mod pool {
    // ANCHOR: wrong
    pub struct ThreadPool;

    impl ThreadPool {
        fn new(size: usize) -> ThreadPool {
            ThreadPool
        }
    }
    // ANCHOR_END: wrong
}

use pool::ThreadPool;

fn main() {
    let pool = match ThreadPool::new(4) {
        Ok(pool) => pool,
        Err(error) => return eprintln!("{error}"),
    };
}
