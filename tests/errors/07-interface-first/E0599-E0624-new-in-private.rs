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

fn run(threads: usize) -> Result<(), String> {
    let pool = ThreadPool::new(threads)
        .map_err(|error| format!("no pool of {threads} threads: {error}"))?;
    Ok(())
}

fn main() {}
