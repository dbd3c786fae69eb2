//! What a pool must do, whatever it looks like inside.

use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use super::ThreadPool;

/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(5);

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
        finished
            .recv_timeout(SOON)
            .expect("four jobs run at once: does anything keep one waiting for another?");
    }
}
