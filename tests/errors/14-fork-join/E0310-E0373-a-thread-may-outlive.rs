use std::thread;

struct Helpers;

impl Helpers {
    // ANCHOR: wrong
    fn fork(mut a: impl FnMut(), mut b: impl FnMut() + Send) {
        let helper = thread::spawn(|| b());
        a();
        helper.join().expect("a helper that does its half");
    }
    // ANCHOR_END: wrong
}

fn main() {
    Helpers::fork(|| {}, || {});
}
