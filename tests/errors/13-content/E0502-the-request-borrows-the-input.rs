struct Request<'a> {
    target: &'a [u8],
}

impl Request<'_> {
    fn persistence(&self) -> bool {
        !self.target.is_empty()
    }
}

struct Connection {
    input: Vec<u8>,
}

impl Connection {
    fn head(&self, len: usize) -> &[u8] {
        &self.input[..len]
    }

    fn consume(&mut self, len: usize) {
        self.input.drain(..len);
    }
}

// ANCHOR: wrong
fn answer(connection: &mut Connection, len: usize) -> bool {
    let request = Request {
        target: connection.head(len),
    };
    connection.consume(len);
    request.persistence()
}
// ANCHOR_END: wrong

fn main() {
    let _ = answer;
}
