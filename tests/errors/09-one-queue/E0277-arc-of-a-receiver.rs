use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::{io, thread};

type Job = Box<dyn FnOnce() + Send + 'static>;

struct ThreadPool {
    jobs: Sender<Job>,
}

impl ThreadPool {
    fn new(size: usize) -> io::Result<ThreadPool> {
        // ANCHOR: wrong
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(queue);
        for _ in 0..size {
            let queue = Arc::clone(&queue);
            thread::Builder::new().spawn(move || work(&queue))?;
        }
        Ok(ThreadPool { jobs })
        // ANCHOR_END: wrong
    }
}

fn work(queue: &Receiver<Job>) {
    for job in queue {
        job();
    }
}

fn main() {}
