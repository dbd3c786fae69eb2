enum Version {
    Http10,
    Http11,
}

// ANCHOR: wrong
fn parse_version(word: &[u8]) -> Option<Version> {
    match word {
        "HTTP/1.0" => Some(Version::Http10),
        "HTTP/1.1" => Some(Version::Http11),
        _ => None,
    }
}
// ANCHOR_END: wrong

fn main() {
    parse_version(b"HTTP/1.1");
}
