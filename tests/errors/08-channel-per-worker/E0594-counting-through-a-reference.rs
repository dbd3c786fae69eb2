// ANCHOR: wrong
struct ThreadPool {
    dealt: usize,
}

impl ThreadPool {
    fn next_turn(&self, workers: usize) -> usize {
        self.dealt += 1;
        self.dealt % workers
    }
}
// ANCHOR_END: wrong

fn main() {}
