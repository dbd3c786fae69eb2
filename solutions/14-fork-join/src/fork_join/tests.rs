//! What fork/join must do, however the work is cut.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{self, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::{Helpers, Place};

/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(4);

/// A number that's like std's, but for one thing: what this thread has put into
/// `MEANWHILE` happens right after the number has been read, as if another thread had
/// been so fast. With real threads that's a matter of luck.
#[derive(Debug)]
pub struct AtomicUsize(atomic::AtomicUsize);

type Happening = Box<dyn FnOnce()>;

thread_local! {
    static MEANWHILE: RefCell<Option<Happening>> = const { RefCell::new(None) };
}

impl AtomicUsize {
    pub fn new(number: usize) -> AtomicUsize {
        AtomicUsize(atomic::AtomicUsize::new(number))
    }

    pub fn load(&self, order: Ordering) -> usize {
        let number = self.0.load(order);
        if let Some(happens) = MEANWHILE.take() {
            happens();
        }
        number
    }
}

/// Everything else is as it is in std.
impl Deref for AtomicUsize {
    type Target = atomic::AtomicUsize;

    fn deref(&self) -> &atomic::AtomicUsize {
        &self.0
    }
}

/// Takes a place, while another thread takes one as soon as this one has looked.
/// Returns who has got one: this thread, and the other one.
fn take_while_another_takes(helpers: &Arc<Helpers>) -> (bool, bool) {
    let others = Arc::clone(helpers);
    let (tell, told) = mpsc::channel();
    MEANWHILE.replace(Some(Box::new(move || {
        let place = others.take().map(ManuallyDrop::new);
        let _ = tell.send(place.is_some());
    })));
    let ours = helpers.take().map(ManuallyDrop::new);
    // A `take` that doesn't look before it takes leaves no time for the other one.
    MEANWHILE.take();
    (ours.is_some(), told.recv().unwrap_or(false))
}

/// How many places are free. They are so again afterwards.
fn free_places(helpers: &Helpers) -> usize {
    // No test has a thousand, and a budget that never ends must end here.
    Vec::from_iter((0..1000).map_while(|_| helpers.take())).len()
}

/// Works on so many items, and returns the leaves: which items each of them got.
fn leaves(helpers: &Helpers, len: usize, most: usize) -> Vec<Vec<usize>> {
    let mut items = Vec::from_iter((0..len).map(|number| (number, 0)));
    let leaves = Mutex::new(Vec::new());
    helpers.fork_join(&mut items, most, &|leaf: &mut [(usize, u32)]| {
        for (_, times) in leaf.iter_mut() {
            *times += 1;
        }
        let numbers = leaf.iter().map(|(number, _)| *number).collect();
        leaves.lock().expect("no leaf panics").push(numbers);
    });
    let wanted = Vec::from_iter((0..len).map(|number| (number, 1)));
    assert_eq!(
        items, wanted,
        "{len} items, at most {most} in a leaf: which item is where, and how often \
         it was worked on, is (left) and should be (right)"
    );
    leaves.into_inner().expect("no leaf panics")
}

/// Checks leaves of at most `most` items.
fn check(leaves: &[Vec<usize>], len: usize, most: usize) {
    let sizes: Vec<usize> = leaves.iter().map(Vec::len).collect();
    assert!(
        sizes.iter().all(|size| *size <= most),
        "{len} items, at most {most} in a leaf: the leaves have {sizes:?}"
    );
    assert!(
        leaves.len() <= 1 + 2 * len / most,
        "{len} items, at most {most} in a leaf: there are {} leaves, of {sizes:?}. \
         What is small enough isn't split any more",
        leaves.len()
    );
    for leaf in leaves {
        let in_a_row = leaf.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        assert!(in_a_row, "a leaf has the items {leaf:?}");
    }
}

#[test]
fn one_thread_works_on_all_items_once() {
    for len in [0, 1, 2, 3, 7, 16, 17, 31, 100] {
        for most in [1, 2, 3, 16] {
            check(&leaves(&Helpers::new(0), len, most), len, most);
        }
    }
}

#[test]
fn fork_runs_both_at_once() {
    let helpers = Helpers::new(1);
    // Each of the two waits for a word of the other.
    let (to_a, from_b) = mpsc::channel();
    let (to_b, from_a) = mpsc::channel();
    let (mut a_met, mut b_met) = (false, false);
    let b_meets = &mut b_met;
    let forked = Helpers::fork(
        Place(&helpers),
        || a_met = to_b.send(()).is_ok() && from_b.recv_timeout(SOON).is_ok(),
        move || *b_meets = to_a.send(()).is_ok() && from_a.recv_timeout(SOON).is_ok(),
    );
    assert!(forked.is_ok(), "there is a thread for b");
    assert!(
        a_met && b_met,
        "a and b don't run at the same time: start b's thread, run a, and only then \
         join"
    );
}

#[test]
fn fork_passes_a_panic_on() {
    for panics_in_a in [true, false] {
        let (helpers, begun) = (Helpers::new(1), atomic::AtomicUsize::new(0));
        let half = |panics: bool| {
            begun.fetch_add(1, Ordering::Relaxed);
            assert!(!panics, "this half panics, as the test wants it to");
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            Helpers::fork(
                Place(&helpers),
                || half(panics_in_a),
                || half(!panics_in_a),
            )
        }));
        assert_eq!(
            begun.into_inner(),
            2,
            "halves that were begun, got (left), wanted (right): if b panics, a is run \
             all the same, and the other way around"
        );
        assert!(
            outcome.is_err(),
            "half of the work has panicked (that of a: {panics_in_a}), and fork \
             returns as if all were well: join() returns a thread's panic as an Err"
        );
    }
}

