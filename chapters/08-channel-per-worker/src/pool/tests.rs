//! What a pool must do, whatever it looks like inside.

use std::cell::RefCell;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use std::{panic, thread};

use super::ThreadPool;

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
        "the test comes to no end: what does execute(), or a worker, wait for?"
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
    let pool = ThreadPool::new(3).expect("a pool");
    let (done, finished) = mpsc::channel();
    for job in 0..50 {
        let done = done.clone();
        pool.execute(move || done.send(job).expect("the test waits"));
    }
    let next = |_| finished.recv_timeout(SOON).expect("every job runs");
    let mut jobs: Vec<i32> = (0..50).map(next).collect();
    jobs.sort_unstable();
    assert_eq!(jobs, Vec::from_iter(0..50));
}

#[test]
fn as_many_jobs_run_at_once_as_the_pool_has_threads() {
    let pool = ThreadPool::new(4).expect("a pool");
    let barrier = Arc::new(Barrier::new(4));
    let (done, finished) = mpsc::channel();
    for _ in 0..4 {
        let (barrier, done) = (Arc::clone(&barrier), done.clone());
        let job = move || {
            barrier.wait();
            done.send(()).expect("the test waits");
        };
        pool.execute(job);
    }
    for _ in 0..4 {
        finished.recv_timeout(SOON).expect(
            "four jobs run at once: does anything keep one waiting for another?",
        );
    }
}

/// A pool of two in which two jobs have panicked, one in each worker.
fn pool_after_panics() -> ThreadPool {
    let pool = ThreadPool::new(2).expect("a pool");
    let barrier = Arc::new(Barrier::new(2));
    let (held, gone) = mpsc::channel::<()>();
    for _ in 0..2 {
        let (barrier, held) = (Arc::clone(&barrier), held.clone());
        pool.execute(move || {
            // The jobs meet, so each is in another worker.
            barrier.wait();
            HELD.set(Some(held));
            // A panic without a word about it on stderr.
            panic::resume_unwind(Box::new("on purpose"));
        });
    }
    drop(held);
    // Until both workers have ended. A pool may also keep them, which is no business
    // of these tests.
    let _ = gone.recv_timeout(SOON);
    pool
}

#[test]
fn execute_returns_although_jobs_have_panicked() {
    soon(|| {
        let pool = pool_after_panics();
        for _ in 0..6 {
            // Whether this is run, dropped or kept is free.
            pool.execute(|| {});
        }
    });
}

#[test]
fn execute_returns_although_a_worker_is_held_up() {
    soon(|| {
        let pool = ThreadPool::new(1).expect("a pool");
        let (release, held) = mpsc::channel::<()>();
        pool.execute(move || held.recv().expect("the test lets it go"));
        let (done, finished) = mpsc::channel();
        for _ in 0..5000 {
            let done = done.clone();
            // If it waits for room, the server accepts no one meanwhile.
            pool.execute(move || done.send(()).expect("the test waits"));
        }
        release.send(()).expect("the first job waits");
        drop(done);
        assert_eq!(finished.iter().count(), 5000, "every job runs");
    });
}

#[test]
fn no_job_runs_outside_of_the_workers_although_jobs_have_panicked() {
    soon(|| {
        let pool = pool_after_panics();
        let caller = thread::current().id();
        let (begin, begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        for _ in 0..3 {
            let (begin, released) = (begin.clone(), Arc::clone(&released));
            pool.execute(move || {
                let _ = begin.send(thread::current().id());
                if thread::current().id() != caller {
                    // Nobody sends: they wait until the test is over.
                    let _ = released.lock().map(|released| released.recv());
                }
            });
        }
        drop(begin);
        let mut running = 0;
        while let Ok(here) = begun.recv_timeout(SOON / 5) {
            assert_ne!(here, caller, "execute() runs the job itself");
            running += 1;
        }
        drop(release);
        assert!(running <= 2, "{running} jobs run at once in a pool of two");
    });
}

thread_local! {
    /// What a thread holds until it ends.
    static HELD: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

#[test]
fn workers_end_when_the_pool_is_dropped() {
    let pool = ThreadPool::new(2).expect("a pool");
    let barrier = Arc::new(Barrier::new(2));
    let (done, finished) = mpsc::channel();
    let (held, gone) = mpsc::channel();
    for _ in 0..2 {
        let (barrier, done, held) =
            (Arc::clone(&barrier), done.clone(), held.clone());
        pool.execute(move || {
            // The jobs meet, so each is on another worker.
            barrier.wait();
            HELD.set(Some(held));
            done.send(()).expect("the test waits");
        });
    }
    for _ in 0..2 {
        finished.recv_timeout(SOON).expect("both jobs run");
    }
    drop((pool, held));
    assert_eq!(
        gone.recv_timeout(SOON),
        Err(RecvTimeoutError::Disconnected),
        "a worker waits or spins although its pool is gone: recv() fails when no \
         Sender is left"
    );
}
