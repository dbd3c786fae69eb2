//! The report that a learner reads when a check fails.
//!
//! What it says must not depend on who wins a race: a program that ends is noticed as
//! a refused connection, as a reset, or as an exit, whichever comes first. So a
//! report waits until the program has ended or rests, and then gives the cause that
//! tells most: a fault of the machine, a panic, the end of the program, and only then
//! what a client saw.

use std::fmt::Write as _;
use std::panic::Location;

use crate::cause::{Cause, Known};
use crate::check::Check;
use crate::machine::Fault;
use crate::panics::without_caused;
use crate::text::{INDENT, fold, last_lines, row, shown_steps, wrap};
use crate::{ground, hints};

/// What went wrong, as the part that noticed it can tell.
#[derive(Default)]
pub(crate) struct Failure {
    /// One sentence: what happened.
    pub(crate) problem: String,
    /// What was sent, ready to show.
    pub(crate) sent: String,
    /// What should have come back, ready to show.
    pub(crate) wanted: String,
    /// What came back, ready to show.
    pub(crate) got: String,
    /// The usual reason, in a sentence or two.
    pub(crate) likely: String,
    /// What the program printed, if it has already ended.
    pub(crate) stderr: Option<String>,
    /// What kind of failure it is.
    pub(crate) symptom: Symptom,
}

/// What kind of failure a client or the milestone noticed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Symptom {
    /// The program did something else than was expected, or nothing.
    #[default]
    Wrong,
    /// A connection couldn't be made, or broke: the program may be gone.
    Lost,
    /// The program didn't come so far that a client could connect.
    NotStarted,
    /// The machine is at fault, and nothing else needs to be looked for.
    Machine,
}

impl Fault {
    pub(crate) fn into_failure(self) -> Failure {
        Failure {
            problem: self.problem,
            likely: self.likely,
            symptom: Symptom::Machine,
            ..Failure::default()
        }
    }
}

impl Check {
    /// Ends the check with a report.
    #[track_caller]
    pub(crate) fn report(&self, failure: Failure) -> ! {
        ground::fail(self.text(failure, Location::caller()))
    }

    fn text(&self, failure: Failure, location: &Location<'_>) -> String {
        let run = failure.stderr.as_ref();
        // Of a program that has ended by itself, all is known.
        let program = self.program().filter(|_| run.is_none());
        let known = Known {
            exit: program.as_ref().and_then(|program| program.settles()),
            was_started: program.is_some(),
            stderr: match (run, program) {
                (Some(stderr), _) => stderr.clone(),
                (None, Some(program)) => program.stderr(),
                (None, None) => String::new(),
            },
        };
        self.shown(failure, known, location)
    }

    fn shown(
        &self,
        mut failure: Failure,
        known: Known,
        location: &Location<'_>,
    ) -> String {
        let cause = Cause::find(self, &mut failure, &known);

        let mut out = format!("\n{}\n", wrap(&cause.first, 0));
        if !cause.seen.is_empty() {
            let seen = format!("Seen from outside: {}", cause.seen);
            let _ = writeln!(out, "{}", wrap(&seen, 0));
        }
        out.push('\n');
        row(&mut out, "checked", &wrap(&self.title, INDENT));
        row(
            &mut out,
            "tried",
            &wrap(&shown_steps(&self.steps()), INDENT),
        );
        row(&mut out, "sent", &failure.sent);
        row(&mut out, "wanted", &failure.wanted);
        row(&mut out, "got", &failure.got);
        row(&mut out, "likely", &wrap(&cause.likely, INDENT));
        // What a program printed that ended by itself is part of what came back.
        if failure.stderr.is_none() {
            let shown = last_lines(&without_caused(&known.stderr, &self.caused));
            match &cause.panic {
                Some(panic) if !shown.contains(panic.text.as_str()) => {
                    row(&mut out, "panic", &fold(&panic.text));
                }
                _ => {}
            }
            row(&mut out, "stderr", &fold(&shown));
        }
        // What the check brought about itself needs no explanation.
        let unexplained = match self.has_few_files() {
            true => hints::without_emfile(&known.stderr),
            false => known.stderr,
        };
        let means = hints::meaning(&unexplained).unwrap_or_default();
        row(&mut out, "means", &wrap(&means, INDENT));
        row(&mut out, "by hand", &self.commands());
        let mut read = format!("book/src/{}.md", self.page);
        if !cause.section.is_empty() {
            let _ = write!(read, "#{}", cause.section);
        }
        // Cargo names the file as the manifest does:
        // chapters/01-bind/../../tests/01-bind.rs.
        let file = location.file();
        let file = file.rsplit_once("../").map_or(file, |(_, file)| file);
        let _ = write!(read, "\n(this check: {file}:{})", location.line());
        row(&mut out, "read", &read);
        out
    }
}

