//! How each starter must fail, and whether it is as it was handed out.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::answers::well_said;
use super::header::{By, Header};
use crate::Result;
use crate::cargo::{self, Target, Told};
use crate::layout::{Chapter, Course};
use crate::milestone::{Judge, Verdict};
use crate::process::each;
use crate::starters::{State, noted, state};
use crate::work::cores;

/// The note that says how a starter must fail.
pub fn note_path(course: &Course, chapter: Chapter) -> PathBuf {
    course
        .root()
        .join("tests/course/starters")
        .join(format!("{}.txt", chapter.name()))
}

/// The note that says how a starter must fail.
pub fn note(course: &Course, chapter: Chapter) -> Result<Header> {
    let path = note_path(course, chapter);
    let shown = course.shown(&path);
    let text = fs::read_to_string(&path).map_err(|e| {
        format!(
            "{shown}: {e}; it must say `# why the starter fails`, `check: NAME` and `says: WORDS`"
        )
    })?;
    Header::read(&text).map_err(|e| format!("{shown}: {e}"))
}

/// Divides the chapters into starters as they were handed out, and those somebody
/// wrote in. The maintainers' run counts every chapter as a starter: there is no
/// learner then, only a forgotten `cargo course dev bless`, about which [`complaints`]
/// complains.
pub fn pristine(
    course: &Course,
    strict: bool,
) -> Result<(Vec<Chapter>, Vec<Chapter>)> {
    let mut divided = (Vec::new(), Vec::new());
    for chapter in course.chapters() {
        if strict || state(course, chapter)? == State::Pristine {
            divided.0.push(chapter);
        } else {
            divided.1.push(chapter);
        }
    }
    Ok(divided)
}

/// Whether each starter builds without a warning and then fails, at the check and in
/// the words of its note, before the deadline.
pub fn not_red(
    course: &Course,
    chapters: &[Chapter],
    deadline: Duration,
) -> Result<Vec<String>> {
    if chapters.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = cargo::command(course);
    // Not the milestones: those of the solutions are built anyway, from the same
    // files, and judge any program.
    command.args(["build", "--quiet", "--bins", "--keep-going"]);
    for chapter in chapters {
        command.args(["--package", &chapter.package()]);
    }
    let built = cargo::build(course, &mut command, Told::Nothing)?;
    if !built.well && built.messages.is_empty() {
        return Err(
            "cargo cannot build the starters: `cargo build --package chapter01` may say why".into(),
        );
    }
    let mut complaints: Vec<String> = built
        .messages
        .iter()
        .filter(|message| !is_footnote(&message.text))
        .map(|message| {
            let folder = course.shown(&message.package);
            format!(
                "{folder}: it must build without a warning:\n{}",
                message.text.trim_end()
            )
        })
        .collect();
    let milestones = cargo::solutions(course, chapters, Target::Milestone)?;
    let failures = each(chapters, cores(), |&chapter| {
        let folder = course.starter(chapter);
        let program = built.program(&folder, &chapter.package());
        let program = program.ok_or("it does not build")?;
        let milestone = milestones.get(&chapter);
        let milestone = milestone.ok_or("its milestone does not build")?;
        let mut judge = Judge::new(course, &folder, deadline);
        judge.with_children = true;
        judge.program = Some(program);
        fails_as_noted(&judge.verdict(milestone, None)?, &note(course, chapter)?)
    });
    for (chapter, failure) in chapters.iter().zip(failures) {
        complaints.extend(
            failure
                .err()
                .map(|why| format!("chapters/{}: {why}", chapter.name())),
        );
    }
    Ok(complaints)
}

/// Whether a message only tells how to learn more about the others.
fn is_footnote(text: &str) -> bool {
    text.starts_with("For more information about")
        || text.starts_with("Some errors have detailed")
}

fn fails_as_noted(verdict: &Verdict, note: &Header) -> Result<()> {
    let (By::Check(check), says) = note.rejection()? else {
        return Err(
            "only a check says what a starter lacks: name it in `check: …`".into(),
        );
    };
    if !verdict.ended {
        return Err(format!(
            "the milestone was still running after {} s",
            verdict.took.as_secs()
        ));
    }
    match verdict.first_failure() {
        None if verdict.all_passed() => {
            Err("the starter passes its milestone: where is the gap?".into())
        }
        None => Err(format!(
            "the milestone came to no verdict:\n{}",
            verdict.output.trim_end()
        )),
        Some(failure) if failure.name != check => Err(format!(
            "{} fails first, and not {check} as noted:\n{}",
            failure.name,
            failure.report().unwrap_or_default()
        )),
        Some(failure) => well_said(check, says, failure.report().unwrap_or_default()),
    }
}

/// What is wrong with the fingerprints: a chapter without one, or one without a
/// chapter; in a maintainers' run also one that is not the chapter's.
pub fn complaints(course: &Course, strict: bool) -> Result<Vec<String>> {
    let noted = noted(course)?;
    let mut complaints = Vec::new();
    for chapter in course.chapters() {
        let name = chapter.name();
        if !noted.contains_key(&chapter) {
            complaints.push(format!(
                "tests/course/starters.txt has no line for {name}: run `cargo course dev bless`"
            ));
        } else if strict && state(course, chapter)? == State::Edited {
            complaints.push(format!(
                "chapters/{name} is not what tests/course/starters.txt says: if the change is meant, run `cargo course dev bless`"
            ));
        }
    }
    for chapter in noted
        .keys()
        .filter(|chapter| !course.chapters().contains(chapter))
    {
        complaints.push(format!(
            "tests/course/starters.txt has a line for {}, which is not there: run `cargo course dev bless`",
            chapter.name()
        ));
    }
    Ok(complaints)
}
