//! What a pool must do, whatever it looks like inside.

use std::cell::RefCell;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use std::{panic, thread};

use super::ThreadPool;

/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(4);

/// Runs a test on a thread of its own, so that a pool that waits forever fails it.
/// Whatever happens in a test, its pool is dropped at the end of it.
fn soon(test: impl FnOnce() + Send + 'static) {
    let running = thread::spawn(test);
    let until = Instant::now() + SOON + SOON / 4;
    while !running.is_finished() {
        assert!(
            Instant::now() < until,
            "the test doesn't come to its end. If it hasn't failed above, the pool \
             is dropped and waits for workers that don't end: they do when the queue is \
             closed, so close it before you join them"
        );
        thread::sleep(Duration::from_millis(1));
    }
    if let Err(why) = running.join() {
        panic::resume_unwind(why);
    }
}

#[test]
fn a_pool_of_nothing_is_refused() {
    assert!(ThreadPool::new(0, 100).is_err());
}

#[test]
fn every_job_runs_once() {
    soon(|| {
        let pool = ThreadPool::new(3, 100).expect("a pool");
        let (done, finished) = mpsc::channel();
        for job in 0..50 {
            let done = done.clone();
            pool.execute(move || done.send(job).expect("the test waits"))
                .expect("room");
        }
        let next = |_| finished.recv_timeout(SOON).expect("every job runs");
        let mut jobs: Vec<i32> = (0..50).map(next).collect();
        jobs.sort_unstable();
        assert_eq!(jobs, Vec::from_iter(0..50));
    });
}

#[test]
fn as_many_jobs_run_at_once_as_the_pool_has_threads() {
    soon(|| {
        let pool = ThreadPool::new(4, 100).expect("a pool");
        let barrier = Arc::new(Barrier::new(4));
        let (done, finished) = mpsc::channel();
        for _ in 0..4 {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            let job = move || {
                barrier.wait();
                done.send(()).expect("the test waits");
            };
            pool.execute(job).expect("room");
        }
        drop(done);
        for _ in 0..4 {
            finished
                .recv_timeout(SOON)
                .expect("four jobs run at once: is a lock held while a job runs?");
        }
    });
}

#[test]
fn a_job_is_taken_by_whichever_worker_is_free() {
    soon(|| {
        let pool = ThreadPool::new(2, 100).expect("a pool");
        let (release, held) = mpsc::channel::<()>();
        pool.execute(move || held.recv().expect("the test lets it go"))
            .expect("room");
        let (done, finished) = mpsc::channel();
        for job in 0..10 {
            let done = done.clone();
            pool.execute(move || done.send(job).expect("the test waits"))
                .expect("room");
        }
        drop(done);
        for _ in 0..10 {
            finished
                .recv_timeout(SOON)
                .expect("the other worker runs them all");
        }
        release.send(()).expect("the first job waits");
    });
}

#[test]
fn jobs_that_panic_take_no_worker_away() {
    soon(|| {
        let pool = ThreadPool::new(2, 100).expect("a pool");
        for _ in 0..6 {
            pool.execute(|| panic!("on purpose")).expect("room");
        }
        let barrier = Arc::new(Barrier::new(2));
        let (done, finished) = mpsc::channel();
        for _ in 0..2 {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            pool.execute(move || {
                barrier.wait();
                done.send(()).expect("the test waits");
            })
            .expect("room");
        }
        drop(done);
        for _ in 0..2 {
            finished.recv_timeout(SOON).expect(
                "two jobs run at once after others have panicked: is each job's \
                 panic caught, inside the worker's loop?",
            );
        }
    });
}

thread_local! {
    /// What a thread holds until it ends.
    static HELD: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

#[test]
fn workers_end_when_the_pool_is_dropped() {
    soon(|| {
        let pool = ThreadPool::new(2, 100).expect("a pool");
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
            })
            .expect("room");
        }
        for _ in 0..2 {
            finished.recv_timeout(SOON).expect("both jobs run");
        }
        drop((pool, held));
        assert_eq!(
            gone.recv_timeout(SOON),
            Err(RecvTimeoutError::Disconnected),
            "a worker still waits although its pool is gone: recv() fails when no \
             Sender is left"
        );
    });
}

#[test]
fn a_dropped_pool_finishes_what_it_has() {
    soon(|| {
        let pool = ThreadPool::new(2, 100).expect("a pool");
        let (done, finished) = mpsc::channel();
        for job in 0..50 {
            let done = done.clone();
            pool.execute(move || done.send(job).expect("the test waits"))
                .expect("room");
        }
        drop(pool);
        // All jobs are over: nothing is waited for here.
        let mut jobs: Vec<i32> = finished.try_iter().collect();
        jobs.sort_unstable();
        assert_eq!(jobs, Vec::from_iter(0..50), "each job runs once");
    });
}

#[test]
fn a_dropped_pool_waits_for_each_worker() {
    // Often, because it's a matter of luck which worker has which job.
    for _ in 0..10 {
        soon(|| {
            let pool = ThreadPool::new(3, 100).expect("a pool");
            let barrier = Arc::new(Barrier::new(3));
            let (done, finished) = mpsc::channel();
            for job in 0..3 {
                let (barrier, done) = (Arc::clone(&barrier), done.clone());
                let job = move || {
                    // The jobs meet, so each is on another worker.
                    barrier.wait();
                    if job == 0 {
                        thread::sleep(Duration::from_millis(20));
                    }
                    done.send(job).expect("the test waits");
                };
                pool.execute(job).expect("room");
            }
            drop(pool);
            assert_eq!(
                finished.try_iter().count(),
                3,
                "the pool is gone and a job still runs: join each worker"
            );
        });
    }
}

#[test]
fn a_full_queue_refuses_jobs() {
    let pool = ThreadPool::new(1, 1).expect("a pool");
    let (started, has_started) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let running = move || {
        started.send(()).expect("the test waits");
        // An error means that the test is over.
        let _ = held.recv();
    };
    pool.execute(running).expect("room");
    has_started.recv_timeout(SOON).expect("the first job runs");
    pool.execute(|| {}).expect("room for one to wait");
    let (said, outcome) = mpsc::channel();
    thread::spawn(move || said.send(pool.execute(|| {})));
    let outcome = outcome.recv_timeout(SOON);
    let outcome = outcome.expect(
        "execute returns at once: send() waits for room, try_send() does not",
    );
    assert_eq!(
        outcome,
        Err(super::Full),
        "a job for which there is no room"
    );
    drop(release);
}

#[test]
fn what_an_idle_worker_takes_at_once_needs_no_room() {
    let pool = ThreadPool::new(1, 0).expect("a pool");
    let (started, has_started) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let until = Instant::now() + SOON;
    loop {
        let (started, held) = (started.clone(), Arc::clone(&held));
        let running = move || {
            started.send(()).expect("the test waits");
            // An error means that the test is over.
            let _ = held.lock().expect("a lock").recv();
        };
        // Its thread may not be there yet.
        if pool.execute(running).is_ok() {
            break;
        }
        assert!(
            Instant::now() < until,
            "the worker is idle, and gets no job"
        );
        thread::sleep(Duration::from_millis(1));
    }
    has_started.recv_timeout(SOON).expect("the first job runs");
    assert_eq!(pool.execute(|| {}), Err(super::Full), "no one is idle now");
    drop(release);
}
