struct Connection;

impl Connection {
    fn has_more(&self) -> bool {
        false
    }

    fn send(&mut self, response: &str) {
        println!("{response}");
    }

    fn finish(self) {}
}

// ANCHOR: wrong
fn converse(mut connection: Connection) {
    loop {
        connection.send("an answer");
        if !connection.has_more() {
            connection.finish();
        }
    }
}
// ANCHOR_END: wrong

fn main() {
    converse(Connection);
}
