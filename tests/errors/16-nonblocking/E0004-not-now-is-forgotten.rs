enum Io {
    Done(usize),
    NotNow,
}

// ANCHOR: wrong
fn has_come(outcome: Io) -> bool {
    match outcome {
        Io::Done(0) => false,
        Io::Done(1..) => true,
    }
}
// ANCHOR_END: wrong

fn main() {
    let _ = has_come(Io::NotNow);
}
