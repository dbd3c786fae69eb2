//! Where things lie: the root, the chapters found in it, their files and titles.

use std::collections::BTreeMap;

use crate::Result;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A part of the course.
pub struct Part {
    /// The heading, "Part I. Bytes".
    pub name: &'static str,
    /// Its chapters, in order: the name, and the title for as long as there is no page.
    chapters: &'static [(&'static str, &'static str)],
}

impl Part {
    /// How many chapters it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chapters.len()
    }

    /// Whether it has none. (There is no such part.)
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chapters.is_empty()
    }
}

/// All parts. Chapters are numbered through them, from 01.
pub const PARTS: [Part; 7] = [
    Part { name: "Part I. Bytes", chapters: &[("bind", "bind"), ("echo", "echo")] },
    Part {
        name: "Part II. HTTP",
        chapters: &[
            ("response", "response"),
            ("request", "request"),
            ("files", "files"),
        ],
    },
    Part {
        name: "Part III. Threads",
        chapters: &[
            ("thread-per-request", "thread per request"),
            ("interface-first", "thread pool, interface first"),
            ("channel-per-worker", "a channel for each worker"),
            ("one-queue", "one queue, a shared receiver"),
            ("hostile-clients", "hostile clients, panicking jobs"),
            ("graceful-shutdown", "graceful shutdown"),
        ],
    },
    Part {
        name: "Part IV. Connections that stay",
        chapters: &[
            ("keep-alive", "keep-alive and backpressure"),
            ("content", "content"),
        ],
    },
    Part {
        name: "Part V. Fork/join",
        chapters: &[
            ("fork-join", "fork/join with scoped threads"),
            ("fork-join-pool", "fork/join on the pool"),
        ],
    },
    Part {
        name: "Part VI. Async I/O",
        chapters: &[
            ("nonblocking", "nonblocking"),
            ("readiness", "readiness"),
            ("futures", "futures"),
            ("executor-reactor", "executor and reactor"),
            ("many-reactors", "many reactors"),
            ("one-run-queue", "one run queue"),
        ],
    },
    Part {
        name: "Part VII. The server you keep",
        chapters: &[("server-to-keep", "a server to keep"), ("race", "the race")],
    },
];

/// The number of a chapter. It shows as two digits: `05`.
///
/// All names of a chapter are made from it here, and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chapter(pub u8);

impl Chapter {
    /// The last chapter that the course is planned to have.
    #[must_use]
    pub fn last_planned() -> Chapter {
        let count: usize = PARTS.iter().map(Part::len).sum();
        Chapter(u8::try_from(count).unwrap_or(u8::MAX))
    }

    fn planned(self) -> Option<(&'static str, &'static str)> {
        let before = usize::from(self.0.checked_sub(1)?);
        let mut all = PARTS.iter().flat_map(|part| part.chapters);
        all.nth(before).copied()
    }

    /// The name of everything that belongs to the chapter alone, with its number:
    /// `05-files`. So are called the folders in `chapters` and `solutions`, those of
    /// its answers, errors and transcripts, and, with an ending, its milestone and its
    /// page.
    #[must_use]
    pub fn name(self) -> String {
        match self.planned() {
            Some((name, _)) => format!("{self}-{name}"),
            None => self.to_string(),
        }
    }

    /// The name of the starter's package and program: `chapter05`.
    #[must_use]
    pub fn package(self) -> String {
        format!("chapter{self}")
    }

    /// The name of the solution's package and program: `solution05`.
    #[must_use]
    pub fn solution_package(self) -> String {
        format!("solution{self}")
    }

    /// Reads the name of a starter's package, `chapter05`.
    #[must_use]
    pub fn from_package(name: &str) -> Option<Chapter> {
        let chapter = Chapter(name.strip_prefix("chapter")?.parse().ok()?);
        (chapter.planned().is_some() && chapter.package() == name).then_some(chapter)
    }

