fn append_to(out: &mut Vec<u8>) {
    out.extend_from_slice("HTTP/1.1 200 OK\r\n");
}

fn main() {
    append_to(&mut Vec::new());
}
