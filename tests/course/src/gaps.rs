//! The gaps of a starter: each `todo!` that is left, in the order in which the page
//! explains them.

use std::ops::Range;

use crate::layout::{Chapter, Course, files};

/// What keeps the compiler quiet about a starter with gaps, at its beginning.
pub const QUIET: &str = "\
#![allow(unused, reason = \"there are gaps; delete once none is left\")]
#![warn(unused_must_use)]

";

/// A `todo!` that is still to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where it is: `chapters/04-request/src/http.rs:88`.
    pub place: String,
    /// Its number on the page and how many there are, where it has one.
    pub number: Option<(u8, u8)>,
    /// What is to be written.
    pub text: String,
}

impl Gap {
    /// `gap 2 of 7`, or `a gap` where they are not numbered.
    pub fn name(&self) -> String {
        match self.number {
            Some((number, of)) => format!("gap {number} of {of}"),
            None => "a gap".into(),
        }
    }
}

/// The gaps that a chapter still has, by their numbers.
pub fn gaps(course: &Course, chapter: Chapter) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let folder = course.starter(chapter);
    for (path, contents) in files(&folder).unwrap_or_default() {
        let text = String::from_utf8_lossy(&contents);
        for gap in spans(&text) {
            let line = text[..gap.start].matches('\n').count() + 1;
            let message = literal(&text[gap]);
            let (number, words) = numbered(&message);
            gaps.push(Gap {
                place: format!("{}/{path}:{line}", course.shown(&folder)),
                number,
                text: words.to_owned(),
            });
        }
    }
    gaps.sort_by_key(|gap| gap.number.map_or(u8::MAX, |(number, _)| number));
    gaps
}

/// Where the gaps in a piece of Rust are, from `todo!(` to `)`.
pub fn spans(text: &str) -> Vec<Range<usize>> {
    let begins = text.match_indices("todo!(").map(|(begin, _)| begin);
    let is_comment = |begin: &usize| {
        let line = text[..*begin].rsplit('\n').next().unwrap_or_default();
        line.trim_start().starts_with("//")
    };
    let span = |begin: usize| {
        let (mut quoted, mut escaped, mut open) = (false, false, 0);
        let end = text[begin..].find(|c| {
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            match c {
                '(' if !quoted => open += 1,
                ')' if !quoted => open -= 1,
                _ => {}
            }
            c == ')' && !quoted && open == 0
        });
        begin..end.map_or(text.len(), |end| begin + end + 1)
    };
    begins
        .filter(|begin| !is_comment(begin))
        .map(span)
        .collect()
}

/// Takes the number from the front of a message: `(2 of 7) fill the input`.
pub fn numbered(message: &str) -> (Option<(u8, u8)>, &str) {
    let number = || {
        let (inside, words) = message.strip_prefix('(')?.split_once(") ")?;
        let (number, of) = inside.split_once(" of ")?;
        Some(((number.parse().ok()?, of.parse().ok()?), words))
    };
    match number() {
        Some((number, words)) => (Some(number), words),
        None => (None, message),
    }
}

/// The first string in a piece of Rust.
fn literal(code: &str) -> String {
    let mut text = String::new();
    let mut letters = code.chars().skip_while(|&c| c != '"').skip(1).peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('\n' | '\r') => {
                    while letters.next_if(|c| c.is_whitespace()).is_some() {}
                }
                other => text.extend(other),
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_to_its_end() {
        let code = "todo!(\n    \"(2 of 7) (say \\\"hi\\\" \\\n      twice\"\n)";
        let spans = spans(&format!("{code};\n// todo!()"));
        assert_eq!((spans.len(), spans[0].end), (1, code.len()));
        let message = literal(code);
        assert_eq!(message, "(2 of 7) (say \"hi\" twice");
        assert_eq!(numbered(&message), (Some((2, 7)), "(say \"hi\" twice"));
        assert_eq!(numbered("(a of 7) b"), (None, "(a of 7) b"));
        assert_eq!(literal("todo!()"), "");
    }
}
