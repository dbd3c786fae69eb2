//! What `join` promises, whatever else its workers do.

use std::ops::Range;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use super::{Slot, fork_join, join, run, wait_for};
use crate::pool::{ThreadPool, Worker};

/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(2);
/// For what another thread is about to do, or mustn't do.
const A_MOMENT: Duration = Duration::from_millis(50);

/// Has a pool of this size run these jobs, and returns what each of them returns.
/// `waits` says what is likely if one of them never does. A job that panics has said
/// why.
fn on_pool<R: Send + 'static>(
    size: usize,
    waits: &str,
    jobs: Vec<impl FnOnce() -> R + Send + 'static>,
) -> Vec<R> {
    let pool = ThreadPool::new(size, jobs.len()).expect("a pool");
    let outcomes: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let (done, is_done) = mpsc::channel();
            let job = move || done.send(catch_unwind(AssertUnwindSafe(job)));
            pool.execute(move || job().expect("the test waits"))
                .expect("room");
            is_done
        })
        .collect();
    let until = Instant::now() + SOON;
    let outcomes = outcomes.into_iter().map(|is_done| {
        let left = until.saturating_duration_since(Instant::now());
        is_done.recv_timeout(left)
    });
    let outcomes: Vec<_> = outcomes.collect();
    // Its workers may wait forever, and dropping it would wait for them.
    thread::spawn(move || drop(pool));
    let value = |outcome| match outcome {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(RecvTimeoutError::Disconnected) => panic!("the job was never begun"),
        Err(RecvTimeoutError::Timeout) => panic!("the job doesn't end: {waits}"),
    };
    outcomes.into_iter().map(value).collect()
}

/// Likewise for one job.
fn one_on_pool<R: Send + 'static>(
    size: usize,
    waits: &str,
    job: impl FnOnce() -> R + Send + 'static,
) -> R {
    on_pool(size, waits, vec![job]).remove(0)
}

/// Two closures that end only if they run at the same time.
fn that_meet() -> [impl FnOnce() + Send + 'static; 2] {
    let barrier = Arc::new(Barrier::new(2));
    [(); 2].map(|()| {
        let barrier = Arc::clone(&barrier);
        move || {
            barrier.wait();
        }
    })
}

/// A closure that ends once `subtask` has begun, and `subtask`: joined, the two
/// have the subtask run by another worker.
fn run_elsewhere<R>(
    subtask: impl FnOnce() -> R + Send + 'static,
) -> (impl FnOnce(), impl FnOnce() -> R + Send + 'static) {
    let (begun, has_begun) = mpsc::channel();
    let a = move || has_begun.recv_timeout(SOON).expect(IDLE);
    let b = move || {
        begun.send(()).expect("a waits");
        subtask()
    };
    (a, b)
}

const IDLE: &str = "a worker without a job takes no subtask. Does join() fork b \
                    first, then run a, and only then wait for b? And does steal() \
                    look at all other workers?";
const ASLEEP: &str = "its subtask has long ended. Does wait_for() look into the \
                      slot again when sleep() returns? And does the closure that's \
                      forked off call run(), which fills the slot and tells of it?";
const NO_HELP: &str = "while a worker waits for its subtask, it runs what others \
                       have forked off: take() in wait_for(), and then look again. \
                       If it does that: does b go through worker.fork()?";
const DEADLOCK: &str = "two jobs on two workers, and each waits for a subtask that \
                        no one has begun. Before wait_for() sleeps, it takes back \
                        what it has forked off itself: take(), run it, and look \
                        into the slot again. If it does that already: is the lock \
                        free while a subtask runs? And does it sleep without \
                        having looked again?";

#[test]
fn each_worker_has_a_number_of_its_own() {
    let jobs = that_meet().map(|meet| {
        move || {
            meet();
            Worker::current().expect("a worker").number()
        }
    });
    let mut numbers = on_pool(2, IDLE, jobs.into());
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1]);
}

#[test]
fn outside_of_a_pool_both_run_here() {
    let here = || thread::current().id();
    assert_eq!(join(here, here), (here(), here()));
}

#[test]
fn both_outcomes_come_back() {
    let outcomes = one_on_pool(2, ASLEEP, || join(|| "one".to_owned(), || 2));
    assert_eq!(outcomes, ("one".to_owned(), 2));
}

#[test]
fn a_worker_without_a_job_takes_the_subtask() {
    let [a, b] = that_meet();
    one_on_pool(2, IDLE, || join(a, b));
}

#[test]
fn a_worker_wakes_when_its_subtask_has_ended() {
    // By the end of its subtask it sleeps, most probably.
    let (a, b) = run_elsewhere(|| thread::sleep(A_MOMENT));
    one_on_pool(2, ASLEEP, || join(a, b));
}

