use std::thread;

struct Place<'a>(&'a str);

// ANCHOR: wrong
fn fork(place: Place, mut a: impl FnMut(), mut b: impl FnMut() + Send) {
    thread::scope(|scope| {
        let mut work = || {
            println!("with the place of {}", place.0);
            b();
        };
        scope.spawn(&mut work);
        a();
    });
}
// ANCHOR_END: wrong

fn main() {
    fork(Place("b"), || {}, || {});
}
