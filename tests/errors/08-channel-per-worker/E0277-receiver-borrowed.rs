use std::sync::mpsc::{self, Receiver, Sender};
use std::{io, thread};

type Job = Box<dyn FnOnce() + Send + 'static>;

struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    // ANCHOR: wrong
    fn new() -> io::Result<Worker> {
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().spawn(|| work(&queue))?;
        Ok(Worker { jobs })
    }
    // ANCHOR_END: wrong
}

fn work(queue: &Receiver<Job>) {
    for job in queue {
        job();
    }
}

fn main() {}
