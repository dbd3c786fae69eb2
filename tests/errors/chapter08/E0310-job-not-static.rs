use std::sync::mpsc::Sender;

type Job = Box<dyn FnOnce() + Send + 'static>;

struct Worker {
    jobs: Sender<Job>,
}

// ANCHOR: wrong
fn give<F>(worker: &Worker, job: F)
where
    F: FnOnce() + Send,
{
    let _ = worker.jobs.send(Box::new(job));
}
// ANCHOR_END: wrong

fn main() {}
