//! What those who write the course say to `cargo course dev`.

use std::process::ExitCode;
use std::time::Duration;

use super::{answers, bless, carry};
use crate::command::{Trouble, chapter, course};
use crate::screen::{note, show};

const USAGE: &str = "\
For those who write the course:

cargo course dev answers [N [NAME]]  judges wrong and right answers: all, those
                                     of chapter N, or those with NAME in their
                                     path, which are shown with their reports
cargo course dev bless               writes the generated files again
cargo course dev bless PART          only errors and transcripts called PART
cargo course dev bless starters      only the fingerprints of the starters
cargo course dev carry-up N          carries a change of solution N up: what is
                                     uncommitted, or with --base REVISION all
                                     since then
";

/// An answer may take so long on a machine with much else to do.
const DEADLINE: Duration = Duration::from_secs(60);

/// Does what the words after `dev` ask for.
pub fn run(words: &[&str]) -> Result<ExitCode, Trouble> {
    let usage = |sentence: &str| Err(Trouble::Usage(sentence.to_owned()));
    match *words {
        [] | ["help" | "--help" | "-h"] => {
            show(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        ["answers"] => judge(None, ""),
        ["answers", number] => judge(Some(number), ""),
        ["answers", number, name] => judge(Some(number), name),
        ["answers", ..] => usage("write `answers N NAME`"),
        ["bless"] => say_changes(&bless::bless(&course()?)?),
        ["bless", "starters"] => say_changes(&bless::bless_starters(&course()?)?),
        ["bless", part] => say_changes(&bless::bless_shown_output(&course()?, part)?),
        ["bless", ..] => usage("`bless` takes one part of a name"),
        ["carry-up", number] => carry_up(number, "HEAD"),
        ["carry-up", number, "--base", base]
        | ["carry-up", "--base", base, number] => carry_up(number, base),
        ["carry-up", ..] => {
            usage("write `carry-up N` or `carry-up N --base REVISION`")
        }
        [unknown, ..] => usage(&format!("there is no command `dev {unknown}`")),
    }
}

fn judge(number: Option<&str>, part: &str) -> Result<ExitCode, Trouble> {
    let course = course()?;
    let chapters = match number {
        Some(number) => vec![chapter(&course, number)?],
        None => course.solutions(),
    };
    let judged = answers::judge(&course, &chapters, part, true, DEADLINE)?;
    if !part.is_empty() {
        for (answer, report) in &judged.reports {
            show(&format!("{answer}: as it should be\n{report}\n\n"));
        }
    }
    for complaint in &judged.complaints {
        show(&format!("{complaint}\n\n"));
    }
    for summary in &judged.summaries {
        note(summary);
    }
    Ok(ExitCode::from(u8::from(!judged.complaints.is_empty())))
}

fn say_changes(changes: &[String]) -> Result<ExitCode, Trouble> {
    for change in changes {
        show(&format!("{change}\n"));
    }
    if changes.is_empty() {
        show("Nothing has changed.\n");
    }
    Ok(ExitCode::SUCCESS)
}

fn carry_up(number: &str, base: &str) -> Result<ExitCode, Trouble> {
    let course = course()?;
    let from = chapter(&course, number)?;
    let report = carry::carry_up(&course, from, base)?;
    for line in &report.lines {
        show(&format!("{line}\n"));
    }
    for path in &report.by_hand {
        show(&format!(
            "by hand   {path}: it holds lines that the change touches, and is left \
             as it is\n"
        ));
    }
    if let Some(chapter) = report.stopped_at {
        let option = match base {
            "HEAD" => String::new(),
            base => format!(" --base {base}"),
        };
        show(&format!(
            "\nStopped at chapter {chapter}. Resolve what is marked `conflict` \
             above, then go on with\n  cargo course dev carry-up {}{option}\n",
            chapter.0
        ));
        return Ok(ExitCode::from(1));
    }
    if report.lines.is_empty() {
        show(&format!(
            "Nothing to carry: every chapter above {from} has what changed in \
             solutions/{}.\n",
            from.name()
        ));
    } else {
        show(
            "\nCarried to the top. Now run `cargo course dev bless`, then \
             `cargo test`.\n",
        );
    }
    Ok(ExitCode::SUCCESS)
}
