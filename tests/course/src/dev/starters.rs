//! How each starter must fail, and whether it is as it was handed out.

use std::fs;
use std::time::Duration;

use super::answers::well_said;
use super::header::Header;
use crate::Result;
use crate::cargo;
use crate::layout::{Chapter, Course};
use crate::milestone::{Judge, Verdict};
use crate::process::each;
use crate::starters::{is_edited, noted};
use crate::work::cores;

/// The note that says how a starter must fail.
fn note(course: &Course, chapter: Chapter) -> Result<Header> {
    let shown = format!("tests/course/starters/{}.txt", chapter.name());
    let text = fs::read_to_string(course.root().join(&shown)).map_err(|e| {
        format!(
            "{shown}: {e}; it must say `# why the starter fails`, `check: NAME` and \
             `says: WORDS`"
        )
    })?;
    match Header::read(&text) {
        Ok(note) if note.is_unit => Err(format!(
            "{shown}: only a check says what a starter lacks: name it in `check: …`"
        )),
        note => note.map_err(|e| format!("{shown}: {e}")),
    }
}

/// The starters as they were handed out: the chapters that nobody wrote in. The
/// maintainers' run counts every chapter as one: there is no learner then, only a
/// forgotten `cargo course dev bless`, about which [`complaints`] complains.
pub fn handed_out(course: &Course, strict: bool) -> Result<Vec<Chapter>> {
    let mut starters = Vec::new();
    for chapter in course.chapters() {
        if strict || !is_edited(course, chapter)? {
            starters.push(chapter);
        }
    }
    Ok(starters)
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
    let packages: Vec<String> =
        chapters.iter().map(|chapter| chapter.package()).collect();
    // Not the milestones: those of the solutions are built anyway, from the same
    // files, and judge any program.
    let command = ["build", "--quiet", "--bins", "--keep-going"];
    let built = cargo::build(course, &command, &packages, None)?;
    let mut complaints = Vec::new();
    if !built.said.is_empty() {
        let said = built.said.trim_end();
        complaints.push(format!("starters must build without a warning:\n{said}"));
    }
    let milestones = cargo::milestones(course, chapters)?;
    let failures = each(chapters, cores(), |&chapter| {
        let folder = course.starter(chapter);
        let program = built.program(&folder.join("src/main.rs"), false);
        let program = program.ok_or("it does not build")?;
        let milestone = milestones.get(&chapter);
        let milestone = milestone.ok_or("its milestone does not build")?;
        let judge = Judge {
            folder: &folder,
            deadline,
            program: Some(program),
            with_children: true,
            at_once: None,
        };
        let verdict = judge.verdict(milestone, None)?;
        if !verdict.ended {
            let seconds = deadline.as_secs();
            return Err(format!("the milestone was still running after {seconds} s"));
        }
        fails_as_noted(&verdict, &note(course, chapter)?)
    });
    for (chapter, failure) in chapters.iter().zip(failures) {
        let complaint = |why| format!("chapters/{}: {why}", chapter.name());
        complaints.extend(failure.err().map(complaint));
    }
    Ok(complaints)
}

fn fails_as_noted(verdict: &Verdict, note: &Header) -> Result<()> {
    let check = &note.check;
    match verdict.first_failure() {
        None if verdict.all_passed() => {
            Err("the starter passes its milestone: where is the gap?".into())
        }
        None => Err(format!(
            "the milestone came to no verdict:\n{}",
            verdict.output.trim_end()
        )),
        Some(failure) => {
            let (name, report) =
                (&failure.name, failure.report().unwrap_or_default());
            match name == check {
                true => well_said(note, report),
                false => Err(format!(
                    "{name} fails first, and not {check} as noted:\n{report}"
                )),
            }
        }
    }
}

/// What is wrong with the fingerprints: a chapter without one, or one without a
/// chapter; in a maintainers' run also one that is not the chapter's.
pub fn complaints(course: &Course, strict: bool) -> Result<Vec<String>> {
    let (noted, chapters) = (noted(course)?, course.chapters());
    let mut complaints = Vec::new();
    let mut complain = |what: String| {
        complaints.push(format!(
            "{what}: if that is meant, run `cargo course dev bless starters`"
        ));
    };
    for &chapter in &chapters {
        let name = chapter.name();
        if !noted.contains_key(&chapter) {
            complain(format!("tests/course/starters.txt has no line for {name}"));
        } else if strict && is_edited(course, chapter)? {
            complain(format!(
                "chapters/{name} is not what tests/course/starters.txt says"
            ));
        }
    }
    for chapter in noted.keys().filter(|chapter| !chapters.contains(chapter)) {
        let name = chapter.name();
        complain(format!(
            "tests/course/starters.txt has a line for {name}, which is not there"
        ));
    }
    Ok(complaints)
}
