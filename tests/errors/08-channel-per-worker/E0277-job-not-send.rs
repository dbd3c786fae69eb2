use std::sync::mpsc::{self, Receiver, Sender};
use std::{io, thread};

// ANCHOR: wrong
type Job = Box<dyn FnOnce() + 'static>;
// ANCHOR_END: wrong

struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    fn new() -> io::Result<Worker> {
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().spawn(move || work(&queue))?;
        Ok(Worker { jobs })
    }
}

fn work(queue: &Receiver<Job>) {
    for job in queue {
        job();
    }
}

fn main() {}
