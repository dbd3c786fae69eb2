//! `cargo course dev carry-up N`: takes a mend of one solution up the whole ladder.
//!
//! Starter M is solution M-1 and a gap, and solution M grew from it. So a change of
//! solution N belongs into starter and solution N+1, what changes there belongs into
//! N+2, and so on to the top. Each file is merged three ways: ours is the file in
//! chapter M, theirs is solution M-1 as it is now, and the base is solution M-1 as it
//! was when it was last carried: at first as git has it, later as a note in the git
//! folder says. With that note the command can be given again at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::anchors::{self, Marked};
use crate::git;
use crate::layout::{Chapter, Course, Files, cannot, files, is_left_behind, write};
use crate::work::Scratch;

/// What was done, for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A line for each file that was written, removed, or needs a hand.
    pub lines: Vec<String>,
    /// The files that need a hand.
    pub conflicts: Vec<String>,
    /// The chapter at which the carrying stopped.
    pub stopped_at: Option<Chapter>,
    /// Files of the starter beside the mended solution that hold the same lines.
    pub by_hand: Vec<String>,
}

/// Carries the change of solution `from` since the commit `base` up the ladder.
pub fn carry_up(course: &Course, from: Chapter, base: &str) -> Result<Report> {
    let git = Git::of(course)?;
    let all = course.solutions();
    if !all.contains(&from) {
        return Err(format!(
            "there is no solutions/{} to carry a change from",
            from.name()
        ));
    }
    let head = git.commit("HEAD")?;
    let base = git.commit(base)?;
    let notes_path = git.path("course-carry")?;
    let mut notes = Notes::read(&notes_path, &format!("{head} {base}"));
    let above: Vec<Chapter> = all
        .iter()
        .copied()
        .filter(|&chapter| chapter > from)
        .collect();

    refuse_markers(course, &all, from)?;
    let dirty = git.dirty()?;
    refuse_foreign_changes(&above, &dirty, &notes)?;

    let mut report = Report::default();
    let mut below = from;
    for chapter in above {
        let before = git.files_at(&base, below)?;
        let now = files(&course.solution(below))?;
        for side in [Side::Starter, Side::Solution] {
            let step = Step {
                git: &git,
                below,
                chapter,
                side,
                before: &before,
                now: &now,
                dirty: &dirty,
            };
            step.carry(course, &mut notes, &mut report)?;
            notes.write(&notes_path)?;
        }
        if !report.conflicts.is_empty() {
            report.stopped_at = Some(chapter);
            break;
        }
        below = chapter;
    }
    report.by_hand = starter_beside(course, &git, from, &base)?;
    Ok(report)
}

/// The files of the starter of the mended solution that hold what was mended: they
/// are not changed, because only a person can tell the mend from the gap.
fn starter_beside(
    course: &Course,
    git: &Git<'_>,
    chapter: Chapter,
    base: &str,
) -> Result<Vec<String>> {
    let before = git.files_at(base, chapter)?;
    let now = files(&course.solution(chapter))?;
    let mut found = Vec::new();
    for (path, ours) in files(&course.starter(chapter)).unwrap_or_default() {
        if path == "Cargo.toml" {
            continue;
        }
        let merged = merge(Some(&ours), before.get(&path), now.get(&path))?;
        if matches!(merged, Merge::Merged(_)) {
            found.push(format!("{}/{path}", Side::Starter.folder(chapter)));
        }
    }
    Ok(found)
}

/// The crate of a chapter that a change is merged into.
#[derive(Clone, Copy)]
enum Side {
    Starter,
    Solution,
}

impl Side {
    fn folder(self, chapter: Chapter) -> String {
        match self {
            Side::Starter => format!("chapters/{}", chapter.name()),
            Side::Solution => format!("solutions/{}", chapter.name()),
        }
    }

    fn package(self, chapter: Chapter) -> String {
        match self {
            Side::Starter => chapter.package(),
            Side::Solution => chapter.solution_package(),
        }
    }
}

/// One crate to merge into.
struct Step<'a> {
    git: &'a Git<'a>,
    below: Chapter,
    chapter: Chapter,
    side: Side,
    /// The solution below at the base commit.
    before: &'a Files,
    /// The solution below now.
    now: &'a Files,
    /// What differs from the last commit.
    dirty: &'a BTreeSet<String>,
}

