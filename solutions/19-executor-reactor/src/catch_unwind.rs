//! A future that may panic.

use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::task::Poll;
use std::thread;

// ANCHOR: catch_unwind
/// Waits for a future. If it panics, that's an error, and it isn't polled again.
///
/// What the panic leaves half done in here is dropped, so no one sees it.
pub async fn catch_unwind<T>(future: impl Future<Output = T>) -> thread::Result<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let poll = AssertUnwindSafe(|| future.as_mut().poll(context));
        match panic::catch_unwind(poll) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}
// ANCHOR_END: catch_unwind

#[cfg(test)]
mod tests;