    /// Reads the name of a folder or a page, `05-files`. Any other name is none, such
    /// as that of a backup, `05-files-old`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Chapter> {
        let (digits, _) = name.split_once('-')?;
        let chapter = Chapter(digits.parse().ok()?);
        (chapter.planned().is_some() && chapter.name() == name).then_some(chapter)
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
        Course { root: root.into(), target: target.into() }
    }

    /// The course that this package was compiled in: what its tests look at.
    #[must_use]
    pub fn of_this_package() -> Course {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package.ancestors().nth(2).unwrap_or(package);
        Course::at(root, target_of(root))
    }

    /// The course that the folder `from` lies in.
    pub fn around(from: &Path) -> Result<Course> {
        from.ancestors()
            .find(|dir| dir.join("tests/course/Cargo.toml").is_file() && dir.join("chapters").is_dir())
            .map(|root| Course::at(root, target_of(root)))
            .ok_or_else(|| {
                format!(
                    "{} is not inside the course: go to the folder you cloned it into and try again",
                    from.display()
                )
            })
    }

    /// The folder with the workspace's Cargo.toml.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds it.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where this package keeps what it builds and remembers; never under version
    /// control.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.target.join("course")
    }

    /// The chapters there are: the members of the workspace in `chapters/`. Whatever
    /// else lies there, a backup or notes, is a person's own.
    #[must_use]
    pub fn chapters(&self) -> Vec<Chapter> {
        self.members("chapters")
    }

    /// The chapters that have a solution.
    #[must_use]
    pub fn solutions(&self) -> Vec<Chapter> {
        self.members("solutions")
    }

    fn members(&self, folder: &str) -> Vec<Chapter> {
        let manifest = fs::read_to_string(self.root.join("Cargo.toml"));
        let listed = members_listed(&manifest.unwrap_or_default());
        (1..=Chapter::last_planned().0)
            .map(Chapter)
            .filter(|chapter| {
                let path = format!("{folder}/{}", chapter.name());
                listed.contains(&path) && self.root.join(path).is_dir()
            })
            .collect()
    }

    /// The folder in which a learner writes.
    #[must_use]
    pub fn starter(&self, chapter: Chapter) -> PathBuf {
        self.root.join("chapters").join(chapter.name())
    }

    /// The folder with our solution.
    #[must_use]
    pub fn solution(&self, chapter: Chapter) -> PathBuf {
        self.root.join("solutions").join(chapter.name())
    }

    /// The file with the checks.
    #[must_use]
    pub fn milestone(&self, chapter: Chapter) -> PathBuf {
        self.root.join("tests").join(format!("{}.rs", chapter.name()))
    }

    /// The page of the book.
    #[must_use]
    pub fn page(&self, chapter: Chapter) -> PathBuf {
        self.root.join("book/src").join(format!("{}.md", chapter.name()))
    }

    /// The path as a person at the root would type it.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        slashed(path.strip_prefix(&self.root).unwrap_or(path))
    }

    /// The chapter's title: from its page, or as planned, or its number.
    #[must_use]
    pub fn title(&self, chapter: Chapter) -> String {
        fs::read_to_string(self.page(chapter))
            .ok()
            .and_then(|page| first_heading(&page))
            .or_else(|| Some(chapter.planned()?.1.to_owned()))
            .unwrap_or_else(|| chapter.to_string())
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
#[must_use]
pub fn members_listed(manifest: &str) -> Vec<String> {
    let path = |line: &str| {
        let line = line.trim().trim_end_matches(',');
        let path = line.strip_prefix('"')?.strip_suffix('"')?;
        Some(path.to_owned())
    };
    manifest.lines().filter_map(path).collect()
}

/// The first heading of a page without its number: "# 03 response" and "# Chapter 3:
/// response" are both "response".
fn first_heading(page: &str) -> Option<String> {
    let heading = page.lines().find_map(|line| line.strip_prefix("# "))?.trim();
    let rest = heading.strip_prefix("Chapter ").unwrap_or(heading);
    let title = rest
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches(|c: char| c.is_whitespace() || ".:-–—".contains(c))
        .replace('`', "");
    if title.is_empty() { None } else { Some(title) }
}

/// All files below `dir`, without what editors, systems and cargo leave behind.
pub fn files(dir: &Path) -> Result<Files> {
    let mut found = Files::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|e| cannot("read", &folder, &e))?;
        for entry in entries {
            let entry = entry.map_err(|e| cannot("read", &folder, &e))?;
            let path = entry.path();
            if is_left_behind(&slashed(path.strip_prefix(dir).unwrap_or(&path))) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let contents =
                    fs::read(&path).map_err(|e| cannot("read", &path, &e))?;
                found.insert(
                    slashed(path.strip_prefix(dir).unwrap_or(&path)),
                    contents,
                );
            }
        }
    }
    Ok(found)
}

