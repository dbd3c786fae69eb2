use std::fs::File;

enum Body {
    Bytes(Vec<u8>),
    File(File, u64),
}

struct Response {
    body: Body,
}

impl Response {
    fn into_body(self) -> Body {
        self.body
    }
}

// ANCHOR: wrong
fn send(response: &Response) {
    match response.into_body() {
        Body::Bytes(content) => {} // …
        Body::File(file, len) => {} // …
    }
}
// ANCHOR_END: wrong

fn main() {
    let body = Body::Bytes(Vec::new());
    send(&Response { body });
}
