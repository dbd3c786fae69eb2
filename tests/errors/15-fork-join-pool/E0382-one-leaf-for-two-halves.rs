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

fn fork_join<T, F>(items: Range<usize>, most: usize, leaf: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Range<usize>) -> Vec<T> + Clone + Send + 'static,
{
    if items.len() <= most {
        return leaf(items);
    }
    let middle = items.start + items.len() / 2;
    // ANCHOR: wrong
    let (mut results, more) = join(
        move || fork_join(items.start..middle, most, leaf),
        move || fork_join(middle..items.end, most, leaf),
    );
    // ANCHOR_END: wrong
    results.extend(more);
    results
}

fn main() {
    fork_join(0..9, 1, |items| vec![items.len()]);
}
