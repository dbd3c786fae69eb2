mod pool {
    struct ThreadPool;
}

use pool::ThreadPool;

fn main() {
    let pool = ThreadPool::new(4);
}
