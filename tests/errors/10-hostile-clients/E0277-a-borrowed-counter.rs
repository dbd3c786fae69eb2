use std::panic::catch_unwind;

// ANCHOR: wrong
fn main() {
    let mut panics = 0;
    let _ = catch_unwind(|| {
        panics += 1;
        panic!("a handler panics");
    });
    println!("{panics}");
}
// ANCHOR_END: wrong
