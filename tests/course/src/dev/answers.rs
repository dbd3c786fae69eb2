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
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Result;
use crate::cargo;
use crate::dev::header::Header;
use crate::git;
use crate::layout::{
    Chapter, Course, Files, cannot, files, fingerprint, parts, read, write,
};
use crate::milestone::{Finding, Judge, Verdict};
use crate::process::{each, run};
use crate::screen::{count, note};
use crate::work::{cores, entries};

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
#[derive(Clone, Debug)]
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
    fn header(&self) -> Result<Header> {
        Header::read(&read(&self.path)?)
    }

    /// The files of a folder, or the patch.
    fn files(&self) -> Result<Files> {
        if self.path.is_dir() {
            return files(&self.path);
        }
        let patch = read(&self.path)?.into_bytes();
        Ok(Files::from([("patch".to_owned(), patch)]))
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
        let folder = format!("tests/{}/{}", kind.folder(), chapter.name());
        for path in entries(&course.root().join(folder))? {
            let shown = course.shown(&path);
            let patch =
                path.is_file() && path.extension().is_some_and(|end| end == "patch");
            let replacement = kind == Kind::Right && path.join("main.rs").is_file();
            if !patch && !replacement {
                return Err(format!(
                    "{shown}: an answer is a file NAME.patch or, if it is right, a \
                     folder with a main.rs"
                ));
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

/// A few of each chapter's answers, always the same ones: a right one, and three
/// wrong ones, which different checks reject.
pub fn few(mut answers: Vec<Answer>) -> Vec<Answer> {
    let mut judges: BTreeMap<Chapter, BTreeSet<String>> = BTreeMap::new();
    answers.retain(|answer| {
        let judges = judges.entry(answer.chapter).or_default();
        match answer.kind {
            Kind::Right => judges.insert("the whole milestone".into()),
            Kind::Wrong => answer.header().is_ok_and(|header| {
                !header.is_unit && judges.len() < 3 && judges.insert(header.check)
            }),
        }
    });
    answers
}

/// What came of judging answers.
#[derive(Debug, Default)]
pub struct Judged {
    /// Of each kind: how many, how long, and how many are not as they should be;
    /// before that, the first complaints about those that only passed alone.
    pub summaries: Vec<String>,
    /// What is not as it should be, an entry for each answer.
    pub complaints: Vec<String>,
    /// The reports with which wrong answers were rejected, by the answers' paths.
    pub reports: Vec<(String, String)>,
    /// How many programs had to be built; the others were there from an earlier run.
    pub built: usize,
}

/// Builds the milestones and judges the answers to these chapters whose paths contain
/// `part`: all of them, or a few of each chapter. `deadline` is for each of them.
pub fn judge(
    course: &Course,
    chapters: &[Chapter],
    part: &str,
    all: bool,
    deadline: Duration,
) -> Result<Judged> {
    let mut kinds = Vec::new();
    for kind in [Kind::Wrong, Kind::Right] {
        let mut answers = find(course, kind, chapters)?;
        let found = answers.len();
        answers.retain(|answer| answer.shown.contains(part));
        kinds.push((found, if all { answers } else { few(answers) }));
    }
    let answers = kinds.iter().flat_map(|(_, answers)| answers);
    let chapters: BTreeSet<Chapter> = answers.map(|answer| answer.chapter).collect();
    if chapters.is_empty() {
        return Err(format!("no answer has `{part}` in its path"));
    }
    let chapters: Vec<Chapter> = chapters.into_iter().collect();
    let milestones = cargo::milestones(course, &chapters)?;
    let milestones = &milestones;
    let proof = Proof {
        course,
        milestones,
        deadline,
    };
    let mut judged = Judged::default();
    for (found, answers) in kinds {
        proof.prove(&answers, found, &mut judged);
    }
    Ok(judged)
}

/// How answers are proved.
pub struct Proof<'a> {
    /// The course with the solutions.
    pub course: &'a Course,
    /// The compiled milestones.
    pub milestones: &'a BTreeMap<Chapter, PathBuf>,
    /// How long judging one may take.
    pub deadline: Duration,
}

impl Proof<'_> {
    /// Builds and judges these answers of one kind, which were taken from `found`.
    pub fn prove(&self, answers: &[Answer], found: usize, judged: &mut Judged) {
        let Some(Answer { kind, .. }) = answers.first() else {
            return;
        };
        let begin = Instant::now();
        // Each bench has answers that are neighbours: most of what is built for one
        // was built for the one before. All benches are at work from the first one
        // on.
        let share = answers.len().div_ceil(cores());
        let mut order: Vec<usize> = (0..answers.len()).collect();
        order.sort_by_key(|index| index % share);
        let benches = Vec::from_iter((0..cores()).map(|_| Mutex::new(())));
        let build = |index: usize| {
            let bench = index / share;
            let own = benches[bench].lock();
            let _own = own.unwrap_or_else(PoisonError::into_inner);
            build(self.course, &answers[index], bench, answers.len() > 1)
        };
        // To judge a wrong answer is mostly to wait for what never comes. A right one
        // keeps the whole milestone busy.
        let at_once = match kind {
            Kind::Wrong => 4 * cores(),
            Kind::Right => 2 * cores(),
        };
        let mut verdicts = each(&order, at_once, |&index| {
            let program = build(index);
            let built = program.as_ref().map_err(String::clone);
            let verdict =
                built.and_then(|(program, _)| self.judge(&answers[index], program));
            (index, program, verdict)
        });
        verdicts.sort_by_key(|(index, ..)| *index);

        let mut wavering = Vec::new();
        let (mut anew, mut bad) = (0, 0);
        for (answer, (_, program, mut verdict)) in answers.iter().zip(verdicts) {
            let shown = &answer.shown;
            anew += usize::from(matches!(program, Ok((_, true))));
            if let (Err(why), Ok((program, _))) = (&verdict, &program) {
                // Many are judged at once, which isn't how a learner asks.
                let alone = self.judge(answer, program);
                if alone.is_ok() {
                    // Each of these deserves a look.
                    wavering.push(format!("only when judged alone: {shown}: {why}"));
                }
                verdict = alone;
            }
            match verdict {
                Ok(report) => judged.reports.push((shown.clone(), report)),
                Err(why) => {
                    bad += 1;
                    judged.complaints.push(format!("{shown}: {why}"));
                }
            }
        }
        judged.built += anew;
        let of = count(found, &format!("{} answer", kind.folder()));
        let mut summary = format!(
            "{} of {of} judged in {:.1} s, {anew} of them built now; ",
            answers.len(),
            begin.elapsed().as_secs_f64(),
        );
        match bad {
            0 => summary.push_str("all as they should be"),
            bad => summary.push_str(&format!("{bad} not as they should be")),
        }
        if !wavering.is_empty() {
            summary += &format!(", {} only when judged alone", wavering.len());
        }
        judged.summaries.extend(wavering);
        judged.summaries.push(summary);
    }

    /// Judges a built answer, and returns the report that rejects a wrong one; an
    /// error is a complaint.
    fn judge(&self, answer: &Answer, program: &Path) -> Result<String> {
        let milestone = self.milestones.get(&answer.chapter);
        let milestone = milestone.ok_or_else(|| {
            format!("the milestone of {} was not built", answer.chapter.name())
        })?;
        let judge = Judge {
            folder: &self.course.solution(answer.chapter),
            deadline: self.deadline,
            program: Some(program),
            with_children: true,
            at_once: None,
        };
        let verdict = |program: &Path, check: Option<&str>| {
            let verdict = judge.verdict(program, check)?;
            match verdict.ended {
                true => Ok(verdict),
                false => Err(format!(
                    "there was no verdict after {} s: some wait has no deadline",
                    self.deadline.as_secs()
                )),
            }
        };
        if answer.kind == Kind::Right {
            return accepted(&verdict(milestone, None)?).map(|()| String::new());
        }
        let header = answer.header()?;
        let by = if header.is_unit { program } else { milestone };
        let rejected = rejected(&verdict(by, Some(&header.check))?, &header);
        let overlooked = rejected.as_ref().is_err_and(|why| why.contains(PASSES));
        if !overlooked || header.is_unit {
            return rejected;
        }
        // Whoever looks for the right check wants to know which ones reject it.
        let all = verdict(milestone, None);
        let checks = all.map(|all| all.checks).unwrap_or_default();
        let failed = checks.iter().filter(|check| check.report().is_some());
        let names: Vec<&str> = failed.map(|check| &*check.name).collect();
        rejected.map_err(|complaint| match names.as_slice() {
            [] => format!("{complaint}; no other check rejects it either"),
            names => format!("{complaint}; these reject it: {}", names.join(", ")),
        })
    }
}

/// Builds an answer's program, unless it is there from an earlier run; says whether
/// it had to. Nothing else may be built on this bench at the same time. Where many are,
/// rustc reuses what it did there for the one before, most of which is the same.
fn build(
    course: &Course,
    answer: &Answer,
    bench: usize,
    are_many: bool,
) -> Result<(PathBuf, bool)> {
    let against = course.solution(answer.chapter);
    let (solution, own) = (files(&against)?, answer.files()?);
    let package = answer.chapter.solution_package();
    let is_unit = answer.kind == Kind::Wrong && answer.header()?.is_unit;
    let how = is_unit.then_some("--test");
    let others = [&**COMPILER, &*package, how.unwrap_or_default()];
    let others = others.map(str::as_bytes);
    let print = fingerprint(parts(&solution).chain(parts(&own)).chain(others));
    let folder = course.scratch().join("answers").join(&answer.shown);
    let program = folder.join(format!("program{EXE_SUFFIX}"));
    let noted = folder.join("fingerprint");
    if fs::read_to_string(&noted).is_ok_and(|old| old == print) {
        return Ok((program, false));
    }

    let bench = format!("bench-{bench}/{package}{}", how.unwrap_or_default());
    let bench = course.scratch().join(bench);
    for folder in [&folder, &bench.join("src")] {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|e| cannot("remove", folder, &e))?;
        }
    }
    let is_replaced = answer.path.is_dir();
    for (path, contents) in &solution {
        if !(is_replaced && path.starts_with("src/")) {
            write(&bench.join(path), contents)?;
        }
    }
    if is_replaced {
        if !own["main.rs"].starts_with(b"//!") {
            let what =
                "its main.rs must begin with `//! …` and say what is different";
            return Err(what.into());
        }
        for (path, contents) in &own {
            write(&bench.join("src").join(path), contents)?;
        }
    } else {
        let mut git = git::git(&bench);
        // It must take this folder for itself, and not for a part of a repository.
        let above = bench.parent().unwrap_or(&bench);
        git.env("GIT_CEILING_DIRECTORIES", above);
        git.args(["apply", "--whitespace=nowarn"]).arg(&answer.path);
        git::ask(&mut git).map_err(|e| {
            let against = course.shown(&against);
            format!("{e}; make the patch again against {against}")
        })?;
    }

    let mut rustc = Command::new(rustc());
    rustc.current_dir(&bench).args(how).args(["-o", "program"]);
    rustc.args(["--edition", "2024", "--crate-name", &package]);
    rustc.args(["--color", "never", "-A", "warnings", "src/main.rs"]);
    rustc.args(["-C", "debuginfo=0", "-C", "strip=debuginfo"]);
    rustc.args(are_many.then_some("-Cincremental=reuse"));
    rustc.env("CARGO_PKG_NAME", &package);
    rustc.env("CARGO_PKG_VERSION", env!("CARGO_PKG_VERSION"));
    let ended = run(&mut rustc, Duration::from_secs(120), true)
        .map_err(|e| format!("cannot run rustc: {e}"))?;
    if !ended.status.is_some_and(|status| status.success()) {
        return Err(format!("it does not compile:\n{}", ended.output.trim_end()));
    }
    fs::create_dir_all(&folder).map_err(|e| cannot("make", &folder, &e))?;
    fs::rename(bench.join("program"), &program)
        .map_err(|e| cannot("make", &program, &e))?;
    // Last, so that a build that was broken off does not count.
    write(&noted, print.as_bytes())?;
    Ok((program, true))
}

