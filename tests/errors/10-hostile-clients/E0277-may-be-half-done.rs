use std::panic::catch_unwind;

type Job = Box<dyn FnOnce() + Send + 'static>;

// ANCHOR: wrong
fn run(job: Job) {
    let _ = catch_unwind(job);
}
// ANCHOR_END: wrong

fn main() {
    run(Box::new(|| println!("a job")));
}
