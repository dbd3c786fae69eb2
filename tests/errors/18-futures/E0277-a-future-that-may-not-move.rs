use std::pin::Pin;
use std::task::{Context, Poll};

struct Response;

// ANCHOR: wrong
struct Handler(Box<dyn Future<Output = Response>>);

impl Handler {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response> {
        Pin::new(&mut *self.0).poll(context)
    }
}
// ANCHOR_END: wrong

fn main() {
    let _ = Handler(Box::new(async { Response }));
}
