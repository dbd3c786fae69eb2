//! Where things lie: the root, the chapters found in it, their files and titles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use crate::Result;

/// The names of all chapters that the course is planned to have, from 01 on. Their
/// titles are in the book's summary.
const NAMES: &str = "bind echo response request files thread-per-request \
                     interface-first channel-per-worker one-queue hostile-clients \
                     graceful-shutdown keep-alive content fork-join fork-join-pool \
                     nonblocking readiness futures executor-reactor many-reactors \
                     one-run-queue server-to-keep race";

/// The number of a chapter. It shows as two digits: `05`.
///
/// All names of a chapter are made from it here, and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chapter(pub u8);

impl Chapter {
    /// All chapters, written or only planned.
    pub fn planned() -> impl Iterator<Item = Chapter> {
        NAMES.split(' ').zip(1..).map(|(_, number)| Chapter(number))
    }

    /// The name of everything that belongs to the chapter alone, with its number:
    /// `05-files`. So are called the folders in `chapters` and `solutions`, those of
    /// its answers, errors and transcripts, and, with an ending, its milestone and
    /// its page.
    pub fn name(self) -> String {
        let mut names = NAMES.split(' ').zip(1..);
        match names.find(|(_, number)| *number == self.0) {
            Some((name, _)) => format!("{self}-{name}"),
            None => self.to_string(),
        }
    }

    /// The name of the starter's package and program: `chapter05`.
    pub fn package(self) -> String {
        format!("chapter{self}")
    }

    /// The name of the solution's package and program: `solution05`.
    pub fn solution_package(self) -> String {
        format!("solution{self}")
    }

    /// Reads the name of a starter's package, `chapter05`.
    pub fn from_package(name: &str) -> Option<Chapter> {
        Chapter::planned().find(|chapter| chapter.package() == name)
    }

    /// Reads the name of a folder or a page, `05-files`. Any other name is none, such
    /// as that of a backup, `05-files-old`.
    pub fn from_name(name: &str) -> Option<Chapter> {
        Chapter::planned().find(|chapter| chapter.name() == name)
    }
}

impl fmt::Display for Chapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// The files of a folder: their contents by path, relative and with `/`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The course in a folder.
#[derive(Clone, Debug)]
pub struct Course {
    root: PathBuf,
    target: PathBuf,
}

impl Course {
    /// The course whose workspace is `root`. Anything built for it goes below
    /// `target`.
    pub fn at(root: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Course {
        Course {
            root: root.into(),
            target: target.into(),
        }
    }

    /// The course that this package was compiled in: what its tests look at.
    pub fn of_this_package() -> Course {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package.ancestors().nth(2).unwrap_or(package);
        Course::at(root, target_of(root))
    }

    /// The course that the folder `from` lies in.
    pub fn around(from: &Path) -> Result<Course> {
        let is_root = |dir: &&Path| {
            dir.join("tests/course/Cargo.toml").is_file()
                && dir.join("chapters").is_dir()
        };
        let root = from.ancestors().find(is_root).ok_or_else(|| {
            format!(
                "{} is not inside the course: go to the folder you cloned it into \
                 and try again",
                from.display()
            )
        })?;
        Ok(Course::at(root, target_of(root)))
    }

    /// The folder with the workspace's Cargo.toml.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds it.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where this package keeps what it builds and remembers; never under version
    /// control.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("course")
    }

    /// The chapters there are: the members of the workspace in `chapters/`. Whatever
    /// else lies there, a backup or notes, is a person's own.
    pub fn chapters(&self) -> Vec<Chapter> {
        self.members("chapters")
    }

    /// The chapters that have a solution.
    pub fn solutions(&self) -> Vec<Chapter> {
        self.members("solutions")
    }

    fn members(&self, folder: &str) -> Vec<Chapter> {
        let manifest = fs::read_to_string(self.root.join("Cargo.toml"));
        let listed = members_listed(&manifest.unwrap_or_default());
        let is_there = |chapter: &Chapter| {
            let path = format!("{folder}/{}", chapter.name());
            listed.contains(&path) && self.root.join(path).is_dir()
        };
        Chapter::planned().filter(is_there).collect()
    }

    /// The folder in which a learner writes.
    pub fn starter(&self, chapter: Chapter) -> PathBuf {
        self.root.join("chapters").join(chapter.name())
    }

    /// The folder with our solution.
    pub fn solution(&self, chapter: Chapter) -> PathBuf {
        self.root.join("solutions").join(chapter.name())
    }

    /// The file with the checks.
    pub fn milestone(&self, chapter: Chapter) -> PathBuf {
        self.root.join(format!("tests/{}.rs", chapter.name()))
    }

    /// The page of the book.
    pub fn page(&self, chapter: Chapter) -> PathBuf {
        self.root.join(format!("book/src/{}.md", chapter.name()))
    }

    /// The path as a person at the root would type it.
    pub fn shown(&self, path: &Path) -> String {
        slashed(path.strip_prefix(&self.root).unwrap_or(path))
    }

    /// What the book's summary lists: each chapter, written or only planned, with its
    /// part, "Part I. Bytes", and its title.
    pub fn plan(&self) -> Vec<(String, Chapter, String)> {
        let summary = fs::read_to_string(self.root.join("book/src/SUMMARY.md"));
        let chapter = |line: &str| {
            // - [05 files](05-files.md)
            let (link, _) = line.strip_prefix("- [")?.split_once("](")?;
            let (number, title) = link.split_once(' ')?;
            Some((Chapter(number.parse().ok()?), title.to_owned()))
        };
        let mut part = String::new();
        let mut plan = Vec::new();
        for line in summary.unwrap_or_default().lines() {
            if let Some(name) = line.strip_prefix("# Part ") {
                part = format!("Part {name}");
            }
            plan.extend(
                chapter(line).map(|(chapter, title)| (part.clone(), chapter, title)),
            );
        }
        plan
    }

