struct Handler;

enum State {
    ReadingHead,
    Handling(Handler),
}

struct Conversation {
    state: State,
}

impl Conversation {
    fn handle(&mut self, _handler: Handler) {}

    // ANCHOR: wrong
    fn go_on(&mut self) {
        match self.state {
            State::ReadingHead => {}
            State::Handling(handler) => self.handle(handler),
        }
    }
    // ANCHOR_END: wrong
}

fn main() {}
