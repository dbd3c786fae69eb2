struct Connection {
    input: Vec<u8>,
    start: usize,
}

impl Connection {
    fn head(&self, len: usize) -> &[u8] {
        &self.input[self.start..][..len]
    }

    fn consume(&mut self, len: usize) {
        self.start += len;
    }
}

struct Request<'a> {
    target: &'a [u8],
}

fn parse(head: &[u8]) -> Request<'_> {
    Request { target: &head[4..5] }
}

fn respond(request: &Request) -> String {
    format!("{:?}", request.target)
}

fn main() {
    let mut connection = Connection {
        input: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        start: 0,
    };
    let len = connection.input.len();
    // ANCHOR: wrong
    let request = parse(connection.head(len));
    connection.consume(len);
    let answer = respond(&request);
    // ANCHOR_END: wrong
    println!("{answer}");
}
