//! Wrong answers, which a milestone must reject, and right answers in other shapes,
//! which it must not.
//!
//! An answer is a patch against the solution of its chapter, or a folder that
//! replaces the solution's `src`. It has no dependencies and is built with plain
//! rustc, once for each content. The solution's own compiled milestone judges it; or
//! one of its own unit tests does, which stands beside the code that the answer
//! changes.

use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Result;
use crate::cargo::{self, Target};
use crate::dev::header::{self, By, Header};
use crate::git;
use crate::layout::{
    Chapter, Course, Files, cannot, files, fingerprint, parts, write,
};
use crate::milestone::{Check, Finding, Judge, Verdict, run_in};
use crate::process::each;
use crate::screen::{count, note};
use crate::work::{Scratch, cores, entries};

/// What a milestone has to make of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reject it.
    Wrong,
    /// Accept it.
    Right,
}

impl Kind {
    /// The name of its folder in `tests/`.
    pub fn folder(self) -> &'static str {
        match self {
            Kind::Wrong => "wrong",
            Kind::Right => "right",
        }
    }
}

/// An answer to a chapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which chapter.
    pub chapter: Chapter,
    /// What a milestone has to make of it.
    pub kind: Kind,
    /// The patch, or the folder.
    pub path: PathBuf,
    /// The path as a person at the root would type it.
    pub shown: String,
}

impl Answer {
    fn text(&self) -> Result<String> {
        fs::read_to_string(&self.path).map_err(|e| cannot("read", &self.path, &e))
    }

    fn header(&self) -> Result<Header> {
        Header::read(&self.text()?)
    }
}

/// The answers of one kind to the given chapters.
pub fn find(
    course: &Course,
    kind: Kind,
    chapters: &[Chapter],
) -> Result<Vec<Answer>> {
    let mut found = Vec::new();
    for &chapter in chapters {
        let folder = course
            .root()
            .join("tests")
            .join(kind.folder())
            .join(chapter.name());
        for path in entries(&folder)? {
            let shown = course.shown(&path);
            let patch =
                path.is_file() && path.extension().is_some_and(|end| end == "patch");
            let replacement = kind == Kind::Right && path.join("main.rs").is_file();
            if !patch && !replacement {
                return Err(match kind {
                    Kind::Wrong => {
                        format!("{shown}: a wrong answer is a file NAME.patch")
                    }
                    Kind::Right => format!(
                        "{shown}: a right answer is a file NAME.patch or a folder with a main.rs"
                    ),
                });
            }
            found.push(Answer {
                chapter,
                kind,
                path,
                shown,
            });
        }
    }
    Ok(found)
}

/// A few of each chapter's answers, always the same ones: a right one, and three wrong
/// ones, which different checks reject.
pub fn few(answers: &[Answer]) -> Vec<Answer> {
    let mut few: Vec<Answer> = Vec::new();
    let mut checks = BTreeSet::new();
    for answer in answers {
        let taken = |kind| {
            let of_kind = |other: &&Answer| {
                (other.chapter, other.kind) == (answer.chapter, kind)
            };
            few.iter().filter(of_kind).count()
        };
        let take = match answer.kind {
            Kind::Right => taken(Kind::Right) < 1,
            Kind::Wrong => {
                let check = answer.header().ok().and_then(|header| header.check);
                taken(Kind::Wrong) < 3
                    && check
                        .is_some_and(|check| checks.insert((answer.chapter, check)))
            }
        };
        if take {
            few.push(answer.clone());
        }
    }
    few
}

/// Which answers are to be judged.
pub struct Choice {
    /// Those to these chapters.
    pub chapters: Vec<Chapter>,
    /// Whose paths contain this.
    pub part: String,
    /// All of them, or a few of each chapter.
    pub all: bool,
}

/// What came of judging them.
#[derive(Debug, Default)]
pub struct Judged {
    /// How many there are to choose from, and how many of them were judged.
    pub found: usize,
    /// See `found`.
    pub judged: usize,
    /// Of each kind: how many, how long, and how many are not as they should be.
    pub summaries: Vec<String>,
    /// What is not as it should be, an entry for each answer.
    pub complaints: Vec<String>,
    /// The reports with which wrong answers were rejected, by the answers' paths.
    pub reports: Vec<(String, String)>,
}

