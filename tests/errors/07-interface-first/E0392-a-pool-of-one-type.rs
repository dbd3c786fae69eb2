struct ThreadPool<F> {
    free: usize,
}

impl<F: FnOnce() + Send + 'static> ThreadPool<F> {
    fn execute(&self, job: F) {
        job();
    }
}

fn main() {}
