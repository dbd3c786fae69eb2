//! The gaps of a starter: each `todo!` that is left, in the order in which the page
//! explains them.

use crate::layout::{Chapter, Course, files};

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
        let mut begin = 0;
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            if let Some(at) = line.find("todo!(")
                && !line.trim_start().starts_with("//")
            {
                let message = literal(&text[begin + at..]);
                let (number_of, words) = numbered(&message);
                gaps.push(Gap {
                    place: format!("{}/{path}:{number}", course.shown(&folder)),
                    number: number_of,
                    text: words.to_owned(),
                });
            }
            begin += line.len();
        }
    }
    gaps.sort_by_key(|gap| gap.number.map_or(u8::MAX, |(number, _)| number));
    gaps
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
        let code = "todo!(\n    \"(2 of 7) say \\\"hi\\\" \\\n      twice\"\n)";
        let message = literal(code);
        assert_eq!(message, "(2 of 7) say \"hi\" twice");
        assert_eq!(numbered(&message), (Some((2, 7)), "say \"hi\" twice"));
        assert_eq!(numbered("(a of 7) b"), (None, "(a of 7) b"));
        assert_eq!(literal("todo!()"), "");
    }
}