/// What a program printed on one of its streams, for a report.
pub(crate) fn stream(name: &str, text: &str) -> String {
    match last_lines(text) {
        text if text.is_empty() => format!("{name}: (nothing)\n"),
        text => fold(&format!("{name}: {text}")) + "\n",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::text::OUTPUT_LINES;

    fn failing(stderr: &str) -> String {
        let check = Check::new(Path::new("program"), "chapter02", "bytes come back")
            .read_on("02-echo", "echo")
            .gaps(&["one", "two"])
            .by_hand("printf x | nc -N 127.0.0.1 {port}");
        check.step("connect");
        let failure = Failure {
            problem: "Nothing came back.".to_owned(),
            likely: "it waits.".to_owned(),
            ..Failure::default()
        };
        let program = Known {
            stderr: stderr.to_owned(),
            exit: None,
            was_started: false,
        };
        check.shown(failure, program, Location::caller())
    }

    #[test]
    fn a_report_says_what_was_tried_and_where_to_read() {
        let text = failing("");
        assert!(text.starts_with("\nNothing came back.\n"), "{text}");
        assert!(text.contains("  checked   bytes come back\n"), "{text}");
        assert!(text.contains("  tried     connect\n"), "{text}");
        assert!(text.contains("cargo run -p chapter02\n"), "{text}");
        assert!(text.contains("printf x | nc -N 127.0.0.1 7878\n"), "{text}");
        assert!(text.contains("book/src/02-echo.md#echo\n"), "{text}");
        assert!(!text.contains("sent"), "an empty row is left out: {text}");
    }

    #[test]
    fn a_gap_comes_first_in_words() {
        let text = failing(
            "thread 'main' (7) panicked at src/main.rs:31:5:\n\
             not yet implemented: send every byte back\nnote: run with\n",
        );
        let first = "\nStill to be written: send every byte back (src/main.rs:31)\n";
        assert!(text.starts_with(first), "{text}");
        assert!(text.contains("02-echo.md#echo\n"), "{text}");
    }

    #[test]
    fn a_numbered_gap_leads_to_its_section() {
        let gap = |number| {
            failing(&format!(
                "thread 'main' panicked at src/main.rs:3:5:\n\
                 not yet implemented: ({number} of 3) echo\n"
            ))
        };
        assert!(gap(2).contains("02-echo.md#two\n"), "{}", gap(2));
        assert!(gap(3).contains("02-echo.md#echo\n"), "{}", gap(3));
    }

    #[test]
    fn a_panic_comes_first_with_its_place() {
        let text = failing("thread 'main' panicked at src/main.rs:9:40:\noh no\n");
        let first = "\nThe program panicked: oh no (src/main.rs:9)\n";
        assert!(text.starts_with(first), "{text}");
        assert!(!text.contains("  panic "), "stderr shows it: {text}");
    }

    #[test]
    fn a_panic_long_ago_is_shown_beside_what_came_later() {
        let later: String = (0..=OUTPUT_LINES).map(|n| format!("{n}\n")).collect();
        let panic = "thread 'main' panicked at src/main.rs:9:40:\noh no\n";
        let text = failing(&format!("{panic}{later}"));
        assert!(
            text.contains("  panic     thread 'main' panicked"),
            "{text}"
        );
        assert!(text.contains("  stderr    … 3 lines before\n"), "{text}");
    }

    #[test]
    fn what_the_program_said_is_shown_and_explained() {
        let text = failing("a client: would block (os error 11)\n");
        assert!(text.contains("  stderr    a client: would block"), "{text}");
        assert!(text.contains("  likely    it waits.\n"), "{text}");
        assert!(text.contains("  means     WouldBlock: a socket"), "{text}");
    }
}
