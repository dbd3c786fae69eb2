fn append_to(status: u16, out: &mut Vec<u8>) {
    write!(out, "HTTP/1.1 {status} OK\r\n");
}

fn main() {
    append_to(200, &mut Vec::new());
}
