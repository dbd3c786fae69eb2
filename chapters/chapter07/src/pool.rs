//! A pool of threads: it runs jobs at the same time, but never more than a fixed number of them.

// #[cfg(test)]
// mod tests;
