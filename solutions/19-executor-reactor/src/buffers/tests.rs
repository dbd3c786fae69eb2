use std::fs;
use std::io::{Seek, Write};

use super::*;

/// A file of this many bytes, no two places of which are alike, read from its start.
fn file(name: &str, len: usize) -> (File, Vec<u8>) {
    let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    let bytes: Vec<u8> = (0..len as u32 / 4 + 1).flat_map(u32::to_be_bytes).collect();
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .expect("a temporary file");
    fs::remove_file(path).expect("it can be removed");
    file.write_all(&bytes[..len]).expect("a write");
    file.rewind().expect("a start");
    (file, bytes[..len].to_vec())
}

/// Takes out what is to be sent, `most` bytes at a time.
fn send(output: &mut Output, most: usize) -> Vec<u8> {
    let mut sent = Vec::new();
    loop {
        let piece = output.piece();
        assert!(piece.len() <= PIECE, "{} bytes in one piece", piece.len());
        let taken = piece.len().min(most);
        if taken == 0 {
            return sent;
        }
        sent.extend_from_slice(&piece[..taken]);
        output.sent(taken);
    }
}

#[test]
fn input_keeps_what_was_not_used() {
    let mut input = Input::default();
    let (mut given, mut wanted) = (0_u32, 0);
    for round in 0..200 {
        let bytes: Vec<u8> =
            (given..given + 1500).flat_map(u32::to_be_bytes).collect();
        given += 1500;
        input.room()[..bytes.len()].copy_from_slice(&bytes);
        input.add(bytes.len());
        // Sometimes less is used than has come, and sometimes more.
        let used = (input.unread().len() / 4).min(1000 + round % 3 * 500);
        for four in input.unread()[..used * 4].chunks(4) {
            assert_eq!(four, u32::to_be_bytes(wanted), "in round {round}");
            wanted += 1;
        }
        input.consume(used * 4);
    }
    let held = input.bytes.len();
    assert!(
        held < 4 * READ + 4 * (given - wanted) as usize,
        "it holds {held} bytes"
    );
}

#[test]
fn output_sends_a_file_in_pieces_behind_its_head() {
    for (len, most) in [(0, 1), (1, 1), (PIECE, 50_000), (PIECE * 3 + 1, 7_000)] {
        let (file, content) = file("pieces", len);
        let mut output = Output::default();
        output.bytes().extend(b"head");
        output.put(Body::File(file, len as u64));
        assert_eq!(output.is_full(), len + 4 > PIECE, "with {len} bytes");
        let sent = send(&mut output, most);
        assert!(sent == [b"head", &content[..]].concat(), "with {len} bytes");
        assert!(output.is_empty() && output.failure().is_none());
    }
}

#[test]
fn output_says_when_a_file_has_become_shorter() {
    let (file, content) = file("shorter", 100_000);
    let mut output = Output::default();
    output.put(Body::File(file, 100_001));
    let sent = send(&mut output, PIECE);
    assert!(sent == content, "what there is of it is sent");
    assert!(output.failure().is_some() && output.is_full());
}

#[test]
fn output_forgets_what_was_sent() {
    let mut output = Output::default();
    for _ in 0..10_000 {
        output.put(Body::Bytes(vec![b'x'; 100]));
        send(&mut output, 100);
    }
    assert!(
        output.bytes.capacity() < 10_000,
        "{}",
        output.bytes.capacity()
    );
}
