mod pool {}

fn main() {
    let threads = 4;
    // ANCHOR: wrong
    let pool = match ThreadPool::new(threads) {
        Ok(pool) => pool,
        Err(error) => return eprintln!("cannot make a pool of {threads} threads: {error}"),
    };
    // ANCHOR_END: wrong
}