#[test]
fn a_job_can_join_on_each_worker() {
    // Both are under way before either of them forks, so no worker is free.
    let jobs = that_meet().map(|meet| {
        move || {
            meet();
            join(|| (), || ())
        }
    });
    on_pool(2, DEADLOCK, jobs.into());
}

/// The sum of these numbers, by way of a join for each of them.
fn sum(numbers: Range<usize>) -> usize {
    if numbers.len() < 2 {
        return numbers.sum();
    }
    let middle = numbers.start + numbers.len() / 2;
    let (left, right) = (numbers.start..middle, middle..numbers.end);
    let (left, right) = join(move || sum(left), move || sum(right));
    left + right
}

#[test]
fn one_worker_is_enough() {
    const ALONE: &str = "the only worker waits for a subtask of its own. Before it \
                         sleeps, it takes it back: take() in wait_for(). Once that \
                         has run, it looks into the slot again";
    assert_eq!(one_on_pool(1, ALONE, || sum(0..100)), 4950);
}

#[test]
fn any_number_of_workers_is_enough() {
    for workers in 2..=5 {
        let sums = on_pool(workers, DEADLOCK, vec![|| sum(0..1000); 20]);
        assert_eq!(sums, [499_500; 20]);
    }
}

#[test]
fn a_worker_that_waits_runs_subtasks_of_others() {
    let [one, other] = that_meet();
    let (a, b) = run_elsewhere(|| join(one, other));
    one_on_pool(2, NO_HELP, || join(a, b));
}

#[test]
fn a_worker_that_sleeps_hears_of_new_subtasks() {
    let [one, other] = that_meet();
    let (a, b) = run_elsewhere(|| {
        // The worker that waits has found nothing to do by then, most probably.
        thread::sleep(A_MOMENT);
        join(one, other)
    });
    one_on_pool(2, NO_HELP, || join(a, b));
}

#[test]
fn a_worker_that_waits_begins_no_other_job() {
    let pool = ThreadPool::new(2, 10).expect("a pool");
    let (release, held) = mpsc::channel::<()>();
    let (ended, has_ended) = mpsc::channel();
    // An error here, as below, means that the test is over.
    let (a, b) = run_elsewhere(move || held.recv());
    let (forked, has_forked) = mpsc::channel();
    let (queued, is_queued) = mpsc::channel::<()>();
    let job = move || {
        let a = move || {
            a();
            forked.send(()).expect("the test waits");
            let _ = is_queued.recv();
        };
        let _ = join(a, b);
        let _ = ended.send(());
    };
    pool.execute(job).expect("room");
    has_forked.recv_timeout(SOON).expect(IDLE);
    // One worker runs the subtask. The other one will wait for it, with a job in
    // the queue.
    let (taken, is_taken) = mpsc::channel();
    let other = move || {
        let _ = taken.send(());
    };
    pool.execute(other).expect("room");
    queued.send(()).expect("a waits");
    assert!(
        is_taken.recv_timeout(A_MOMENT).is_err(),
        "a worker that waited for a subtask has begun another job instead: that \
         may be a conversation with a slow client, and the worker comes back when \
         that one has left. While it waits it runs subtasks, and nothing else"
    );
    release.send(()).expect("the subtask waits");
    has_ended.recv_timeout(SOON).expect(ASLEEP);
    is_taken
        .recv_timeout(SOON)
        .expect("the job is run after that");
}

#[test]
fn fork_join_returns_all_results_in_order() {
    for (len, most) in [(0, 4), (1, 4), (7, 1), (7, 3), (64, 1), (100, 16)] {
        for workers in [1, 3] {
            let leaf = |numbers: Range<usize>| Vec::from_iter(numbers);
            let job = move || fork_join(5..5 + len, most, leaf);
            let numbers = one_on_pool(workers, DEADLOCK, job);
            let wanted = Vec::from_iter(5..5 + len);
            assert_eq!(numbers, wanted, "{len} items, at most {most} in a leaf");
        }
    }
}

#[test]
fn no_leaf_has_more_than_it_may() {
    let leaf = |numbers: Range<usize>| vec![numbers.len()];
    let leaves = one_on_pool(2, DEADLOCK, move || fork_join(0..100, 16, leaf));
    assert!(
        leaves.iter().all(|len| (1..=16).contains(len)),
        "100 items, at most 16 in a leaf: the leaves have {leaves:?}. What's larger \
         is cut again, by fork_join() itself"
    );
    assert_eq!(leaves.iter().sum::<usize>(), 100, "{leaves:?}");
    assert!(
        leaves.len() <= 13,
        "100 items, at most 16 in a leaf: there are {} leaves. What's small enough \
         isn't cut any more",
        leaves.len()
    );
}

