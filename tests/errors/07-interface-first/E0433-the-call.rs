mod pool {}

mod options {
    pub fn cannot_make_pool(threads: usize, error: &std::io::Error) -> String {
        format!("cannot make a pool of {threads} threads: {error}")
    }
}

struct Options {
    threads: usize,
}

fn run(options: &Options) -> Result<(), String> {
    // ANCHOR: wrong
    let pool = ThreadPool::new(options.threads)
        .map_err(|error| options::cannot_make_pool(options.threads, &error))?;
    // ANCHOR_END: wrong
    Ok(())
}

fn main() {}