/// What becomes of a file.
enum Merge {
    /// Nothing: it is as it should be.
    Same,
    /// These contents.
    Merged(Vec<u8>),
    /// These contents, with marks where a person has to choose.
    Marked(Vec<u8>),
    /// It goes.
    Removed,
    /// A person has to decide, for this reason.
    Undecided(&'static str),
}

impl Step<'_> {
    fn carry(
        &self,
        course: &Course,
        notes: &mut Notes,
        report: &mut Report,
    ) -> Result<()> {
        let folder = self.side.folder(self.chapter);
        let ours = match files(&course.root().join(&folder)) {
            Ok(ours) => ours,
            // A chapter that is being written may not have both yet.
            Err(_) if !course.root().join(&folder).exists() => return Ok(()),
            Err(sentence) => return Err(sentence),
        };
        let paths: BTreeSet<&String> =
            self.before.keys().chain(self.now.keys()).collect();
        for path in paths {
            let shown = format!("{folder}/{path}");
            let theirs = self.now.get(path).cloned();
            let base = match notes.carried.get(&shown) {
                Some(noted) if self.dirty.contains(&shown) => match &**noted {
                    "-" => None,
                    noted => Some(self.git.blob(noted)?),
                },
                _ => self.before.get(path).cloned(),
            };
            let renamed = |contents: &Option<Vec<u8>>| {
                contents
                    .as_ref()
                    .map(|contents| self.renamed(path, contents))
            };
            let merge = merge(
                ours.get(path),
                renamed(&base).as_ref(),
                renamed(&theirs).as_ref(),
            )?;
            let target = course.root().join(&shown);
            match merge {
                Merge::Same => continue,
                Merge::Merged(contents) => {
                    write(&target, &contents)?;
                    report.lines.push(format!("carried   {shown}"));
                }
                Merge::Removed => {
                    fs::remove_file(&target)
                        .map_err(|e| cannot("remove", &target, &e))?;
                    report.lines.push(format!("removed   {shown}"));
                }
                Merge::Marked(contents) => {
                    write(&target, &contents)?;
                    report.lines.push(format!("conflict  {shown}"));
                    report.conflicts.push(shown.clone());
                }
                Merge::Undecided(why) => {
                    report.lines.push(format!("conflict  {shown}: {why}"));
                    report.conflicts.push(shown.clone());
                }
            }
            notes
                .carried
                .insert(shown, self.git.keep(theirs.as_deref())?);
        }
        Ok(())
    }

    /// A file of the solution below in the words of the crate to merge into: the
    /// manifest has the package's name, and that of the milestone.
    fn renamed(&self, path: &str, contents: &[u8]) -> Vec<u8> {
        match std::str::from_utf8(contents) {
            Ok(text) if path == "Cargo.toml" => text
                .replace(&self.below.name(), &self.chapter.name())
                .replace(
                    &self.below.solution_package(),
                    &self.side.package(self.chapter),
                )
                .into_bytes(),
            _ => contents.to_owned(),
        }
    }
}

/// Merges a file. The book's anchors are those of the chapter: they are neither
/// carried nor lost.
fn merge(
    ours: Option<&Vec<u8>>,
    base: Option<&Vec<u8>>,
    theirs: Option<&Vec<u8>>,
) -> Result<Merge> {
    let [ours, base, theirs] =
        [ours, base, theirs].map(|text| text.map(|text| anchors::take(text)));
    let plain = |text: &Option<Marked>| text.as_ref().map(|text| text.plain.clone());
    if plain(&base) == plain(&theirs) || plain(&ours) == plain(&theirs) {
        return Ok(Merge::Same);
    }
    let same = plain(&ours) == plain(&base);
    Ok(match (ours, base, theirs) {
        (None, None, Some(theirs)) => Merge::Merged(theirs.plain),
        (None, _, _) => Merge::Undecided(
            "the solution below has changed it, and this chapter no longer has it",
        ),
        (Some(_), _, None) if same => Merge::Removed,
        (Some(_), _, None) => Merge::Undecided(
            "the solution below no longer has it, and this chapter has changed it",
        ),
        (Some(ours), base, Some(theirs)) => {
            let base = base.map(|base| base.plain).unwrap_or_default();
            merge_text(&ours, &base, &theirs.plain)?
        }
    })
}

fn merge_text(ours: &Marked, base: &[u8], theirs: &[u8]) -> Result<Merge> {
    let scratch = Scratch::new("carry")?;
    let mut git = git::git(scratch.path());
    git.args(["merge-file", "-p", "-q", "--diff3", "-L", "this chapter"]);
    git.args(["-L", "solution below, before", "-L", "solution below, now"]);
    for (name, contents) in
        [("ours", &*ours.plain), ("base", base), ("theirs", theirs)]
    {
        write(&scratch.path().join(name), contents)?;
        git.arg(name);
    }
    let output = git::run(&mut git)?;
    // The exit code is the number of conflicts, up to 127; above that something else
    // went wrong.
    Ok(match output.status.code() {
        Some(0) if output.stdout == ours.plain => Merge::Same,
        Some(0) => Merge::Merged(ours.put_into(&output.stdout)),
        Some(1..=127) => Merge::Marked(ours.put_into(&output.stdout)),
        _ => Merge::Undecided("it cannot be merged as text"),
    })
}

