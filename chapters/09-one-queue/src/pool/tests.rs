//! What a pool must do, whatever it looks like inside.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use std::{hint, panic, thread};

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
    // Many times: a worker that isn't woken for each job may be awake by chance.
    for _ in 0..50 {
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
            finished
                .recv_timeout(SOON)
                .expect("four jobs run at once: is a lock held while a job runs?");
        }
    }
}

#[test]
fn a_job_is_taken_by_whichever_worker_is_free() {
    let pool = ThreadPool::new(2).expect("a pool");
    let (release, held) = mpsc::channel::<()>();
    pool.execute(move || held.recv().expect("the test lets it go"));
    let (done, finished) = mpsc::channel();
    for job in 0..10 {
        let done = done.clone();
        pool.execute(move || done.send(job).expect("the test waits"));
    }
    for _ in 0..10 {
        finished
            .recv_timeout(SOON)
            .expect("the other worker runs them all");
    }
    release.send(()).expect("the first job waits");
}

#[test]
fn of_many_short_jobs_none_is_forgotten_and_no_worker_is_lost() {
    soon(|| {
        const SIZE: usize = 4;
        let pool = ThreadPool::new(SIZE).expect("a pool");
        let (done, finished) = mpsc::channel();
        for round in 0..400 {
            // Workers run out of jobs again and again, and more than one wakes for
            // the next one.
            for _ in 0..=round % 40 {
                let done = done.clone();
                pool.execute(move || done.send(()).expect("the test waits"));
            }
            for _ in 0..=round % 40 {
                finished.recv_timeout(SOON).expect("every job runs");
            }
        }
        let barrier = Arc::new(Barrier::new(SIZE));
        for _ in 0..SIZE {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            pool.execute(move || {
                barrier.wait();
                done.send(()).expect("the test waits");
            });
        }
        for _ in 0..SIZE {
            finished
                .recv_timeout(SOON)
                .expect("all workers are still there, and run jobs at once");
        }
    });
}

#[test]
fn a_job_that_comes_at_any_moment_is_seen() {
    soon(|| {
        let pool = ThreadPool::new(1).expect("a pool");
        let finished = Arc::new(AtomicUsize::new(0));
        // Each job comes as soon as the one before has ended: often when the worker
        // has looked for it in vain, and doesn't wait yet.
        let test_begin = Instant::now();
        for job in 1..=40_000 {
            // On a busy machine that's enough.
            if test_begin.elapsed() > SOON / 2 {
                break;
            }
            let counter = Arc::clone(&finished);
            pool.execute(move || {
                counter.fetch_add(1, Ordering::Release);
                // The job goes on for a moment, each for another one.
                for _ in 0..job % 16 {
                    hint::black_box(());
                }
            });
            // A look at the clock takes too long to do it each time.
            let begin = Instant::now();
            for spins in 1_u32.. {
                if finished.load(Ordering::Acquire) == job {
                    break;
                }
                if spins % 1000 == 0 {
                    let waits = "a job waits, and so does its worker";
                    assert!(begin.elapsed() < SOON, "{waits}");
                }
                hint::spin_loop();
            }
        }
    });
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

// How long a guard lives that has no name, in edition 2024.

#[test]
fn a_guard_in_the_head_of_while_let_lives_through_the_body() {
    let jobs = Mutex::new(vec!["a job"]);
    while let Some(_job) = jobs.lock().unwrap().pop() {
        assert!(jobs.try_lock().is_err(), "the lock is held in here");
    }
}

#[test]
fn a_guard_in_let_is_gone_after_the_statement() {
    let jobs = Mutex::new(vec!["a job"]);
    let _job = jobs.lock().unwrap().pop();
    assert!(jobs.try_lock().is_ok(), "the lock is free again");
}

#[test]
fn a_guard_in_the_head_of_if_let_lives_through_the_body_but_not_the_else() {
    let jobs = Mutex::new(vec!["a job"]);
    if let Some(_job) = jobs.lock().unwrap().pop() {
        assert!(jobs.try_lock().is_err(), "the lock is held in here");
    }
    if let Some(_job) = jobs.lock().unwrap().pop() {
        unreachable!("there was one job");
    } else {
        assert!(jobs.try_lock().is_ok(), "free, since edition 2024");
    }
}
