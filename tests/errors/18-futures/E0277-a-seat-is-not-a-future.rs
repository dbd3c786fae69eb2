struct Seat;

struct Meetings;

impl Meetings {
    fn take_seat(&self, _size: usize) -> Seat {
        Seat
    }
}

struct App {
    meetings: Meetings,
}

impl App {
    async fn respond(self, size: usize) -> String {
        // ANCHOR: wrong
        self.meetings.take_seat(size).await;
        format!("{size} met\n")
        // ANCHOR_END: wrong
    }
}

fn main() {
    drop(App { meetings: Meetings }.respond(2));
}
