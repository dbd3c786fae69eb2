struct Refusal {
    status: u16,
}

// ANCHOR: wrong
fn parse_target(word: &[u8]) -> Result<&str, Refusal> {
    let target = str::from_utf8(word)?;
    if target.is_empty() {
        return Err(Refusal { status: 400 });
    }
    Ok(target)
}
// ANCHOR_END: wrong

fn main() {
    if let Err(refusal) = parse_target(b"") {
        println!("{}", refusal.status);
    }
}
