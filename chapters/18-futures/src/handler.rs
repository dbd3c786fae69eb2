//! Handlers that wait. Each is a future: a value that can be asked whether its answer
//! is there, and that has someone told when to ask again.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::response::Response;

/// A request that isn't answered yet: the future of its answer.
pub struct Handler(Pin<Box<dyn Future<Output = Response>>>);

impl Handler {
    /// A handler that hasn't been asked yet.
    pub fn new(answer: impl Future<Output = Response> + 'static) -> Handler {
        Handler(Box::pin(answer))
    }

    /// The answer, if it can be given now. This never waits.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Handler")
    }
}
