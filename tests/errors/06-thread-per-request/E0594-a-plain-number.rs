// ANCHOR: wrong
struct Visits(u64);

impl Visits {
    fn add_one(&self) -> u64 {
        self.0 += 1;
        self.0
    }
}
// ANCHOR_END: wrong

fn main() {
    Visits(0).add_one();
}
