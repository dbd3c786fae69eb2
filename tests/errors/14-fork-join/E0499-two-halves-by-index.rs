struct Helpers;

impl Helpers {
    // ANCHOR: wrong
    fn fork_join<T, F>(&self, items: &mut [T], most: usize, leaf: &F)
    where
        T: Send,
        F: Fn(&mut [T]) + Sync,
    {
        if items.len() <= most {
            return leaf(items);
        }
        let half = items.len() / 2;
        let left = &mut items[..half];
        let right = &mut items[half..];
        self.join(
            || self.fork_join(left, most, leaf),
            || self.fork_join(right, most, leaf),
        );
    }
    // ANCHOR_END: wrong

    fn join(&self, mut a: impl FnMut(), mut b: impl FnMut() + Send) {
        a();
        b();
    }
}

fn main() {
    Helpers.fork_join(&mut [1, 2, 3], 1, &|_: &mut [i32]| {});
}