/// Whether a file or folder of a crate, by its path there, is left behind by an
/// editor, the system or cargo, and no part of a chapter.
#[must_use]
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

/// The sentence for a file that could not be read, written or removed.
#[must_use]
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

/// A short name for contents: FNV-1a, 64 bits, over each path and what is in it.
///
/// A line that ends in CRLF counts as one that ends in LF, so that an editor on
/// Windows does not make a file another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of nothing; add to it.
    #[must_use]
    pub fn new() -> Fingerprint {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    /// Of these files.
    #[must_use]
    pub fn of(files: &Files) -> Fingerprint {
        let mut all = Fingerprint::new();
        for (path, contents) in files {
            all.add(path.as_bytes());
            all.add(contents);
        }
        all
    }

    /// Takes some bytes in.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut rest = bytes.iter().peekable();
        while let Some(&byte) = rest.next() {
            if byte == b'\r' && rest.peek() == Some(&&b'\n') {
                continue;
            }
            self.step(byte);
        }
        self.step(0);
    }

    fn step(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint::new()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_and_cargo_leave_behind_is_no_part_of_a_chapter() {
        for path in ["target", "target/debug/x", ".idea", "src/a.rs~", "src/.x.swp"] {
            assert!(is_left_behind(path), "{path}");
        }
        for path in ["src/target", "src/target_path/tests.rs", "src/main.rs"] {
            assert!(!is_left_behind(path), "{path}");
        }
    }

    #[test]
    fn a_heading_loses_its_number_and_keeps_its_words() {
        for page in [
            "# 03 response\n", "\n# Chapter 3: response\n", "# 3. response",
            "# Chapter 03 — response", "# `response`", "# response\n# other",
        ] {
            assert_eq!(first_heading(page).as_deref(), Some("response"), "{page:?}");
        }
        assert_eq!(first_heading("no heading"), None);
        assert_eq!(first_heading("# 3"), None);
    }

    #[test]
    fn a_chapter_has_one_name() {
        assert_eq!(Chapter(5).name(), "05-files");
        assert_eq!(Chapter::from_name("05-files"), Some(Chapter(5)));
        for name in [
            "5-files", "005-files", "05-file", "05-files-old", "05-Files",
            "06-files", "+5-files", "00-files", "05", "24", "24-more", "notes",
        ] {
            assert_eq!(Chapter::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_package_has_two_digits() {
        assert_eq!(Chapter::from_package("chapter05"), Some(Chapter(5)));
        for name in ["chapter5", "chapter005", "chapter00", "chapter+5", "solution05"]
        {
            assert_eq!(Chapter::from_package(name), None, "{name}");
        }
    }

    #[test]
    fn twenty_three_chapters_are_planned() {
        assert_eq!(Chapter::last_planned(), Chapter(23));
        assert_eq!(Chapter(23).planned(), Some(("race", "the race")));
        assert_eq!(Chapter(24).planned(), None);
        assert_eq!(Chapter(0).planned(), None);
    }

    #[test]
    fn members_are_read_one_a_line() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n    \"chapters/01-bind\",\n\
                        # \"chapters/02-echo\",\n    \"tests/course\"\n]\n";
        assert_eq!(members_listed(manifest), ["chapters/01-bind", "tests/course"]);
    }

    #[test]
    fn a_fingerprint_tells_paths_and_contents_apart_but_not_line_ends() {
        let of = |path: &str, contents: &str| {
            Fingerprint::of(&Files::from([(
                path.to_owned(),
                contents.as_bytes().to_vec(),
            )]))
        };
        assert_eq!(of("a", "1\n2\n"), of("a", "1\r\n2\r\n"));
        assert_ne!(of("a", "1\n"), of("b", "1\n"));
        assert_ne!(of("a", "1\n"), of("a", "1\r"));
        assert_ne!(of("ab", "c"), of("a", "bc"));
        let mut known = Fingerprint::new();
        known.step(b'a');
        assert_eq!(known.to_string(), "af63dc4c8601ec8c", "FNV-1a of the letter a");
    }
}
