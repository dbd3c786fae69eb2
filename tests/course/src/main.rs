//! `cargo course`: the map of the course, and the verdict on a chapter.

use std::env;
use std::process::ExitCode;

use course::check;
use course::screen::{Style, note, show};
use course::{Course, bless, carry, map, starters};

const USAGE: &str = "\
cargo course                 the map: what is passed and what is next
cargo course check [N]       the verdict on chapter N, or the one edited last
cargo course help            this

For those who write the course:
cargo course bless           writes the generated files anew
cargo course bless PART      only errors and transcripts whose name has PART
cargo course bless starters  only the fingerprints of the starters
cargo course carry-up N      carries a change of solution N up the ladder
    --base REVISION          its change since REVISION, not the uncommitted one
";

/// Why the program ends without having done its work.
enum Trouble {
    /// The command makes no sense.
    Usage(String),
    /// It does, yet could not be carried out.
    Failed(String),
}

impl From<String> for Trouble {
    fn from(sentence: String) -> Self {
        Trouble::Failed(sentence)
    }
}

fn main() -> ExitCode {
    match run(env::args_os()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect())
    {
        Ok(code) => code,
        Err(Trouble::Failed(sentence)) => {
            note(&sentence);
            ExitCode::from(1)
        }
        Err(Trouble::Usage(sentence)) => {
            note(&format!(
                "{sentence} (`cargo course help` lists the commands)"
            ));
            ExitCode::from(2)
        }
    }
}

fn run(args: Vec<String>) -> Result<ExitCode, Trouble> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => show_map(&course()?),
        ["help" | "--help" | "-h"] => {
            show(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        ["check"] => {
            let course = course()?;
            let (chapter, reason) = check::chapter_at_hand(&course)?;
            show_verdict(&course, chapter, Some(&reason))
        }
        ["check", number] => {
            let course = course()?;
            let chapter =
                check::chapter_called(&course, number).map_err(Trouble::Usage)?;
            show_verdict(&course, chapter, None)
        }
        ["check", ..] => {
            Err(Trouble::Usage("`check` takes one chapter at a time".into()))
        }
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
        [unknown, ..] => {
            Err(Trouble::Usage(format!("there is no command `{unknown}`")))
        }
    }
}

fn course() -> Result<Course, Trouble> {
    let here = env::current_dir()
        .map_err(|e| format!("cannot tell which folder this is: {e}"))?;
    Ok(Course::around(&here)?)
}

fn show_map(course: &Course) -> Result<ExitCode, Trouble> {
    let current = starters::current(course)?.map(|(chapter, _, _)| chapter);
    let rungs = map::survey(course);
    show(&map::shown(course, &rungs, current, Style::of_stdout()));
    Ok(ExitCode::SUCCESS)
}

fn show_verdict(
    course: &Course,
    chapter: course::Chapter,
    reason: Option<&str>,
) -> Result<ExitCode, Trouble> {
    let style = Style::of_stdout();
    let heading =
        style.strong(&format!("Chapter {chapter}, {}", course.title(chapter)));
    match reason {
        Some(reason) => show(&format!("{heading} ({reason})\n\n")),
        None => show(&format!("{heading}\n\n")),
    }
    let Some(judged) = check::judge(course, chapter, true)? else {
        show(&format!(
            "Chapter {chapter} does not build yet. Mend the first error above, then run `cargo course check {}` again.\n",
            chapter.0
        ));
        return Ok(ExitCode::from(1));
    };
    show(&check::shown(course, chapter, &judged, style));
    Ok(ExitCode::from(u8::from(!judged.passed())))
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
    let from = check::chapter_called(course, number).map_err(Trouble::Usage)?;
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
             cargo course carry-up {}{option}\n",
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
            "\nCarried to the top. Now run `cargo course bless`, then `cargo test`.\n",
        );
    }
    Ok(ExitCode::SUCCESS)
}
