//! `cargo course dev carry-up N`: takes a mend of one solution up the whole ladder.
//!
//! Starter M is solution M-1 and a gap, and solution M grew from it. So a change of
//! solution N belongs into starter and solution N+1, what changes there belongs into
//! N+2, and so on to the top. Each file is merged three ways: ours is the file in
//! chapter M, theirs is solution M-1 as it is now, and the base is solution M-1 as it
//! was when it was last carried: at first as git has it, later as a note in the git
//! folder says. With that note the command can be given again at any time.
//!
//! Manifests are not carried: a test says what each of them must be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::anchors::{self, Marked};
use crate::git;
use crate::layout::{Chapter, Course, Files, cannot, files, is_left_behind, write};
use crate::work::Scratch;

const MANIFEST: &str = "Cargo.toml";

/// How a line on a file begins that needs a hand.
const CONFLICT: &str = "conflict";

/// What was done, for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A line for each file that was written, removed, or needs a hand.
    pub lines: Vec<String>,
    /// The chapter at which the carrying stopped.
    pub stopped_at: Option<Chapter>,
    /// Files of the starter beside the mended solution that hold the same lines.
    pub by_hand: Vec<String>,
}

/// Carries the change of solution `from` since the commit `base` up the ladder.
pub fn carry_up(course: &Course, from: Chapter, base: &str) -> Result<Report> {
    let git = Git::of(course)?;
    let mut ladder = course.solutions();
    ladder.retain(|&chapter| chapter >= from);
    if ladder.first() != Some(&from) {
        let name = from.name();
        return Err(format!(
            "there is no solutions/{name} to carry a change from"
        ));
    }
    let base = git.commit(base)?;
    let head = git.commit("HEAD")?;
    let mut notes = Notes::read(git.path("course-carry")?, format!("{head} {base}"));
    let dirty = git.dirty()?;
    refuse_markers(course, &ladder)?;
    refuse_foreign_changes(&ladder[1..], &dirty, &notes)?;

    let mut report = Report::default();
    for step in ladder.windows(2) {
        let [below, chapter] = [step[0], step[1]];
        let before = git.files_at(&base, below)?;
        let now = files(&course.solution(below))?;
        let paths: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        for folder in crates(chapter) {
            // A chapter that is being written may not have both yet.
            if !course.root().join(&folder).is_dir() {
                continue;
            }
            for &path in paths.iter().filter(|path| **path != MANIFEST) {
                let shown = format!("{folder}/{path}");
                let base = match notes.carried.get(&shown) {
                    Some(noted) if dirty.contains(&shown) => git.noted(noted)?,
                    _ => before.get(path).cloned(),
                };
                let target = course.root().join(&shown);
                let ours = fs::read(&target).ok();
                let merged = merge(ours.as_ref(), base.as_ref(), now.get(path))?;
                if report.carry_out(&shown, &target, merged)? {
                    let theirs = course.solution(below).join(path);
                    notes.carried.insert(shown, git.keep(&theirs)?);
                }
            }
            notes.write()?;
        }
        if report.lines.iter().any(|line| line.starts_with(CONFLICT)) {
            report.stopped_at = Some(chapter);
            break;
        }
    }
    report.by_hand = starter_beside(course, &git, from, &base)?;
    Ok(report)
}

/// The folders of a chapter's two crates.
fn crates(chapter: Chapter) -> [String; 2] {
    ["chapters", "solutions"].map(|folder| format!("{folder}/{}", chapter.name()))
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
        let merged = merge(Some(&ours), before.get(&path), now.get(&path))?;
        if path != MANIFEST && matches!(merged, Merge::Merged(_)) {
            found.push(format!("chapters/{}/{path}", chapter.name()));
        }
    }
    Ok(found)
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

