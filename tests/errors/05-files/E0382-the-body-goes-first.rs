use std::fs::File;

enum Body {
    Bytes(Vec<u8>),
    File(File, u64),
}

struct Response {
    body: Body,
}

impl Response {
    fn append_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n\r\n");
    }

    fn into_body(self) -> Body {
        self.body
    }
}

// ANCHOR: wrong
fn send(response: Response) {
    match response.into_body() {
        Body::Bytes(content) => {} // …
        Body::File(file, len) => {} // …
    }
    let mut bytes = Vec::new();
    response.append_head(&mut bytes);
}
// ANCHOR_END: wrong

fn main() {
    let body = Body::Bytes(Vec::new());
    send(Response { body });
}