/// Refuses while a file that was in conflict still has marks in it.
fn refuse_markers(course: &Course, all: &[Chapter], from: Chapter) -> Result<()> {
    for &chapter in all.iter().filter(|&&chapter| chapter >= from) {
        for side in [Side::Starter, Side::Solution] {
            let folder = side.folder(chapter);
            for (path, contents) in
                files(&course.root().join(&folder)).unwrap_or_default()
            {
                let text = String::from_utf8_lossy(&contents);
                if let Some(line) =
                    text.lines().position(|line| line.starts_with("<<<<<<< "))
                {
                    return Err(format!(
                        "{folder}/{path}:{}: here is an unresolved conflict; resolve it, then give the command again",
                        line + 1
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Refuses when there are changes further up that this command has not made: merging
/// into them could not be taken back.
fn refuse_foreign_changes(
    above: &[Chapter],
    dirty: &BTreeSet<String>,
    notes: &Notes,
) -> Result<()> {
    let is_above = |path: &&String| {
        above.iter().any(|&chapter| {
            [Side::Starter, Side::Solution]
                .iter()
                .any(|side| path.starts_with(&format!("{}/", side.folder(chapter))))
        })
    };
    let foreign: Vec<&str> = dirty
        .iter()
        .filter(is_above)
        .filter(|path| !notes.carried.contains_key(*path))
        .map(String::as_str)
        .collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(format!(
        "there are uncommitted changes further up; commit them first, so that nothing can be lost:\n  {}",
        foreign.join("\n  ")
    ))
}

/// What the command has done since the last commit: for each file that it wrote, the
/// contents of the solution below that went into it, as the name of a blob, or `-`
/// where there was no file.
struct Notes {
    /// The commits that the notes hold for.
    commits: String,
    carried: BTreeMap<String, String>,
}

impl Notes {
    /// Reads the notes; those for other commits no longer hold.
    fn read(path: &Path, commits: &str) -> Notes {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut lines = text.lines();
        let hold = lines.next() == Some(commits);
        let carried = lines
            .filter_map(|line| line.split_once(' '))
            .map(|(blob, path)| (path.to_owned(), blob.to_owned()))
            .filter(|_| hold)
            .collect();
        Notes {
            commits: commits.to_owned(),
            carried,
        }
    }

    fn write(&self, path: &Path) -> Result<()> {
        let lines = self
            .carried
            .iter()
            .map(|(path, blob)| format!("{blob} {path}\n"));
        write(
            path,
            format!("{}\n{}", self.commits, lines.collect::<String>()).as_bytes(),
        )
    }
}

/// Git, asked about the course's folder.
struct Git<'a>(&'a Path);

impl Git<'_> {
    fn of(course: &Course) -> Result<Git<'_>> {
        let git = Git(course.root());
        if git::run(git::git(git.0).args(["rev-parse", "--git-dir"]))?
            .status
            .success()
        {
            return Ok(git);
        }
        Err(format!(
            "{} is not a git checkout: a change is told by what git has",
            course.root().display()
        ))
    }

    fn ask(&self, args: &[&str]) -> Result<String> {
        let answer = git::ask(git::git(self.0).args(args))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn commit(&self, name: &str) -> Result<String> {
        let commit = format!("{name}^{{commit}}");
        let args = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        let id = self.ask(&args).map(|id| id.trim().to_owned());
        id.map_err(|_| format!("git knows no commit `{name}`"))
    }

    /// A file of ours in the git folder.
    fn path(&self, name: &str) -> Result<PathBuf> {
        let path = self.ask(&["rev-parse", "--git-path", name])?;
        Ok(self.0.join(path.trim_end()))
    }

    /// The files below `chapters` and `solutions` that differ from the last commit.
    fn dirty(&self) -> Result<BTreeSet<String>> {
        let changed = [
            "diff",
            "--name-only",
            "--no-renames",
            "-z",
            "--relative",
            "HEAD",
        ];
        let new = ["ls-files", "--others", "--exclude-standard", "-z"];
        let mut dirty = BTreeSet::new();
        for args in [changed.as_slice(), &new] {
            let list =
                self.ask(&[args, &["--", "chapters", "solutions"]].concat())?;
            let paths = list.split('\0').filter(|path| !path.is_empty());
            dirty.extend(paths.map(str::to_owned));
        }
        Ok(dirty)
    }

    /// The files of a solution at a commit.
    fn files_at(&self, commit: &str, chapter: Chapter) -> Result<Files> {
        let folder = format!("{}/", Side::Solution.folder(chapter));
        let args = ["ls-tree", "-r", "-z", "--name-only", commit, "--", &folder];
        let mut files = Files::new();
        for path in self.ask(&args)?.split('\0') {
            let Some(short) = path.strip_prefix(&folder) else {
                continue;
            };
            if !is_left_behind(short) {
                let blob = self.blob(&format!("{commit}:./{path}"))?;
                files.insert(short.to_owned(), blob);
            }
        }
        Ok(files)
    }

    /// Keeps contents in git's store and returns their name; no contents are `-`.
    fn keep(&self, contents: Option<&[u8]>) -> Result<String> {
        let Some(contents) = contents else {
            return Ok("-".into());
        };
        let scratch = Scratch::new("carry")?;
        let path = scratch.path().join("contents");
        write(&path, contents)?;
        let path = path.to_string_lossy();
        let id = self.ask(&["hash-object", "-w", "--no-filters", "--", &path])?;
        Ok(id.trim().to_owned())
    }

    fn blob(&self, name: &str) -> Result<Vec<u8>> {
        git::ask(git::git(self.0).args(["cat-file", "blob", name]))
    }
}
