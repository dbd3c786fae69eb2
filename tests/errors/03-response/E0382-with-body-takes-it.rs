// ANCHOR: response
struct Response {
    body: Vec<u8>,
}

impl Response {
    fn with_body(mut self, body: Vec<u8>) -> Response {
        self.body = body;
        self
    }
}

fn answer(head: Vec<u8>) -> Response {
    let response = Response { body: Vec::new() };
    response.with_body(head);
    response
}
// ANCHOR_END: response

fn main() {
    answer(Vec::new());
}
