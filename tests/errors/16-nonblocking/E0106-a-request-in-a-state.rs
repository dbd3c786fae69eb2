struct Request<'a> {
    target: &'a str,
}

// ANCHOR: wrong
enum State {
    ReadingHead,
    Handling(Request),
}
// ANCHOR_END: wrong

fn main() {
    let _ = State::ReadingHead;
}
