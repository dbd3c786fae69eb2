mod pool {
    pub struct ThreadPool;
}

use pool::ThreadPool;

fn main() {
    let pool = ThreadPool::new(4);
}