#[test]
fn leaves_run_at_once() {
    let barrier = Arc::new(Barrier::new(4));
    let leaf = move |numbers: Range<usize>| {
        barrier.wait();
        Vec::from_iter(numbers)
    };
    const APART: &str = "four leaves wait for each other, and don't run at once. \
                         Is each half cut again, and are both halves given to join()?";
    one_on_pool(4, APART, move || fork_join(0..4, 1, leaf));
}

#[test]
fn panics_of_subtasks_reach_their_join() {
    const LOST: &str =
        "no one puts the outcome of a subtask that panics into its slot";
    for workers in [2, 1] {
        let panics = || catch_unwind(|| join(|| (), || panic::panic_any(15))).err();
        let payload = one_on_pool(workers, LOST, panics);
        let payload = payload.expect("the join of a subtask that panics panics, too");
        let number = payload.downcast_ref::<i32>();
        assert_eq!(
            number,
            Some(&15),
            "the panic that arrived isn't the one that set out: hand that one on \
             with resume_unwind(panic)"
        );
    }
}

#[test]
fn panics_of_subtasks_reach_no_one_else() {
    // One worker waits for `outer`, which the other one runs. That one runs `a`
    // until the first one has begun `b` for it.
    let outer = || {
        let (a, b) = run_elsewhere(|| panic!("on purpose"));
        let joined: thread::Result<((), ())> =
            catch_unwind(AssertUnwindSafe(|| join(a, b)));
        joined.is_err()
    };
    let (here, elsewhere) = run_elsewhere(outer);
    let ((), inner_panicked) = one_on_pool(2, NO_HELP, || join(here, elsewhere));
    assert!(
        inner_panicked,
        "the join whose subtask panicked passes that on"
    );
}

#[test]
fn after_a_panic_here_the_pool_goes_on() {
    let (begun, has_begun) = mpsc::channel();
    let panics = move || {
        let forked = move || begun.send(()).expect("the test waits");
        let _ = catch_unwind(AssertUnwindSafe(|| {
            join(|| panic!("on purpose"), forked);
        }));
        sum(0..10)
    };
    assert_eq!(one_on_pool(1, NO_HELP, panics), 45);
    // No one waits for it, and it's run or dropped.
    let _ = has_begun.recv_timeout(SOON);
}

#[test]
fn a_subtask_is_run_though_no_one_waits_for_it() {
    let pool = ThreadPool::new(1, 1).expect("a pool");
    let (begun, has_begun) = mpsc::channel();
    let (run, is_run) = mpsc::channel();
    let a = move || {
        begun.send(()).expect("the test waits");
        panic!("on purpose");
    };
    let b = move || run.send(()).expect("the test waits");
    let job = move || {
        join(a, b);
    };
    pool.execute(job).expect("room");
    has_begun.recv_timeout(SOON).expect("join() runs a");
    // Instead of being run it may have been dropped.
    let still_there = is_run.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout);
    thread::spawn(move || drop(pool));
    assert!(
        !still_there,
        "a has panicked, so its join is over, and b lies in the deque of the only \
         worker, which has nothing else to do and leaves it there. steal() looks \
         into the thief's own deque as well, after all others"
    );
}

#[test]
fn the_worker_is_woken_whose_subtask_has_ended() {
    let pool = ThreadPool::new(4, 10).expect("a pool");
    let (forked, has_forked) = mpsc::channel();
    let start = || {
        let (waits, is_to_wait) = mpsc::channel::<()>();
        let (release, held) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel();
        let forked = forked.clone();
        let job = move || {
            let (a, b) = run_elsewhere(move || held.recv());
            let a = move || {
                a();
                forked.send(()).expect("the test waits");
                is_to_wait.recv().expect("the test lets it wait");
            };
            let ((), _) = join(a, b);
            // An error means that the test is over.
            let _ = ended.send(());
        };
        pool.execute(job).expect("room");
        (waits, release, has_ended)
    };
    let (first, second) = (start(), start());
    for _ in 0..2 {
        has_forked.recv_timeout(SOON).expect(IDLE);
    }
    // Each has a worker that runs its subtask. They begin to wait in this order.
    for job in [&first, &second] {
        job.0.send(()).expect("the job waits");
        thread::sleep(A_MOMENT);
    }
    second.1.send(()).expect("the subtask waits");
    let woken = second.2.recv_timeout(SOON);
    drop(first);
    woken.expect(
        "two workers wait, a subtask has ended, and its worker sleeps on: was the \
         other one woken? notify_one() wakes any of those that sleep, notify_all() \
         all of them",
    );
}