/// Builds the milestones and judges answers. `deadline` is for each of them.
pub fn judge(course: &Course, choice: &Choice, deadline: Duration) -> Result<Judged> {
    let mut kinds = Vec::new();
    let mut result = Judged::default();
    // To judge a wrong answer is mostly to wait for what never comes. A right one
    // keeps the whole milestone busy, and should not fail because the machine is.
    for (kind, at_once) in [(Kind::Wrong, 3 * cores()), (Kind::Right, cores())] {
        let mut answers = find(course, kind, &choice.chapters)?;
        result.found += answers.len();
        answers.retain(|answer| answer.shown.contains(&choice.part));
        if !choice.all {
            answers = few(&answers);
        }
        result.judged += answers.len();
        kinds.push((kind, at_once, answers));
    }
    if result.judged == 0 {
        return Err(format!("no answer has `{}` in its path", choice.part));
    }
    let mut chapters: Vec<Chapter> = (kinds.iter())
        .flat_map(|(_, _, answers)| answers.iter().map(|answer| answer.chapter))
        .collect();
    chapters.sort();
    chapters.dedup();
    let milestones = cargo::solutions(course, &chapters, Target::Milestone)?;
    let proof = Proof::new(course, &milestones, deadline);
    for (kind, at_once, answers) in kinds {
        if answers.is_empty() {
            continue;
        }
        let outcome = proof.prove(&answers, at_once);
        result
            .summaries
            .push(summary(kind, answers.len(), &outcome));
        result.complaints.extend(outcome.complaints);
        result.reports.extend(outcome.reports);
    }
    Ok(result)
}

fn summary(kind: Kind, number: usize, outcome: &Outcome) -> String {
    let mut summary = format!(
        "{} judged in {:.1} s, {} built anew; ",
        count(number, &format!("{} answer", kind.folder())),
        outcome.took.as_secs_f64(),
        outcome.built
    );
    match outcome.complaints.len() {
        0 => summary.push_str("all as they should be"),
        not => summary.push_str(&format!("{not} not as they should be")),
    }
    if !outcome.wavering.is_empty() {
        let wavering = outcome.wavering.join(", ");
        summary.push_str(&format!("; only when judged alone: {wavering}"));
    }
    if let Some((took, answer)) = &outcome.slowest {
        summary.push_str(&format!(
            "; the slowest, {answer}, took {:.1} s",
            took.as_secs_f64()
        ));
    }
    summary
}

/// How answers are proved.
pub struct Proof<'a> {
    course: &'a Course,
    milestones: &'a BTreeMap<Chapter, PathBuf>,
    deadline: Duration,
    compiler: String,
}

/// What came of a proof.
#[derive(Debug)]
pub struct Outcome {
    /// What is not as it should be, an entry for each answer.
    pub complaints: Vec<String>,
    /// The reports with which wrong answers were rejected, by the answers' paths.
    pub reports: Vec<(String, String)>,
    /// How many programs had to be built; the others were there from an earlier run.
    pub built: usize,
    /// How long it took.
    pub took: Duration,
    /// The answer whose judging took longest, and how long.
    pub slowest: Option<(Duration, String)>,
    /// The answers that were judged as they should be only when nothing else ran
    /// beside them: each deserves a look.
    pub wavering: Vec<String>,
}

