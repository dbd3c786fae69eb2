use std::sync::Mutex;
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
        let queue = Mutex::new(queue);
        for _ in 0..size {
            thread::Builder::new().spawn(move || work(&queue))?;
        }
        Ok(ThreadPool { jobs })
        // ANCHOR_END: wrong
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {}

fn main() {}