impl Report {
    /// Does to a file what was found to become of it; says whether that is anything.
    fn carry_out(
        &mut self,
        shown: &str,
        target: &Path,
        merge: Merge,
    ) -> Result<bool> {
        self.lines.push(match merge {
            Merge::Same => return Ok(false),
            Merge::Merged(contents) => {
                write(target, &contents)?;
                format!("carried   {shown}")
            }
            Merge::Removed => {
                fs::remove_file(target).map_err(|e| cannot("remove", target, &e))?;
                format!("removed   {shown}")
            }
            Merge::Marked(contents) => {
                write(target, &contents)?;
                format!("{CONFLICT}  {shown}")
            }
            Merge::Undecided(why) => format!("{CONFLICT}  {shown}: {why}"),
        });
        Ok(true)
    }
}

/// Merges a file. The book's anchors are those of the chapter: they are neither
/// carried nor lost.
fn merge(
    ours: Option<&Vec<u8>>,
    base: Option<&Vec<u8>>,
    theirs: Option<&Vec<u8>>,
) -> Result<Merge> {
    let ours = ours.map(|text| anchors::take(text));
    let [base, theirs] = [base, theirs].map(|text| Some(anchors::take(text?).plain));
    let plain = ours.as_ref().map(|ours| &ours.plain);
    if base == theirs || plain == theirs.as_ref() {
        return Ok(Merge::Same);
    }
    let is_changed = plain != base.as_ref();
    Ok(match (ours, base, theirs) {
        (None, None, Some(theirs)) => Merge::Merged(theirs),
        (None, _, _) => Merge::Undecided(
            "the solution below has changed it, and this chapter no longer has it",
        ),
        (Some(_), _, None) if is_changed => Merge::Undecided(
            "the solution below no longer has it, and this chapter has changed it",
        ),
        (Some(_), _, None) => Merge::Removed,
        (Some(ours), base, Some(theirs)) => {
            merge_text(&ours, &base.unwrap_or_default(), &theirs)?
        }
    })
}

