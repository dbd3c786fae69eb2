use std::pin::Pin;
use std::task::{Context, Poll};

struct Sleep;

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

struct Meeting {
    patience: Sleep,
}

impl Future for Meeting {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        // ANCHOR: wrong
        self.patience.poll(context).map(|()| false)
        // ANCHOR_END: wrong
    }
}

fn main() {
    let _ = Meeting { patience: Sleep };
}
