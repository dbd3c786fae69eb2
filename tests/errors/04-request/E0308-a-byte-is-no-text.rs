// ANCHOR: wrong
fn line_ends(bytes: &[u8]) -> usize {
    let mut count = 0;
    for &byte in bytes {
        if byte == "\n" {
            count += 1;
        }
    }
    count
}
// ANCHOR_END: wrong

fn main() {
    println!("{}", line_ends(b"GET / HTTP/1.1\r\n\r\n"));
}