fn merge_text(ours: &Marked, base: &[u8], theirs: &[u8]) -> Result<Merge> {
    let scratch = Scratch::new("carry")?;
    let mut git = git::git(scratch.path());
    git.args(["merge-file", "-p", "-q", "--diff3", "-L", "this chapter"]);
    git.args(["-L", "solution below, before", "-L", "solution below, now"]);
    let plain: &[u8] = &ours.plain;
    for (name, contents) in [("ours", plain), ("base", base), ("theirs", theirs)] {
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
fn refuse_markers(course: &Course, ladder: &[Chapter]) -> Result<()> {
    for folder in ladder.iter().flat_map(|&chapter| crates(chapter)) {
        for (path, contents) in
            files(&course.root().join(&folder)).unwrap_or_default()
        {
            let text = String::from_utf8_lossy(&contents);
            let marked = text.lines().position(|line| line.starts_with("<<<<<<< "));
            if let Some(before) = marked {
                return Err(format!(
                    "{folder}/{path}:{}: here is an unresolved conflict; resolve it, \
                     then give the command again",
                    before + 1
                ));
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
    let folders: Vec<String> =
        above.iter().flat_map(|&chapter| crates(chapter)).collect();
    let is_foreign = |path: &&String| {
        let is_above = folders
            .iter()
            .any(|folder| Path::new(path).starts_with(folder));
        is_above && !notes.carried.contains_key(*path)
    };
    let foreign: Vec<&str> = dirty
        .iter()
        .filter(is_foreign)
        .map(|path| &**path)
        .collect();
    match foreign.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "there are uncommitted changes further up; commit them first, so that \
             nothing can be lost:\n  {}",
            foreign.join("\n  ")
        )),
    }
}

/// What the command has done since the last commit: for each file that it wrote, the
/// contents of the solution below that went into it, as the name of a blob, or `-`
/// where there was no file.
struct Notes {
    path: PathBuf,
    /// The commits that the notes hold for.
    commits: String,
    carried: BTreeMap<String, String>,
}

impl Notes {
    /// Reads the notes; those for other commits no longer hold.
    fn read(path: PathBuf, commits: String) -> Notes {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines = text
            .strip_prefix(&format!("{commits}\n"))
            .unwrap_or_default();
        let lines = lines.lines().filter_map(|line| line.split_once(' '));
        let carried = lines.map(|(blob, path)| (path.to_owned(), blob.to_owned()));
        Notes {
            path,
            carried: carried.collect(),
            commits,
        }
    }

    fn write(&self) -> Result<()> {
        let mut text = format!("{}\n", self.commits);
        for (path, blob) in &self.carried {
            text += &format!("{blob} {path}\n");
        }
        write(&self.path, text.as_bytes())
    }
}

/// Git, asked about the course's folder.
struct Git<'a>(&'a Path);

impl Git<'_> {
    fn of(course: &Course) -> Result<Git<'_>> {
        let git = Git(course.root());
        let known = git::run(git::git(git.0).args(["rev-parse", "--git-dir"]))?;
        match known.status.success() {
            true => Ok(git),
            false => Err(format!(
                "{} is not a git checkout: a change is told by what git has",
                course.root().display()
            )),
        }
    }

    fn ask(&self, args: &[&str]) -> Result<String> {
        let answer = git::ask(git::git(self.0).args(args))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn commit(&self, name: &str) -> Result<String> {
        let commit = format!("{name}^{{commit}}");
        let id = self.ask(&["rev-parse", "--verify", "--end-of-options", &commit]);
        let id = id.map(|id| id.trim().to_owned());
        id.map_err(|_| format!("git knows no commit `{name}`"))
    }

    /// A file of ours in the git folder.
    fn path(&self, name: &str) -> Result<PathBuf> {
        let path = self.ask(&["rev-parse", "--git-path", name])?;
        Ok(self.0.join(path.trim_end()))
    }

    /// The files below `chapters` and `solutions` that differ from the last commit.
    fn dirty(&self) -> Result<BTreeSet<String>> {
        let changed = "diff --name-only --no-renames -z --relative HEAD";
        let new = "ls-files --others --exclude-standard -z";
        let mut dirty = BTreeSet::new();
        for command in [changed, new] {
            let args = format!("{command} -- chapters solutions");
            let list = self.ask(&args.split(' ').collect::<Vec<_>>())?;
            let paths = list.split('\0').filter(|path| !path.is_empty());
            dirty.extend(paths.map(str::to_owned));
        }
        Ok(dirty)
    }

    /// The files of a solution at a commit.
    fn files_at(&self, commit: &str, chapter: Chapter) -> Result<Files> {
        let folder = format!("solutions/{}/", chapter.name());
        let args = ["ls-tree", "-r", "-z", "--name-only", commit, "--", &folder];
        let list = self.ask(&args)?;
        let paths = list
            .split('\0')
            .filter_map(|path| path.strip_prefix(&folder));
        let file = |path: &str| {
            let blob = self.blob(&format!("{commit}:./{folder}{path}"))?;
            Ok((path.to_owned(), blob))
        };
        paths
            .filter(|path| !is_left_behind(path))
            .map(file)
            .collect()
    }

    /// Keeps a file's contents in git's store and returns their name; that of no file
    /// is `-`.
    fn keep(&self, path: &Path) -> Result<String> {
        if !path.exists() {
            return Ok("-".into());
        }
        let path = path.to_string_lossy();
        let id = self.ask(&["hash-object", "-w", "--no-filters", "--", &path])?;
        Ok(id.trim().to_owned())
    }

    /// The contents that were kept under a name.
    fn noted(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match name {
            "-" => Ok(None),
            name => self.blob(name).map(Some),
        }
    }

    fn blob(&self, name: &str) -> Result<Vec<u8>> {
        git::ask(git::git(self.0).args(["cat-file", "blob", name]))
    }
}