#[test]
fn a_worker_whose_outcome_is_there_helps_no_more() {
    let job = || {
        let worker = Worker::current().expect("a worker");
        let (slot, run) = (Arc::new(Slot::default()), Arc::new(AtomicUsize::new(0)));
        for _ in 0..3 {
            let (slot, run) = (Arc::clone(&slot), Arc::clone(&run));
            worker.fork(move || {
                run.fetch_add(1, Ordering::Relaxed);
                slot.put(Ok(()));
            });
        }
        slot.put(Ok(()));
        // Once the outcome is there before, and once the first subtask brings it.
        [(); 2].map(|()| {
            let outcome = wait_for(&slot, &worker);
            assert!(outcome.is_ok(), "no one has put a panic there");
            run.load(Ordering::Relaxed)
        })
    };
    const LATE: &str = "its own request waits while a worker runs subtasks of others. \
                        Look into the slot before each of them";
    assert_eq!(
        one_on_pool(1, LATE, job),
        [0, 1],
        "how many subtasks a worker has run when wait_for() returns (left), and how \
         many it should have (right): {LATE}"
    );
}

#[test]
fn the_look_and_the_sleep_are_under_one_lock() {
    let current = || Worker::current().expect("a worker");
    let worker = one_on_pool(1, IDLE, current);
    let slot = Arc::new(Slot::default());
    let (done, is_done) = mpsc::channel();
    let looking = worker.lock();
    let waits = {
        let (slot, worker) = (Arc::clone(&slot), worker.clone());
        move || done.send(wait_for(&slot, &worker).ok())
    };
    thread::spawn(waits);
    // It waits for the lock by then, most probably. If it has looked already, it
    // has missed the outcome, and the news of that as well.
    thread::sleep(2 * A_MOMENT);
    slot.put(Ok(15));
    drop(looking);
    assert_eq!(
        is_done.recv_timeout(SOON),
        Ok(Some(15)),
        "wait_for() has looked into the slot before it had the lock. The outcome \
         came after that look and before the sleep, and so it sleeps on. Look into \
         the slot under the lock under which you fall asleep"
    );
}

#[test]
fn the_end_is_announced_under_the_lock() {
    let job = || {
        let worker = Worker::current().expect("a worker");
        let (said, has_said) = mpsc::channel();
        // A worker looks for its outcome and falls asleep under this lock.
        let looking = worker.lock();
        let ends = {
            let worker = worker.clone();
            move || {
                worker.say_that_one_has_ended();
                said.send(()).expect("the test waits");
            }
        };
        thread::spawn(ends);
        let too_early = has_said.recv_timeout(A_MOMENT).is_ok();
        drop(looking);
        too_early || has_said.recv_timeout(SOON).is_err()
    };
    assert!(
        !one_on_pool(1, IDLE, job),
        "the end of a subtask was announced while its worker may have been between \
         its look into the slot and its sleep: it sleeps on. Take the lock, and \
         then notify"
    );
}

#[test]
fn the_outcome_is_there_before_anyone_is_woken() {
    let job = || {
        let worker = Worker::current().expect("a worker");
        let slot = Arc::new(Slot::default());
        // No one can be woken while this is held.
        let _looking = worker.lock();
        let run_it = {
            let (slot, worker) = (Arc::clone(&slot), worker.clone());
            move || run(|| 15, &slot, &worker)
        };
        thread::spawn(run_it);
        let until = Instant::now() + SOON / 2;
        while Instant::now() < until {
            if let Some(outcome) = slot.take() {
                return outcome.ok();
            }
            thread::sleep(Duration::from_millis(1));
        }
        None
    };
    let outcome = on_pool(1, IDLE, vec![job]).remove(0);
    assert_eq!(
        outcome,
        Some(15),
        "a worker that is woken before the outcome is in its slot finds none \
         there, and sleeps on: first put it there, and then wake"
    );
}

#[test]
fn workers_stay_as_long_as_a_job_may_fork() {
    let pool = ThreadPool::new(2, 10).expect("a pool");
    let (begun, has_begun) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let (ended, has_ended) = mpsc::channel();
    let [one, other] = that_meet();
    let job = move || {
        begun.send(()).expect("the test waits");
        let _ = held.recv();
        join(one, other);
        let _ = ended.send(());
    };
    pool.execute(job).expect("room");
    has_begun.recv_timeout(SOON).expect("the job runs");
    thread::spawn(move || drop(pool));
    // By now the pool is closed, most probably.
    thread::sleep(A_MOMENT);
    release.send(()).expect("the job waits");
    has_ended.recv_timeout(SOON).expect(
        "a pool is closed, and one of its two workers has gone home while the \
         other one still ran a job, which then forks: a worker goes when all are \
         idle",
    );
}
