use std::ops::Range;

fn fork_join<F>(items: Range<usize>, leaf: F) -> Vec<u8>
where
    F: Fn(Range<usize>) -> Vec<u8> + Clone + Send + 'static,
{
    leaf(items)
}

struct View {
    size: usize,
}

impl View {
    // ANCHOR: wrong
    fn paint(&self) -> Vec<u8> {
        fork_join(0..self.size, |rows| self.paint_rows(rows))
    }
    // ANCHOR_END: wrong

    fn paint_rows(&self, rows: Range<usize>) -> Vec<u8> {
        vec![0; self.size * rows.len()]
    }
}

fn main() {
    View { size: 1 }.paint();
}
