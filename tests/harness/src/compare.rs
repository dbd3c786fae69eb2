//! What should have come and what came, side by side.

use crate::bytes::{WIDTH, caret, escape, escaped, show};

/// Shows the same span of what should have come and of what came, around byte `at`,
/// the first in which they differ: each in one line, and the second with a caret.
pub(crate) fn side_by_side(
    wanted: &[u8],
    got: &[u8],
    at: usize,
    note: &str,
) -> (String, String) {
    // As many bytes as fit if each of them takes four columns, as `\xff` does.
    const BEFORE: usize = 6;
    const BYTES: usize = 14;
    let narrow = |bytes: &[u8]| bytes.iter().all(|byte| escape(*byte).len() == 1);
    let span = |before: usize, len: usize| {
        let from = at.saturating_sub(before);
        (from, from + len)
    };
    let slice = |bytes: &[u8], (from, to): (usize, usize)| {
        bytes[from.min(bytes.len())..to.min(bytes.len())].to_vec()
    };
    // Four times as many if all are letters, and all of them if they fit.
    let all = wanted.len().max(got.len());
    let fit = all <= WIDTH && show(wanted).len().max(show(got).len()) <= WIDTH;
    let mut place = span(4 * BEFORE, 4 * BYTES);
    if fit {
        place = (0, all);
    } else if !narrow(&slice(wanted, place)) || !narrow(&slice(got, place)) {
        place = span(BEFORE, BYTES);
    }
    let line = |bytes: &[u8]| {
        let begin = if place.0 > 0 { "…" } else { "" };
        let end = if place.1 < bytes.len() { "…" } else { "" };
        format!("{begin}{}{end}", show(&slice(bytes, place)))
    };
    let (_, column) = escaped(&slice(got, place), at - place.0);
    let column = column + usize::from(place.0 > 0);
    let (from, to) = (place.0, place.1.min(wanted.len()));
    let of = match (from, to - from == wanted.len()) {
        (0, true) => String::new(),
        _ => format!("\n(bytes {from} to {} of {})", to - 1, wanted.len()),
    };
    let note = match wanted.get(at) {
        Some(byte) => format!("{note}; expected {}", name(*byte)),
        None => note.to_owned(),
    };
    let got = format!("{}\n{}", line(got), caret(column, &note));
    (line(wanted) + &of, got)
}

/// A byte by its sign and its number, so that a blank and a NUL can be told apart.
fn name(byte: u8) -> String {
    format!("\"{}\" (0x{byte:02x})", escape(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_shown_beside_what_should_have_come() {
        let wanted = "0123456789".repeat(20);
        let got = wanted.replacen('5', "x", 9).replacen('x', "5", 8);
        let (wanted, got) =
            side_by_side(wanted.as_bytes(), got.as_bytes(), 85, "wrong");
        let wanted: Vec<&str> = wanted.lines().collect();
        let got: Vec<&str> = got.lines().collect();
        assert_eq!(
            wanted[0].replace("45678", "4x678"),
            got[0].replace("45678", "4x678")
        );
        let column = got[1].chars().position(|sign| sign == '^').unwrap();
        assert_eq!(got[0].chars().nth(column), Some('x'));
        assert_eq!(wanted[0].chars().nth(column), Some('5'));
        assert!(got[1].contains("expected \"5\""), "{}", got[1]);
        assert_eq!(wanted[1], "(bytes 61 to 116 of 200)");
    }

    #[test]
    fn the_spans_are_the_same_where_bytes_are_wide() {
        let wanted = vec![0xff; 100];
        let mut got = wanted.clone();
        got[50] = b'A';
        let (wanted, got) = side_by_side(&wanted, &got, 50, "wrong");
        assert!(
            wanted.starts_with(r"…\xff\xff\xff\xff\xff\xff\xff"),
            "{wanted}"
        );
        assert!(got.starts_with(r"…\xff\xff\xff\xff\xff\xffA\xff"), "{got}");
        let (_, got) = side_by_side(b"ab", b"a", 1, "closed here");
        assert_eq!(got, "a\n ^ closed here; expected \"b\" (0x62)");
    }
}
