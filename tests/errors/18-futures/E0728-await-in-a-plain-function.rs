use std::future::ready;

struct App;

impl App {
    // ANCHOR: wrong
    fn respond(&self, asked: u32) -> String {
        ready(()).await;
        format!("waited {asked} ms\n")
    }
    // ANCHOR_END: wrong
}

fn main() {
    App.respond(300);
}
