//! Waiting for one of two things.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// What came first.
#[derive(Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    First(A),
    Second(B),
}

/// Waits until one of two futures is ready, and drops the other. If both are, it's
/// the first one.
pub async fn select<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> Either<A, B> {
    todo!("(5 of 8) pin both, and poll the first one first")
}

#[cfg(test)]
mod tests;
