//! What a pool must do, whatever it looks like inside.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use std::{hint, panic, thread};

use super::ThreadPool;
use crate::meeting::Meetings;

/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(2);

/// Runs a test on a thread of its own, so that a pool that waits forever fails it.
fn soon(test: impl FnOnce() + Send + 'static) {
    let (running, has_ended) = mpsc::channel::<()>();
    let test = thread::spawn(move || {
        // Dropped when the test ends, however it does.
        let _running = running;
        test();
    });
    let outcome = has_ended.recv_timeout(2 * SOON);
    let has_no_end = outcome == Err(RecvTimeoutError::Timeout);
    assert!(
        !has_no_end,
        "the test comes to no end: what does execute(), or a job, wait for?"
    );
    // What the test says, if it fails.
    test.join().unwrap_or_else(|why| panic::resume_unwind(why));
}

#[test]
fn a_pool_of_nothing_is_refused() {
    assert!(ThreadPool::new(0).is_err());
}

#[test]
fn every_job_runs_once() {
    soon(|| {
        let pool = ThreadPool::new(3).expect("a pool");
        let (done, finished) = mpsc::channel();
        for job in 0..50 {
            let done = done.clone();
            pool.execute(move || done.send(job).expect("the test waits"))
                .expect("a thread");
        }
        drop(done);
        let mut jobs: Vec<i32> = finished.iter().collect();
        jobs.sort_unstable();
        assert_eq!(jobs, Vec::from_iter(0..50));
    });
}

#[test]
fn as_many_jobs_run_at_once_as_the_pool_has_threads() {
    soon(|| {
        let pool = ThreadPool::new(4).expect("a pool");
        let barrier = Arc::new(Barrier::new(4));
        let (done, finished) = mpsc::channel();
        for _ in 0..4 {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            let job = move || {
                barrier.wait();
                done.send(()).expect("the test waits");
            };
            pool.execute(job).expect("a thread");
        }
        for _ in 0..4 {
            finished
                .recv_timeout(SOON)
                .expect("all four jobs run at once");
        }
    });
}

#[test]
fn no_more_jobs_run_at_once_than_the_pool_has_threads() {
    soon(|| {
        let pool = ThreadPool::new(2).expect("a pool");
        let meetings = Arc::new(Meetings::default());
        let (done, finished) = mpsc::channel();
        for _ in 0..3 {
            let (meetings, done) = (Arc::clone(&meetings), done.clone());
            let job = move || {
                let met = meetings.join(3, Duration::from_millis(100));
                done.send(met).expect("the test waits");
            };
            pool.execute(job).expect("a thread");
        }
        for _ in 0..3 {
            let met = finished.recv_timeout(SOON).expect("every job runs");
            assert!(!met, "three jobs met in a pool of two threads");
        }
    });
}

#[test]
fn many_jobs_leave_the_pool_as_it_was() {
    const SIZE: usize = 16;
    soon(|| {
        let pool = ThreadPool::new(SIZE).expect("a pool");
        for _ in 0..100 {
            // So many end at once, as nearly as can be.
            let barrier = Arc::new(Barrier::new(SIZE));
            for _ in 0..SIZE {
                let barrier = Arc::clone(&barrier);
                let job = move || {
                    barrier.wait();
                };
                pool.execute(job).expect("a thread");
            }
        }
        let meetings = Arc::new(Meetings::default());
        for (size, patience) in [(SIZE, SOON), (SIZE + 1, Duration::from_millis(100))]
        {
            let (done, finished) = mpsc::channel();
            for _ in 0..size {
                let (meetings, done) = (Arc::clone(&meetings), done.clone());
                let job = move || {
                    let met = meetings.join(size, patience);
                    done.send(met).expect("the test waits");
                };
                pool.execute(job).expect("a thread");
            }
            for _ in 0..size {
                let met = finished.recv_timeout(2 * SOON).expect("every job runs");
                let outcome = if met { "met" } else { "did not meet" };
                assert_eq!(
                    met,
                    size == SIZE,
                    "{size} jobs {outcome} in a pool of {SIZE}"
                );
            }
        }
    });
}

#[test]
fn a_job_that_panics_makes_room_for_the_next() {
    soon(|| {
        let pool = ThreadPool::new(1).expect("a pool");
        // A panic without a word about it on stderr.
        pool.execute(|| panic::resume_unwind(Box::new("on purpose")))
            .expect("a thread");
        let (done, finished) = mpsc::channel();
        pool.execute(move || done.send(()).expect("the test waits"))
            .expect("a thread");
        finished.recv_timeout(SOON).expect("the next job runs");
    });
}

#[test]
fn a_slot_that_comes_back_at_any_moment_is_seen() {
    soon(|| {
        let pool = ThreadPool::new(1).expect("a pool");
        let begun = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(AtomicUsize::new(0));
        let test_begin = Instant::now();
        for job in 1..=8000 {
            // On a busy machine that's enough.
            if test_begin.elapsed() > SOON {
                break;
            }
            // The job before ends when it sees this, just when execute() looks for
            // its slot.
            asked.store(job, Ordering::Release);
            let (start, end) = (Arc::clone(&begun), Arc::clone(&asked));
            let run = move || {
                start.store(job, Ordering::Release);
                until(&end, job + 1);
                // Each goes on for another moment.
                for _ in 0..job % 32 {
                    hint::black_box(());
                }
            };
            pool.execute(run).expect("a thread");
            until(&begun, job);
        }
        asked.store(usize::MAX, Ordering::Release);
    });
}

/// Waits without rest until the number is this one or more, or too much time has
/// passed.
fn until(number: &AtomicUsize, wanted: usize) {
    let begin = Instant::now();
    for spins in 1_u32.. {
        // A look at the clock takes too long to do it each time.
        let is_late = spins % 1000 == 0 && begin.elapsed() > SOON;
        if number.load(Ordering::Acquire) >= wanted || is_late {
            return;
        }
        hint::spin_loop();
    }
}
