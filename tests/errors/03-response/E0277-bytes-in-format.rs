fn append_to(body: &Vec<u8>, out: &mut Vec<u8>) {
    let text = format!("Content-Length: {}\r\n\r\n{}", body.len(), body);
    out.extend_from_slice(text.as_bytes());
}

fn main() {
    append_to(&Vec::new(), &mut Vec::new());
}
