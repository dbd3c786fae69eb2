use std::cell::Cell;

fn fork_join<T, F>(items: &mut [T], most: usize, leaf: &F)
where
    T: Send,
    F: Fn(&mut [T]) + Sync,
{
    items.chunks_mut(most).for_each(leaf);
}

fn main() {
    let mut rows = [0; 100];
    // ANCHOR: wrong
    let painted = Cell::new(0);
    let leaf = |rows: &mut [u32]| {
        painted.set(painted.get() + rows.len());
    };
    fork_join(&mut rows, 16, &leaf);
    // ANCHOR_END: wrong
}
