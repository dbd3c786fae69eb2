use std::sync::Barrier;
use std::thread;

use super::Counter;

const THREADS: usize = 4;
const EACH: usize = 500_000;

#[test]
fn no_two_visits_get_the_same_number() {
    let visits = Counter::default();
    let start = Barrier::new(THREADS);
    let visit = || {
        start.wait();
        Vec::from_iter((0..EACH).map(|_| visits.add_one()))
    };
    let numbers = thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| scope.spawn(visit));
        threads.map(|thread| thread.join().expect("add_one returns"))
    });
    let mut given = vec![false; THREADS * EACH + 1];
    for number in numbers.into_iter().flatten() {
        let given = &mut given[number as usize];
        assert!(!*given, "two visits got the number {number}");
        *given = true;
    }
    assert!(!given[0], "the first visit is number 1");
}