#[test]
fn take_comes_to_an_end() {
    let helpers = Arc::new(Helpers::new(1));
    let (taken, is_taken) = mpsc::channel();
    // Not in a scope, which would wait for a thread that never ends.
    thread::spawn(move || taken.send(helpers.take().is_some()));
    assert_eq!(
        is_taken.recv_timeout(SOON / 2),
        Ok(true),
        "there's one place, and take() has returned one: got (left), wanted (right). \
         If it goes round forever: compare_exchange gets the number that you saw, and \
         then the one that's to be stored"
    );
}

#[test]
fn a_place_is_taken_and_given_back() {
    let helpers = Helpers::new(2);
    let mut places = Vec::new();
    for _ in 0..2 {
        places.push(helpers.take().expect("there are two places"));
    }
    assert!(helpers.take().is_none(), "two places, and both are taken");
    places.pop();
    places.push(
        helpers
            .take()
            .expect("a place that's dropped is given back: is there an impl Drop?"),
    );
    assert!(
        helpers.take().is_none(),
        "one was given back, and taken again"
    );
    places.clear();
    assert_eq!(
        free_places(&helpers),
        2,
        "all places are dropped: are free (left), should be free (right)"
    );
}

#[test]
fn a_place_has_one_owner() {
    const TWICE: &str = "threads that had the only place at once (left): look and \
                         take in one step";
    let owners = take_while_another_takes(&Arc::new(Helpers::new(1)));
    assert_eq!(usize::from(owners.0) + usize::from(owners.1), 1, "{TWICE}");

    const THREADS: usize = 4;
    const EACH: usize = 100_000;
    let helpers = Helpers::new(1);
    let start = Barrier::new(THREADS);
    let (held, most) = (atomic::AtomicUsize::new(0), atomic::AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..EACH {
                    if most.load(Ordering::Relaxed) > 1 {
                        break;
                    }
                    let Some(_place) = helpers.take() else {
                        continue;
                    };
                    let now = held.fetch_add(1, Ordering::Relaxed) + 1;
                    most.fetch_max(now, Ordering::Relaxed);
                    held.fetch_sub(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(most.into_inner(), 1, "{TWICE}");
}

#[test]
fn take_looks_again_if_another_was_faster() {
    let (done, is_done) = mpsc::channel();
    // Not in a scope, which would wait for a thread that never ends.
    thread::spawn(move || {
        let helpers = Arc::new(Helpers::new(3));
        done.send(take_while_another_takes(&helpers))
    });
    let (ours, _) = is_done.recv_timeout(SOON).unwrap_or_else(|_| {
        panic!(
            "one of three places was taken while we took one, and {SOON:?} later we \
             are still at it. If a place couldn't be taken because the number isn't \
             `free` any more, go on with the number that it is now: compare_exchange \
             returns it as an Err"
        )
    });
    assert!(
        ours,
        "one of three places was taken while we took one, and we got none: if the \
         number isn't `free` any more, another thread was faster, and there may be \
         more places. Look again"
    );
}

#[test]
fn a_place_is_given_back_in_one_step() {
    const THREADS: usize = 4;
    const EACH: usize = 1_000_000;
    let helpers = Helpers::new(THREADS);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..EACH {
                    // Each thread has one place at most, so there's one for it.
                    if helpers.take().is_none() {
                        break;
                    }
                }
            });
        }
    });
    assert_eq!(
        free_places(&helpers),
        THREADS,
        "places, got (left), wanted (right): four threads took a place and gave it \
         back, many times, and some were lost. Two that are given back at the same \
         time must not store the same number: look and store in one step, with \
         fetch_add"
    );
}

#[test]
fn a_helper_that_is_done_gives_its_place_back() {
    let helpers = Helpers::new(1);
    let place = helpers.take().expect("there is one place");
    let mut is_back = false;
    let a = || {
        let until = Instant::now() + SOON;
        while !is_back && Instant::now() < until {
            is_back = helpers.take().is_some();
            thread::yield_now();
        }
    };
    let forked = Helpers::fork(place, a, || ());
    assert!(forked.is_ok(), "there is a thread for b");
    assert!(
        is_back,
        "b was done, a wasn't, and the helper's place wasn't free. Is there an impl \
         Drop for Place that gives it back? Then it has to be dropped by the thread \
         that runs b. A closure owns only what it mentions: `let _guard = place;` in \
         it moves the place in, and `let _ = place;` doesn't"
    );
}

#[test]
fn helpers_change_nothing_but_who_does_it() {
    for (count, len, most) in [(1, 100, 16), (3, 33, 1), (100, 100, 3), (5, 7, 2)] {
        let helpers = Helpers::new(count);
        check(&leaves(&helpers, len, most), len, most);
        assert_eq!(
            free_places(&helpers),
            count,
            "places, got (left), wanted (right): all helpers are done"
        );
    }
}

#[test]
fn a_panic_gives_its_place_back() {
    let helpers = Helpers::new(3);
    let leaf = |leaf: &mut [i32]| assert!(leaf[0] != 3, "the test's last leaf");
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        helpers.fork_join(&mut [0, 1, 2, 3], 1, &leaf);
    }));
    assert!(outcome.is_err(), "a leaf has panicked, and all seems well");
    assert_eq!(
        free_places(&helpers),
        3,
        "places after a panic, got (left), wanted (right): a guard gives them back \
         when it is dropped, and a panic drops it"
    );
}
