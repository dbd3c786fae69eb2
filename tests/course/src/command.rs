//! What a learner says to `cargo course`, and what happens then.

use std::env;
use std::process::ExitCode;

use crate::layout::{Chapter, Course};
use crate::screen::{Style, note, show};
use crate::{check, dev, diff, map, starters, which};

const USAGE: &str = "\
cargo course               the map: what is passed and what is next
cargo course check [N]     the verdict on chapter N, or the one edited last
cargo course diff N        your chapter N beside our solution
cargo course diff N M      our solution of chapter N beside that of chapter M
cargo course help          this

Those who write the course find their commands with `cargo course dev`.
";

/// Why the program ends without having done its work.
pub enum Trouble {
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

/// Does what the command line asks for.
pub fn main() -> ExitCode {
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
            let (chapter, reason) = which::chapter_at_hand(&course)?;
            show_verdict(&course, chapter, Some(&reason))
        }
        ["check", number] => {
            let course = course()?;
            let chapter =
                which::chapter_called(&course, number).map_err(Trouble::Usage)?;
            show_verdict(&course, chapter, None)
        }
        ["check", ..] => {
            Err(Trouble::Usage("`check` takes one chapter at a time".into()))
        }
        ["diff", number] => show_difference(&course()?, number, None),
        ["diff", number, other] => show_difference(&course()?, number, Some(other)),
        ["diff", ..] => Err(Trouble::Usage("write `diff N` or `diff N M`".into())),
        ["dev", ref rest @ ..] => dev::command::run(rest, course),
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

fn show_difference(
    course: &Course,
    number: &str,
    other: Option<&str>,
) -> Result<ExitCode, Trouble> {
    let called =
        |number| which::chapter_called(course, number).map_err(Trouble::Usage);
    let (chapter, other) = (called(number)?, other.map(called).transpose()?);
    if !diff::show(course, chapter, other)? {
        show("There is no difference.\n");
    }
    Ok(ExitCode::SUCCESS)
}

fn show_verdict(
    course: &Course,
    chapter: Chapter,
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
            "Chapter {chapter} does not build yet. Fix the first error above, then run `cargo course check {}` again.\n",
            chapter.0
        ));
        return Ok(ExitCode::from(1));
    };
    show(&check::shown(course, chapter, &judged, style));
    Ok(ExitCode::from(u8::from(!judged.passed())))
}
