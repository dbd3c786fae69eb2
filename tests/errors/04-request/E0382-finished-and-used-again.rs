use std::io;

struct Connection;

impl Connection {
    fn send(&mut self, response: &str) -> io::Result<bool> {
        println!("{response}");
        Ok(false)
    }

    fn finish(self) {}
}

// ANCHOR: wrong
fn converse(mut connection: Connection) -> io::Result<()> {
    loop {
        if !connection.send("an answer")? {
            connection.finish();
        }
    }
}
// ANCHOR_END: wrong

fn main() -> io::Result<()> {
    converse(Connection)
}
