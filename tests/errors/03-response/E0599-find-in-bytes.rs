fn end_of_head(head: &Vec<u8>) -> Option<usize> {
    head.find("\r\n\r\n")
}

fn main() {
    end_of_head(&b"GET / HTTP/1.1\r\n\r\n".to_vec());
}
