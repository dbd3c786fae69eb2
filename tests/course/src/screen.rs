//! What a terminal is told: plain text, with a little colour where a person looks.

use std::io::{self, IsTerminal, Write};

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
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let capable = if cfg!(windows) {
            set("WT_SESSION") || set("TERM")
        } else {
            !dumb
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

/// A text in lines of at most 80 columns, each of which begins with `margin`.
pub fn wrapped(text: &str, margin: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let length =
            margin.len() + lines[last].chars().count() + word.chars().count();
        if !lines[last].is_empty() && length + 1 > 80 {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
        .iter()
        .map(|line| format!("{margin}{line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// "1 check", "2 checks".
pub fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// Ends a test that has found something, with all that it has found and without the
/// noise of a panic.
///
/// # Panics
/// If there is a complaint.
pub fn expect_none(complaints: &[String]) {
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
