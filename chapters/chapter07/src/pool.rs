//! A pool of threads: it runs jobs at the same time, but never more than a fixed number of them.

// Step 3, when `main.rs` compiles:
// #[cfg(test)]
// mod tests;