impl<'a> Proof<'a> {
    /// Proves answers with these compiled milestones. Judging one may take up to
    /// `deadline`.
    pub fn new(
        course: &'a Course,
        milestones: &'a BTreeMap<Chapter, PathBuf>,
        deadline: Duration,
    ) -> Proof<'a> {
        Proof {
            course,
            milestones,
            deadline,
            compiler: compiler(),
        }
    }

    /// Builds and judges the answers, `at_once` at a time. No more are built at once
    /// than there are cores: to judge is mostly to wait.
    pub fn prove(&self, answers: &[Answer], at_once: usize) -> Outcome {
        let begin = Instant::now();
        let free = Permits::new(cores());
        let judged = each(answers, at_once, |answer| {
            let program = free.while_holding_one(|| self.build(answer));
            let begin = Instant::now();
            let verdict = match &program {
                Ok((program, _)) => self.judge(answer, program),
                Err(complaint) => Err(complaint.clone()),
            };
            (program, begin.elapsed(), verdict)
        });
        let mut outcome = Outcome {
            complaints: Vec::new(),
            reports: Vec::new(),
            built: 0,
            took: begin.elapsed(),
            slowest: None,
            wavering: Vec::new(),
        };
        for (answer, (program, took, verdict)) in answers.iter().zip(judged) {
            let shown = answer.shown.clone();
            let verdict: Result<String> = verdict.or_else(|complaint| {
                // Many are judged at once, which isn't how a learner asks.
                let (program, _) = program.as_ref().map_err(|_| complaint)?;
                let alone = self.judge(answer, program)?;
                outcome.wavering.push(shown.clone());
                Ok(alone)
            });
            match verdict {
                Ok(report) => outcome.reports.push((shown.clone(), report)),
                Err(why) => outcome.complaints.push(format!("{shown}: {why}")),
            }
            outcome.slowest = outcome.slowest.max(Some((took, shown)));
            let built_anew = program.is_ok_and(|(_, built_anew)| built_anew);
            outcome.built += usize::from(built_anew);
        }
        outcome
    }

    /// The files that the answer consists of, and whether its unit tests are to judge
    /// it.
    fn source(&self, answer: &Answer) -> Result<(Files, bool)> {
        let mut unit = false;
        let mut source = files(&self.course.solution(answer.chapter))?;
        if answer.path.is_dir() {
            source.retain(|path, _| !path.starts_with("src/"));
            for (path, contents) in files(&answer.path)? {
                source.insert(format!("src/{path}"), contents);
            }
            let main = &source["src/main.rs"];
            if !main.starts_with(b"//!") {
                return Err(
                    "its main.rs must begin with `//! …` and say what is different"
                        .into(),
                );
            }
        } else {
            if answer.kind == Kind::Wrong {
                unit = matches!(answer.header()?.rejection()?.0, By::Unit(_));
            }
            source = patched(&source, &answer.path).map_err(|e| {
                let against = self.course.solution(answer.chapter);
                let against = self.course.shown(&against);
                format!("{e}; make the patch again against {against}")
            })?;
        }
        Ok((source, unit))
    }

    /// Builds an answer's program, unless it is there from an earlier run; says whether
    /// it had to.
    fn build(&self, answer: &Answer) -> Result<(PathBuf, bool)> {
        let (source, unit) = self.source(answer)?;
        let package = answer.chapter.solution_package();
        let how = unit.then_some("--test");
        let others = [&self.compiler, &*package, how.unwrap_or_default()];
        let others = others.map(str::as_bytes);
        let print = fingerprint(parts(&source).chain(others));
        let folder = self.course.scratch().join("answers").join(&answer.shown);
        let path = folder.join(format!("program{EXE_SUFFIX}"));
        let noted = folder.join("fingerprint");
        if fs::read_to_string(&noted).is_ok_and(|old| old == print) {
            return Ok((path, false));
        }

        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|e| cannot("remove", &folder, &e))?;
        }
        for (path, contents) in &source {
            write(&folder.join(path), contents)?;
        }
        let mut rustc = Command::new(rustc());
        rustc.current_dir(&folder).args(how).arg("-o").arg(&path);
        rustc.args(["--edition", "2024", "--crate-name", &package]);
        rustc.args(["--color", "never", "-A", "warnings", "src/main.rs"]);
        rustc.args(["-C", "debuginfo=0", "-C", "strip=debuginfo"]);
        rustc.env("CARGO_PKG_NAME", &package);
        rustc.env("CARGO_PKG_VERSION", env!("CARGO_PKG_VERSION"));
        let run = run_in(self.course.scratch(), Duration::from_secs(120), true);
        let ended = run.run(&mut rustc);
        let ended = ended.map_err(|e| format!("cannot run rustc: {e}"))?;
        if !ended.well() {
            return Err(format!("it does not compile:\n{}", ended.output.trim_end()));
        }
        // Last, so that a build that was broken off does not count.
        write(&noted, print.as_bytes())?;
        Ok((path, true))
    }

    /// Judges a built answer, and returns the report that rejects a wrong one; an
    /// error is a complaint.
    fn judge(&self, answer: &Answer, program: &Path) -> Result<String> {
        let milestone = self.milestones.get(&answer.chapter);
        let milestone = milestone.ok_or_else(|| {
            format!("the milestone of {} was not built", answer.chapter.name())
        })?;
        let folder = self.course.solution(answer.chapter);
        let verdict = |by: Option<By<'_>>| {
            let mut judge = Judge::new(self.course, &folder, self.deadline);
            judge.with_children = true;
            let verdict = match by {
                Some(By::Unit(name)) => judge.verdict(program, Some(name))?,
                _ => {
                    judge.program = Some(program);
                    judge.verdict(milestone, by.map(By::name))?
                }
            };
            if verdict.ended {
                Ok(verdict)
            } else {
                Err(format!(
                    "there was no verdict after {} s: some wait has no deadline",
                    self.deadline.as_secs()
                ))
            }
        };
        if answer.kind == Kind::Right {
            return accepted(&verdict(None)?).map(|()| String::new());
        }
        let header = answer.header()?;
        let (by, says) = header.rejection()?;
        rejected(&verdict(Some(by))?, by, says).map_err(|mut complaint| {
            // Whoever looks for the right check wants to know which ones reject it.
            if let (true, By::Check(_)) = (complaint.contains(PASSES), by)
                && let Ok(all) = verdict(None)
            {
                let failed = |check: &&Check| check.report().is_some();
                let names =
                    all.checks.iter().filter(failed).map(|check| &*check.name);
                let names: Vec<&str> = names.collect();
                complaint.push_str(&match names.as_slice() {
                    [] => "; no other check rejects it either".to_owned(),
                    names => format!("; these reject it: {}", names.join(", ")),
                });
            }
            complaint
        })
    }
}

