use std::thread;

// ANCHOR: wrong
fn fork_join(items: &mut [u8], most: usize, leaf: fn(&mut [u8])) {
    if items.len() <= most {
        return leaf(items);
    }
    let (left, right) = items.split_at_mut(items.len() / 2);
    fork(
        || fork_join(left, most, leaf),
        move || fork_join(right, most, leaf),
    );
}

fn fork(mut a: impl FnMut(), mut b: impl FnMut() + Send + 'static) {
    let helper = thread::spawn(move || b());
    a();
    helper.join().expect("a helper that does its half");
}
// ANCHOR_END: wrong

fn main() {
    fork_join(&mut [1, 2, 3], 1, |_| {});
}
