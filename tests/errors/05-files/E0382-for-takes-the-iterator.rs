// ANCHOR: wrong
fn decode(segment: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    for byte in rest {
        if byte == b'%' {
            let high = rest.next();
            // …
        }
        bytes.push(byte);
    }
    bytes
}
// ANCHOR_END: wrong

fn main() {
    println!("{:?}", decode("a%20b"));
}
