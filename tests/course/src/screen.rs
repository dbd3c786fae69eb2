//! What a terminal is told: plain text, with a little colour where a person looks.

use std::io::{self, IsTerminal, Write};

use crate::Result;

/// Whether to colour.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// Without colour.
    pub fn plain() -> Style {
        Style { colour: false }
    }

    /// With colour, if stdout is a terminal that is known to show it and `NO_COLOR`
    /// is not set.
    pub fn of_stdout() -> Style {
        let set = |name: &str| {
            std::env::var_os(name).is_some_and(|value| !value.is_empty())
        };
        let capable = match std::env::var_os("TERM") {
            Some(term) => term != "dumb",
            None => !cfg!(windows) || set("WT_SESSION"),
        };
        Style {
            colour: io::stdout().is_terminal() && capable && !set("NO_COLOR"),
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// For what is passed.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what failed.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// For what is under way.
    pub fn yours(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// For headings.
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    pub fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// Prints to stdout. Nobody may be reading any more (`cargo course | head -1`): that
/// is no mistake.
pub fn show(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line to stderr, also from within a test, where libtest would keep back
/// what `eprintln!` prints.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Words, between which are spaces, in lines of at most `width` columns. The first
/// line begins with `first`, the others with `margin`.
pub fn wrapped(words: &str, first: &str, margin: &str, width: usize) -> String {
    let columns = |text: &str| text.chars().count();
    let mut lines = first.to_owned();
    let mut line = columns(first);
    let mut begin = line;
    for word in words.split(' ') {
        let space = usize::from(line > begin);
        // A word that is too long for any line stays where there is most room.
        let may_break = line > begin || columns(margin) < begin;
        if may_break && line + space + columns(word) > width {
            lines = format!("{}\n{margin}", lines.trim_end());
            (line, begin) = (columns(margin), columns(margin));
        } else if space > 0 {
            lines.push(' ');
            line += 1;
        }
        lines.push_str(word);
        line += columns(word);
    }
    lines
}

/// "1 check", "2 checks".
pub fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// Ends a test that has found something, or could not look for it, with all that it
/// has found and without the noise of a panic.
///
/// # Panics
/// If there is a complaint.
pub fn expect_none(complaints: Result<Vec<String>>) {
    let complaints = complaints.unwrap_or_else(|why| vec![why]);
    if !complaints.is_empty() {
        println!("{}", complaints.join("\n\n"));
        std::panic::resume_unwind(Box::new("there are complaints"));
    }
}

/// Whether this is a maintainers' run, in which nobody is learning and nothing is
/// passed over.
pub fn strict() -> bool {
    std::env::var_os("COURSE_STRICT").is_some_and(|value| value == "1")
}
