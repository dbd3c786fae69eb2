//! Bytes as a person reads them: escapes for what can't be seen, and a caret under
//! one of them.

use std::fmt::Write as _;

use crate::text::{BESIDE, INDENT, wrap};

/// How many lines of context are above a caret, and how many follow it.
const LINES_AROUND: usize = 4;
/// How many lines of text are shown without a caret.
const MOST_LINES: usize = 12;
/// How many of a text that is far too long to be shown: enough to recognise it.
const LINES_OF_LONG: usize = 2;
/// How many bytes make a text far too long.
const LONG: usize = 100_000;
/// The longest line shown, in characters; a longer one is cut around the caret.
pub(crate) const WIDTH: usize = BESIDE - 2;

/// Shows bytes in one line: printable ASCII as it is, everything else escaped
/// (`\r\n`, `\x00`), even if it happens to be text in UTF-8.
pub fn show(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| escape(*byte)).collect()
}

/// The shell command that prints these bytes, such as `printf 'GET /\r\n'`.
pub fn printf(bytes: &[u8]) -> String {
    let mut command = "printf '".to_owned();
    for byte in bytes {
        match byte {
            b'\r' => command.push_str("\\r"),
            b'\n' => command.push_str("\\n"),
            b'\t' => command.push_str("\\t"),
            b'%' => command.push_str("%%"),
            b' '..=b'~' if !b"'\\".contains(byte) => command.push(char::from(*byte)),
            // In octal, which every shell's printf knows.
            byte => {
                let _ = write!(command, "\\{byte:03o}");
            }
        }
    }
    command.push('\'');
    command
}

/// Shows bytes in lines, broken after each `\n`, with a caret under the byte at
/// `mark`.
///
/// `mark` may be the length of `bytes`: the caret is then where the next byte was
/// awaited.
pub(crate) fn with_caret(bytes: &[u8], mark: usize, note: &str) -> String {
    let mut lines = lines(bytes);
    if lines.is_empty() || (mark >= bytes.len() && bytes.ends_with(b"\n")) {
        lines.push((bytes.len(), &[]));
    }
    let marked = lines
        .iter()
        .rposition(|(start, _)| *start <= mark)
        .unwrap_or(0);
    let first = marked.saturating_sub(LINES_AROUND);
    let mut out = Vec::new();
    if first > 0 {
        out.push(match first {
            1 => "… 1 line before".to_owned(),
            first => format!("… {first} lines before"),
        });
    }
    for (index, (start, line)) in lines.iter().enumerate().skip(first) {
        if index == marked {
            let (text, column) = window(line, mark - start);
            out.push(text);
            out.push(caret(column, note));
        } else {
            out.push(window(line, 0).0);
        }
        if index >= marked + LINES_AROUND && index + 1 < lines.len() {
            out.push(match lines.len() - index - 1 {
                1 => "… 1 more line".to_owned(),
                more => format!("… {more} more lines"),
            });
            break;
        }
    }
    out.join("\n")
}

/// Shows bytes in lines, broken after each `\n`; at most a screenful, of a very long
/// text less, and of bytes that aren't text at most a line.
pub(crate) fn in_lines(bytes: &[u8]) -> String {
    let most = match is_text(bytes) {
        true if bytes.len() < LONG => MOST_LINES,
        true => LINES_OF_LONG,
        false => 1,
    };
    let lines = lines(bytes);
    let mut out: Vec<String> = lines
        .iter()
        .take(most)
        .map(|(_, line)| window(line, 0).0)
        .collect();
    if lines.len() > most {
        out.push(format!("… {} bytes in all", bytes.len()));
    }
    out.join("\n")
}

/// Whether a person could read these bytes.
fn is_text(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(200)];
    let odd = |byte: &&u8| !matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~');
    start.iter().filter(odd).count() * 4 < start.len().max(1)
}

/// Splits bytes after each `\n`, each line with the offset at which it starts.
fn lines(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut start = 0;
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| {
            let at = start;
            start += line.len();
            (at, line)
        })
        .collect()
}