/// So many may do something at once; others wait.
struct Permits {
    free: Mutex<usize>,
    returned: Condvar,
}

impl Permits {
    fn new(count: usize) -> Permits {
        Permits {
            free: Mutex::new(count),
            returned: Condvar::new(),
        }
    }

    fn while_holding_one<T>(&self, act: impl FnOnce() -> T) -> T {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.returned.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        let result = act();
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.returned.notify_one();
        result
    }
}

/// Builds the program of a wrong answer, `12-keep-alive/NAME`, which a page shows.
pub fn wrong_program(course: &Course, name: &str) -> Result<PathBuf> {
    let chapter = name.split('/').next().and_then(Chapter::from_name);
    let chapter =
        chapter.ok_or_else(|| format!("{name}: no chapter is called so"))?;
    let mut answers = find(course, Kind::Wrong, &[chapter])?;
    answers.retain(|answer| answer.path.ends_with(format!("{name}.patch")));
    let answer = answers
        .pop()
        .ok_or_else(|| format!("there is no tests/wrong/{name}.patch"))?;
    let none = BTreeMap::new();
    let proof = Proof::new(course, &none, Duration::ZERO);
    // Two transcripts may ask for the same one.
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    let _one = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(proof.build(&answer)?.0)
}

/// What becomes of files by a patch.
fn patched(source: &Files, patch: &Path) -> Result<Files> {
    let scratch = Scratch::new("answer")?;
    for (path, contents) in source {
        write(&scratch.path().join(path), contents)?;
    }
    let mut git = git::git(scratch.path());
    // It must take this folder for itself, and not for a part of a repository.
    let above = scratch.path().parent().unwrap_or(patch);
    git.env("GIT_CEILING_DIRECTORIES", above);
    git::ask(git.args(["apply", "--whitespace=nowarn"]).arg(patch))?;
    files(scratch.path())
}

fn accepted(verdict: &Verdict) -> Result<()> {
    if verdict.all_passed() {
        return Ok(());
    }
    match verdict.first_failure() {
        Some(check) => Err(format!(
            "this is right, and {} rejects it:\n{}",
            check.name,
            check.report().unwrap_or_default()
        )),
        None => Err(format!(
            "the milestone came to no verdict:\n{}",
            verdict.output.trim_end()
        )),
    }
}

/// In a complaint about an answer that its check doesn't see.
const PASSES: &str = "passes it: it must learn to see this mistake";

fn rejected(verdict: &Verdict, by: By<'_>, says: &[String]) -> Result<String> {
    let check = by.name();
    let found = verdict.checks.iter().find(|found| found.name == check);
    let found = found.ok_or_else(|| {
        if verdict.output.contains("running 0 tests") {
            match by {
                By::Check(_) => format!("the milestone has no check called {check}"),
                By::Unit(_) => {
                    format!("the solution has no unit test called {check}")
                }
            }
        } else {
            format!("{check} came to no verdict:\n{}", verdict.output.trim_end())
        }
    })?;
    match &found.finding {
        Finding::PassedOver(why) => {
            let line = format!("{check} was passed over and rejects nothing: {why}");
            note(&line);
            Ok(line)
        }
        Finding::Passed => Err(format!("{check} {PASSES}")),
        Finding::Waiting(line) => Err(format!(
            "{check} did not come to it, an earlier check fails: {line}"
        )),
        Finding::Failed(report) => {
            match by {
                By::Check(_) => well_said(check, says, report)?,
                By::Unit(_) => says_so(check, says, report)?,
            }
            Ok(report.clone())
        }
    }
}

/// Whether a failed check speaks to a learner, and says what it should.
pub fn well_said(check: &str, says: &[String], report: &str) -> Result<()> {
    if report.contains(&format!("thread '{check}'")) && report.contains("panicked at")
    {
        return Err(format!("{check} panics instead of reporting:\n{report}"));
    }
    says_so(check, says, report)
}

fn says_so(check: &str, says: &[String], report: &str) -> Result<()> {
    let missing = header::missing(says, report);
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the report of {check} does not say `{}`:\n{report}",
        missing.join("`, nor `")
    ))
}

fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Which compiler this is: another one builds everything anew.
fn compiler() -> String {
    let output = Command::new(rustc()).arg("-vV").output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}
