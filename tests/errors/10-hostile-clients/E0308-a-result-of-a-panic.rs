use std::panic::catch_unwind;

struct Response;

struct App;

impl App {
    fn respond(&self) -> Response {
        Response
    }
}

// ANCHOR: wrong
fn respond(app: &App) -> Response {
    catch_unwind(|| app.respond())
}
// ANCHOR_END: wrong

fn main() {
    respond(&App);
}
