//! What those who write the course say to `cargo course dev`.

use std::process::ExitCode;
use std::time::Duration;

use super::{answers, bless, carry};
use crate::command::Trouble;
use crate::layout::Course;
use crate::screen::{note, show};
use crate::which;

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
const DEADLINE: Duration = Duration::from_secs(30);

/// Does what the words after `dev` ask for.
pub fn run(
    words: &[&str],
    course: impl Fn() -> Result<Course, Trouble>,
) -> Result<ExitCode, Trouble> {
    match *words {
        [] | ["help" | "--help" | "-h"] => {
            show(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        ["answers"] => judge(&course()?, None, ""),
        ["answers", number] => judge(&course()?, Some(number), ""),
        ["answers", number, name] => judge(&course()?, Some(number), name),
        ["answers", ..] => Err(Trouble::Usage("write `answers N NAME`".into())),
        ["bless"] => say_changes(&bless::bless(&course()?)?),
        ["bless", "starters"] => say_changes(&bless::bless_starters(&course()?)?),
        ["bless", part] => say_changes(&bless::bless_shown_output(&course()?, part)?),
        ["bless", ..] => {
            Err(Trouble::Usage("`bless` takes one part of a name".into()))
        }
        ["carry-up", number] => carry_up(&course()?, number, "HEAD"),
        ["carry-up", number, "--base", base]
        | ["carry-up", "--base", base, number] => carry_up(&course()?, number, base),
        ["carry-up", ..] => Err(Trouble::Usage(
            "write `carry-up N` or `carry-up N --base REVISION`".into(),
        )),
        [unknown, ..] => Err(Trouble::Usage(format!(
            "there is no command `dev {unknown}`"
        ))),
    }
}

fn judge(
    course: &Course,
    number: Option<&str>,
    part: &str,
) -> Result<ExitCode, Trouble> {
    let chapters = match number {
        Some(number) => {
            vec![which::chapter_called(course, number).map_err(Trouble::Usage)?]
        }
        None => course.solutions(),
    };
    let choice = answers::Choice {
        chapters,
        part: part.to_owned(),
        all: true,
    };
    let judged = answers::judge(course, &choice, DEADLINE)?;
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

fn carry_up(course: &Course, number: &str, base: &str) -> Result<ExitCode, Trouble> {
    let from = which::chapter_called(course, number).map_err(Trouble::Usage)?;
    let report = carry::carry_up(course, from, base)?;
    for line in &report.lines {
        show(&format!("{line}\n"));
    }
    for path in &report.by_hand {
        show(&format!(
            "by hand   {path}: it holds lines that the change touches, and is left as it is\n"
        ));
    }
    if let Some(chapter) = report.stopped_at {
        let option = if base == "HEAD" {
            String::new()
        } else {
            format!(" --base {base}")
        };
        show(&format!(
            "\nStopped at chapter {chapter}. Resolve what is marked `conflict` above, then go on with\n  \
             cargo course dev carry-up {}{option}\n",
            chapter.0
        ));
        return Ok(ExitCode::from(1));
    }
    if report.lines.is_empty() {
        show(&format!(
            "Nothing to carry: every chapter above {from} has what changed in solutions/{}.\n",
            from.name()
        ));
    } else {
        show(
            "\nCarried to the top. Now run `cargo course dev bless`, then `cargo test`.\n",
        );
    }
    Ok(ExitCode::SUCCESS)
}
