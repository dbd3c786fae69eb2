//! What a learner says to `cargo course`, and what happens then.

use std::env;
use std::process::ExitCode;

use crate::layout::{Chapter, Course};
use crate::screen::{Style, note, show};
use crate::{check, dev, diff, map, which};

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
    let args = env::args_os().skip(1);
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
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

fn run(args: &[&str]) -> Result<ExitCode, Trouble> {
    match *args {
        [] => show(&map::shown(&course()?, Style::of_stdout())?),
        ["help" | "--help" | "-h"] => show(USAGE),
        ["check"] => {
            let course = course()?;
            let (chapter, reason) = which::chapter_at_hand(&course)?;
            return show_verdict(&course, chapter, &format!(" ({reason})"));
        }
        ["check", number] => {
            let course = course()?;
            let chapter = chapter(&course, number)?;
            return show_verdict(&course, chapter, "");
        }
        ["check", ..] => {
            return Err(Trouble::Usage("`check` takes one chapter at a time".into()));
        }
        ["diff", number] | ["diff", number, _] => {
            let course = course()?;
            let other = args
                .get(2)
                .map(|other| chapter(&course, other))
                .transpose()?;
            if !diff::show(&course, chapter(&course, number)?, other)? {
                show("There is no difference.\n");
            }
        }
        ["diff", ..] => {
            return Err(Trouble::Usage("write `diff N` or `diff N M`".into()));
        }
        ["dev", ref rest @ ..] => return dev::command::run(rest),
        [unknown, ..] => {
            return Err(Trouble::Usage(format!("there is no command `{unknown}`")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The course around the folder in which the command was given.
pub fn course() -> Result<Course, Trouble> {
    let here = env::current_dir()
        .map_err(|e| format!("cannot tell which folder this is: {e}"))?;
    Ok(Course::around(&here)?)
}

/// The chapter that a person asked for.
pub fn chapter(course: &Course, called: &str) -> Result<Chapter, Trouble> {
    which::chapter_called(course, called).map_err(Trouble::Usage)
}

fn show_verdict(
    course: &Course,
    chapter: Chapter,
    reason: &str,
) -> Result<ExitCode, Trouble> {
    let style = Style::of_stdout();
    let heading = format!("Chapter {chapter}, {}", course.title(chapter));
    show(&format!("{}{reason}\n\n", style.strong(&heading)));
    let Some(judged) = check::judge(course, chapter, true)? else {
        show(&format!(
            "Chapter {chapter} does not build yet. Fix the first error above, \
             then run `cargo course check {}` again.\n",
            chapter.0
        ));
        return Ok(ExitCode::from(1));
    };
    show(&check::shown(course, chapter, &judged, style));
    Ok(ExitCode::from(u8::from(!judged.passed())))
}
