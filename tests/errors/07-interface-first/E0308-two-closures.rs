struct ThreadPool<F> {
    jobs: Vec<F>,
}

impl<F: FnOnce() + Send + 'static> ThreadPool<F> {
    fn execute(&mut self, job: F) {
        self.jobs.push(job);
    }
}

fn main() {
    let mut pool = ThreadPool { jobs: Vec::new() };
    pool.execute(|| println!("one"));
    pool.execute(|| println!("two"));
}
