mod pool {
    pub struct ThreadPool;
}

use pool::ThreadPool;

fn serve(pool: &ThreadPool) {
    let job = || println!("served");
    if let Err(error) = pool.execute(job) {
        eprintln!("no thread for a connection: {error}");
    }
}

fn main() {
    serve(&ThreadPool);
}
