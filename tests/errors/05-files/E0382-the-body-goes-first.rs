use std::fs::File;

enum Body {
    Bytes(Vec<u8>),
    File(File, u64),
}

struct Response {
    body: Body,
}

impl Response {
    fn append_to(&self, out: &mut Vec<u8>) {
        if let Body::Bytes(bytes) = &self.body {
            out.extend_from_slice(bytes);
        }
    }

    fn into_body(self) -> Body {
        self.body
    }
}

// ANCHOR: wrong
fn send(response: Response) {
    if let Body::File(file, len) = response.into_body() {
        // …
    }
    let mut bytes = Vec::new();
    response.append_to(&mut bytes);
}
// ANCHOR_END: wrong

fn main() {
    let body = Body::Bytes(Vec::new());
    send(Response { body });
}
