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

// ANCHOR: select
/// Waits until one of two pinned futures is ready. If both are, it's the first one.
pub async fn select<A, B>(
    mut first: Pin<&mut impl Future<Output = A>>,
    mut second: Pin<&mut impl Future<Output = B>>,
) -> Either<A, B> {
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Either::First(outcome)),
        Poll::Pending => second.as_mut().poll(context).map(Either::Second),
    })
    .await
}
// ANCHOR_END: select

#[cfg(test)]
mod tests;
