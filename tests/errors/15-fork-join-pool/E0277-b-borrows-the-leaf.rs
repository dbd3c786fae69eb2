use std::ops::Range;

fn join<RA, RB>(
    a: impl FnOnce() -> RA,
    b: impl FnOnce() -> RB + Send + 'static,
) -> (RA, RB)
where
    RB: Send + 'static,
{
    (a(), b())
}

// ANCHOR: wrong
fn fork_join<T, F>(items: Range<usize>, most: usize, leaf: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Range<usize>) -> Vec<T> + Clone + Send + 'static,
{
    if items.len() <= most {
        return leaf(items);
    }
    let middle = items.start + items.len() / 2;
    let (mut results, more) = join(
        || fork_join(items.start..middle, most, leaf.clone()),
        || fork_join(middle..items.end, most, leaf.clone()),
    );
    results.extend(more);
    results
}
// ANCHOR_END: wrong

fn main() {
    fork_join(0..9, 1, |items| vec![items.len()]);
}
