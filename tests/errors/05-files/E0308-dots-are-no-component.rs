use std::path::Path;

// ANCHOR: wrong
fn is_ordinary(name: &str) -> bool {
    Path::new(name).components().next() != Some("..")
}
// ANCHOR_END: wrong

fn main() {
    println!("{}", is_ordinary(".."));
}
