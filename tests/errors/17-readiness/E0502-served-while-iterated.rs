struct Turn {
    now: u64,
}

struct Conversation {
    until: u64,
}

impl Conversation {
    fn is_due(&self, now: u64) -> bool {
        self.until <= now
    }
}

struct Guest {
    conversation: Conversation,
}

struct Slots(Vec<Guest>);

impl Slots {
    fn iter(&self) -> impl Iterator<Item = (usize, &Guest)> {
        self.0.iter().enumerate()
    }
}

struct EventLoop {
    guests: Slots,
    turns: usize,
}

impl EventLoop {
    fn serve(&mut self, _token: usize, _hangup: bool, _turn: &mut Turn) -> bool {
        self.turns += 1;
        true
    }

    // ANCHOR: wrong
    fn serve_whoever_is_due(&mut self, turn: &mut Turn) {
        for (token, guest) in self.guests.iter() {
            if guest.conversation.is_due(turn.now) {
                self.serve(token, false, turn);
            }
        }
    }
    // ANCHOR_END: wrong
}

fn main() {
    let conversation = Conversation { until: 1 };
    let mut event_loop = EventLoop {
        guests: Slots(vec![Guest { conversation }]),
        turns: 0,
    };
    event_loop.serve_whoever_is_due(&mut Turn { now: 2 });
}
