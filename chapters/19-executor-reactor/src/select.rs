//! Waiting for one of two things.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// What came first.
#[derive(Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    First(A),
    Second(B),
}

/// Waits until one of two pinned futures is ready. If both are, it's the first one.
pub async fn select<A, B>(
    mut first: Pin<&mut impl Future<Output = A>>,
    mut second: Pin<&mut impl Future<Output = B>>,
) -> Either<A, B> {
    todo!("(5 of 8) poll the first one, and if it isn't ready, the second one")
}

#[cfg(test)]
mod tests;
