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

// ANCHOR: select
/// Waits until one of two futures is ready, and drops the other. If both are, it's
/// the first one.
pub async fn select<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> Either<A, B> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Either::First(outcome)),
        Poll::Pending => second.as_mut().poll(context).map(Either::Second),
    })
    .await
}
// ANCHOR_END: select

#[cfg(test)]
mod tests;