    /// The chapter's title, or its number where it has none.
    pub fn title(&self, chapter: Chapter) -> String {
        let found = self
            .plan()
            .into_iter()
            .find(|(_, other, _)| *other == chapter);
        found.map_or_else(|| chapter.to_string(), |(.., title)| title)
    }
}

fn target_of(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) if !dir.is_empty() => root.join(dir),
        _ => root.join("target"),
    }
}

/// The paths that a workspace's manifest lists, one a line, between quotes: members,
/// and members that are built by default, where there are both.
pub fn members_listed(manifest: &str) -> Vec<String> {
    let path = |line: &str| {
        let line = line.trim().trim_end_matches(',');
        let path = line.strip_prefix('"')?.strip_suffix('"')?;
        Some(path.to_owned())
    };
    manifest.lines().filter_map(path).collect()
}

/// All files below `dir`, without what editors, systems and cargo leave behind.
pub fn files(dir: &Path) -> Result<Files> {
    let mut found = Files::new();
    let mut paths: Vec<PathBuf> = vec![dir.to_owned()];
    while let Some(path) = paths.pop() {
        let name = slashed(path.strip_prefix(dir).unwrap_or(&path));
        if is_left_behind(&name) {
            continue;
        }
        if path.is_dir() {
            let entries =
                fs::read_dir(&path).map_err(|e| cannot("read", &path, &e))?;
            paths.extend(entries.flatten().map(|entry| entry.path()));
        } else {
            let contents = fs::read(&path).map_err(|e| cannot("read", &path, &e))?;
            found.insert(name, contents);
        }
    }
    Ok(found)
}

/// Whether a file or folder of a crate, by its path there, is left behind by an
/// editor, the system or cargo, and no part of a chapter.
pub fn is_left_behind(path: &str) -> bool {
    let ends = ["~", ".orig", ".rej", ".bak", ".swp"];
    let of_an_editor = |name: &str| {
        name.starts_with(['.', '#']) || ends.iter().any(|end| name.ends_with(end))
    };
    // Cargo's folder is at the top; `src/target` is a module of a server.
    path.split('/').next() == Some("target") || path.split('/').any(of_an_editor)
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The text of a file; what is not UTF-8 is replaced.
pub fn read(path: &Path) -> Result<String> {
    let contents = fs::read(path).map_err(|e| cannot("read", path, &e))?;
    Ok(String::from_utf8_lossy(&contents).into_owned())
}

/// The sentence for a file that could not be read, written or removed.
pub fn cannot(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

/// Writes a file, and the folders above it where they are missing.
pub fn write(path: &Path, contents: &[u8]) -> Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|e| cannot("make", dir, &e))?;
    }
    fs::write(path, contents).map_err(|e| cannot("write", path, &e))
}

/// A short name for contents: FNV-1a, 64 bits.
///
/// A line that ends in CRLF counts as one that ends in LF, so that an editor on
/// Windows does not make a file another one.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    };
    for part in parts {
        let mut rest = part.iter().peekable();
        while let Some(&byte) = rest.next() {
            if byte != b'\r' || rest.peek() != Some(&&b'\n') {
                add(byte);
            }
        }
        add(0);
    }
    format!("{hash:016x}")
}

/// What a fingerprint of files is taken of: each path, and what is in it.
pub fn parts(files: &Files) -> impl Iterator<Item = &[u8]> {
    let part = |(path, contents)| -> [&[u8]; 2] {
        let (path, contents): (&String, &Vec<u8>) = (path, contents);
        [path.as_bytes(), contents]
    };
    files.iter().flat_map(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_and_cargo_leave_behind_is_no_part_of_a_chapter() {
        for path in [
            "target",
            "target/debug/x",
            ".idea",
            "src/a.rs~",
            "src/.x.swp",
        ] {
            assert!(is_left_behind(path), "{path}");
        }
        for path in ["src/target", "src/target_path/tests.rs", "src/main.rs"] {
            assert!(!is_left_behind(path), "{path}");
        }
    }

    #[test]
    fn a_chapter_has_one_name() {
        assert_eq!(Chapter(5).name(), "05-files");
        assert_eq!(Chapter::from_name("05-files"), Some(Chapter(5)));
        let others = "5-files 005-files 05-file 05-files-old 05-Files 06-files \
                      +5-files 00-files 05 24 24-more notes";
        for name in others.split(' ') {
            assert_eq!(Chapter::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn members_are_read_one_a_line() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n    \"chapters/01-bind\",\n\
                        # \"chapters/02-echo\",\n    \"tests/course\"\n]\n";
        assert_eq!(
            members_listed(manifest),
            ["chapters/01-bind", "tests/course"]
        );
    }

    #[test]
    fn a_fingerprint_tells_paths_and_contents_apart_but_not_line_ends() {
        let of = |path: &str, contents: &str| {
            fingerprint([path.as_bytes(), contents.as_bytes()])
        };
        assert_eq!(of("a", "1\n2\n"), of("a", "1\r\n2\r\n"));
        assert_ne!(of("a", "1\n"), of("b", "1\n"));
        assert_ne!(of("a", "1\n"), of("a", "1\r"));
        assert_ne!(of("ab", "c"), of("a", "bc"));
        let known = fingerprint([b"".as_slice()]);
        assert_eq!(known, "af63bd4c8601b7df", "FNV-1a of a byte 0");
    }
}