/// Builds the program of a wrong answer, `12-keep-alive/NAME`, which a page shows.
pub fn wrong_program(course: &Course, name: &str) -> Result<PathBuf> {
    let chapter = name.split('/').next().and_then(Chapter::from_name);
    let chapter =
        chapter.ok_or_else(|| format!("{name}: no chapter is called so"))?;
    let answers = find(course, Kind::Wrong, &[chapter])?;
    let file = format!("{name}.patch");
    let answer = answers.iter().find(|answer| answer.path.ends_with(&file));
    let answer = answer.ok_or_else(|| format!("there is no tests/wrong/{file}"))?;
    // Two transcripts may ask for the same one.
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    let _one = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(build(course, answer, cores(), false)?.0)
}

fn accepted(verdict: &Verdict) -> Result<()> {
    match verdict.first_failure() {
        None if verdict.all_passed() => Ok(()),
        None => Err(format!(
            "the milestone came to no verdict:\n{}",
            verdict.output
        )),
        Some(check) => {
            let (name, report) = (&check.name, check.report().unwrap_or_default());
            Err(format!("this is right, and {name} rejects it:\n{report}"))
        }
    }
}

/// In a complaint about an answer that its check doesn't see.
const PASSES: &str = "passes it: it must learn to see this mistake";