/// Shows one line, cut to [`WIDTH`] around the byte at `mark`, and the column of that
/// byte.
fn window(line: &[u8], mark: usize) -> (String, usize) {
    // Bytes further away than this have no room, and a line may have millions of them.
    const NEAR: usize = WIDTH + 1;
    let all = line.len();
    let mark = mark.min(all);
    let start = mark.saturating_sub(NEAR);
    let near = &line[start..all.min(mark + NEAR)];
    let (text, column) = escaped(near, mark - start);
    let length = text.len();
    if length <= WIDTH {
        return (text, column);
    }
    let cut = format!("… ({all} bytes in this line)");
    let room = WIDTH - cut.chars().count() - 1;
    let from = column.saturating_sub(room / 2).min(length - room);
    let mut shown = text[from..from + room].to_owned();
    let mut shift = from;
    if from > 0 {
        shown.insert(0, '…');
        shift -= 1;
    }
    if from + room < length {
        shown.push_str(&cut);
    }
    (shown, column - shift)
}

/// A line with a caret in this column, and words beside it or, if there's no room,
/// below.
pub(crate) fn caret(column: usize, note: &str) -> String {
    let length = note.chars().count();
    let blank = " ".repeat(column);
    if column + 2 + length <= BESIDE {
        format!("{blank}^ {note}")
    } else if length < column {
        format!("{}{note} ^", " ".repeat(column - length - 1))
    } else {
        let words = wrap(note, INDENT);
        format!("{blank}^\n{words}")
    }
}

/// Bytes as they are shown, and the column of the one at `mark`.
pub(crate) fn escaped(bytes: &[u8], mark: usize) -> (String, usize) {
    let mark = mark.min(bytes.len());
    let before = show(&bytes[..mark]);
    let column = before.len();
    (before + &show(&bytes[mark..]), column)
}

/// A byte as it is shown: always in ASCII.
pub(crate) fn escape(byte: u8) -> String {
    match byte {
        b'\r' => "\\r".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printf_prints_any_bytes() {
        let command = printf(b"G'T /%20\\ \0\x7f1\xff\tx\r\n");
        assert_eq!(command, r"printf 'G\047T /%%20\134 \000\1771\377\tx\r\n'");
    }

    #[test]
    fn what_is_not_plain_ascii_is_escaped() {
        assert_eq!(show(b"a\r\n\t\0\\\xff"), "a\\r\\n\\t\\x00\\\\\\xff");
        assert_eq!(show("wörld".as_bytes()), r"w\xc3\xb6rld");
    }

    #[test]
    fn the_caret_is_under_the_byte() {
        let shown = with_caret(b"HTTP/1.1 200 OK\nA: b\r\n", 15, "here");
        assert_eq!(
            shown,
            "HTTP/1.1 200 OK\\n\n               ^ here\nA: b\\r\\n"
        );
    }

    #[test]
    fn the_caret_may_be_after_the_last_byte() {
        assert_eq!(with_caret(b"ab", 2, "ends"), "ab\n  ^ ends");
        assert_eq!(with_caret(b"a\n", 2, "ends"), "a\\n\n\n^ ends");
        assert_eq!(with_caret(b"", 0, "nothing"), "\n^ nothing");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let mut line = vec![b'x'; 1000];
        line[500] = b'!';
        let shown = with_caret(&line, 500, "here");
        let (text, caret) = shown.split_once('\n').unwrap();
        let column = caret.find('^').unwrap();
        assert_eq!(text.chars().nth(column), Some('!'));
        assert!(text.chars().count() < 140, "{text}");
    }

    #[test]
    fn no_line_is_wider_than_a_report() {
        let mut bytes = vec![b'x'; 1000];
        for mark in [0, 30, 60, 500, 970, 1000] {
            bytes[mark.min(999)] = 0xff;
            let note = "a note of many words that has no room beside the caret";
            let shown = with_caret(&bytes, mark, note);
            let widest = shown.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(BESIDE), "{shown}");
        }
    }

    #[test]
    fn a_line_of_megabytes_is_shown_as_soon_as_a_short_one() {
        let line = vec![b'x'; 24 << 20];
        let begin = std::time::Instant::now();
        let shown = with_caret(&line, line.len(), "here");
        assert!(shown.len() < 400, "{} bytes", shown.len());
        // It took minutes under Wine when each byte was escaped.
        let took = begin.elapsed();
        assert!(took.as_secs() < 5, "it took {took:?}");
    }
}
