// ANCHOR: wrong
fn names(path: &str) -> Vec<String> {
    let mut names = Vec::new();
    for segment in path.split('/') {
        names.push(segment);
    }
    names
}
// ANCHOR_END: wrong

fn main() {
    println!("{:?}", names("/a/b"));
}
