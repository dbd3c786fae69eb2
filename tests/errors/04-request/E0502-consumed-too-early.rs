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

struct Request<'a> {
    target: &'a [u8],
}

fn parse(head: &[u8]) -> Request<'_> {
    Request { target: &head[4..5] }
}

fn respond(request: &Request) {
    println!("{:?}", request.target);
}

fn main() {
    let mut connection = Connection { input: b"GET / HTTP/1.1\r\n\r\n".to_vec() };
    let len = connection.input.len();
    // ANCHOR: wrong
    let request = parse(connection.head(len));
    connection.consume(len);
    respond(&request);
    // ANCHOR_END: wrong
}