fn rejected(verdict: &Verdict, header: &Header) -> Result<String> {
    let check = &header.check;
    let found = verdict.checks.iter().find(|found| found.name == *check);
    let found = found.ok_or_else(|| {
        let output = &verdict.output;
        match (output.contains("running 0 tests"), header.is_unit) {
            (false, _) => format!("{check} came to no verdict:\n{output}"),
            (true, true) => format!("the solution has no unit test called {check}"),
            (true, false) => format!("the milestone has no check called {check}"),
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
            match header.is_unit {
                true => header.is_met_by(report)?,
                false => well_said(header, report)?,
            }
            Ok(report.clone())
        }
    }
}

/// Whether a failed check speaks to a learner, and says what it should.
pub fn well_said(header: &Header, report: &str) -> Result<()> {
    let check = &header.check;
    if report.contains(&format!("thread '{check}'")) && report.contains("panicked at")
    {
        return Err(format!("{check} panics instead of reporting:\n{report}"));
    }
    header.is_met_by(report)
}

/// Which compiler this is: another one builds everything anew.
static COMPILER: LazyLock<String> = LazyLock::new(|| {
    let version = Command::new(rustc()).arg("-vV").output();
    version.map_or(String::new(), |version| {
        String::from_utf8_lossy(&version.stdout).into_owned()
    })
});

fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}
