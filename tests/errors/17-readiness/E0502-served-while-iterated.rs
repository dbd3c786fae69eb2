struct Guest {
    is_due: bool,
}

struct EventLoop {
    guests: Vec<Guest>,
    turns: usize,
}

impl EventLoop {
    fn serve(&mut self, _guest: usize) {
        self.turns += 1;
    }

    // ANCHOR: wrong
    fn serve_whoever_is_due(&mut self) {
        for (token, guest) in self.guests.iter().enumerate() {
            if guest.is_due {
                self.serve(token);
            }
        }
    }
    // ANCHOR_END: wrong
}

fn main() {
    let mut event_loop = EventLoop {
        guests: vec![Guest { is_due: true }],
        turns: 0,
    };
    event_loop.serve_whoever_is_due();
}
