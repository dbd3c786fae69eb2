//! Whether all is where it belongs, and nothing else is there.

use std::collections::BTreeSet;
use std::fs;

use crate::Result;
use crate::dev::answers::{Kind, find};
use crate::git;
use crate::layout::{Chapter, Course, files, members_listed, read};
use crate::work::entries;

/// What may stand at the root. A name that ends in `*` may go on.
const AT_THE_ROOT: &str = "book chapters solutions tests README.md CONTRIBUTING.md \
                           Cargo.toml Cargo.lock LICENSE* .gitignore .gitattributes \
                           .cargo .github .ci .devcontainer rustfmt.toml clippy.toml \
                           rust-toolchain.toml .editorconfig";

/// What each chapter needs and lacks: starter, solution, milestone, page, line in the
/// summary, a wrong answer and two right ones.
pub fn incomplete(course: &Course) -> Result<Vec<String>> {
    let summary = fs::read_to_string(course.root().join("book/src/SUMMARY.md"));
    let summary = summary.unwrap_or_default();
    let mut complaints = Vec::new();
    for chapter in mentioned(course)? {
        let name = chapter.name();
        let page = fs::read_to_string(course.page(chapter)).unwrap_or_default();
        let title = page.lines().next().unwrap_or_default();
        let title = title.trim_start_matches("# ");
        let answers = |kind| find(course, kind, &[chapter]).map(|found| found.len());
        let mut need = |is_there: bool, what: &str| {
            if !is_there {
                complaints.push(format!("chapter {chapter} has no {what}"));
            }
        };
        let is_there = course.chapters().contains(&chapter);
        need(is_there, &format!("starter: chapters/{name}"));
        let is_there = course.solutions().contains(&chapter);
        need(is_there, &format!("solution: solutions/{name}"));
        let is_there = course.milestone(chapter).is_file();
        need(is_there, &format!("milestone: tests/{name}.rs"));
        need(!page.is_empty(), &format!("page: book/src/{name}.md"));
        let link = format!("- [{title}]({name}.md)");
        let is_there = summary.contains(&link);
        need(is_there, &format!("line `{link}` in book/src/SUMMARY.md"));
        let wrong = format!("wrong answer: tests/wrong/{name}/NAME.patch");
        need(answers(Kind::Wrong)? >= 1, &wrong);
        let right = format!("tests/right/{name}/NAME.patch, or NAME/ with a main.rs");
        let right = format!("two right answers in other shapes: {right}");
        need(answers(Kind::Right)? >= 2, &right);
    }
    Ok(complaints)
}

/// The chapters that anything exists for.
fn mentioned(course: &Course) -> Result<BTreeSet<Chapter>> {
    let mut chapters: BTreeSet<Chapter> = course.chapters().into_iter().collect();
    chapters.extend(course.solutions());
    for folder in ["tests", "tests/wrong", "tests/right", "book/src"] {
        for path in entries(&course.root().join(folder))? {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            chapters.extend(stem.and_then(Chapter::from_name));
        }
    }
    Ok(chapters)
}

/// What the workspace's list of members lacks or has too much. A folder counts if it
/// has the name of a chapter and a manifest: no backup does.
pub fn members(course: &Course) -> Result<Vec<String>> {
    let path = course.root().join("Cargo.toml");
    let text = read(&path)?;
    let (members, defaults) =
        text.split_once("default-members").unwrap_or((&text, ""));
    let of_chapters = ["chapters", "solutions"].into_iter().flat_map(|folder| {
        Chapter::planned().map(move |chapter| format!("{folder}/{}", chapter.name()))
    });
    let has_manifest =
        |path: &String| course.root().join(path).join("Cargo.toml").is_file();
    let mut there: BTreeSet<String> = of_chapters.filter(has_manifest).collect();
    there.extend(["tests/harness", "tests/course"].map(str::to_owned));
    let mut tested = there.clone();
    tested.retain(|path| !path.starts_with("chapters/"));
    let mut complaints = Vec::new();
    for (name, listed, wanted) in [
        ("members", members, there),
        ("default-members", defaults, tested),
    ] {
        let listed: BTreeSet<String> = members_listed(listed).into_iter().collect();
        let lacks = wanted.difference(&listed);
        complaints.extend(lacks.map(|path| {
            format!(
                "Cargo.toml does not list {path}: add a line \"{path}\" to `{name}`"
            )
        }));
        let extra = listed.difference(&wanted);
        complaints.extend(extra.map(|path| {
            format!(
                "Cargo.toml lists {path} in `{name}`, which is not there, has no \
                 manifest, or is no chapter's name: see NAMES in tests/course/src/layout.rs"
            )
        }));
    }
    Ok(complaints)
}

/// Where a starter's files are not those of its solution, path for path.
pub fn not_mirrored(course: &Course, chapters: &[Chapter]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for &chapter in chapters {
        let starter = files(&course.starter(chapter))?;
        let solution = files(&course.solution(chapter)).unwrap_or_default();
        for (one, other, these, those) in [
            ("chapters", "solutions", &starter, &solution),
            ("solutions", "chapters", &solution, &starter),
        ] {
            let name = chapter.name();
            let alone = these.keys().filter(|path| !those.contains_key(*path));
            complaints.extend(alone.map(|path| {
                format!(
                    "{one}/{name}/{path} has no counterpart {other}/{name}/{path}"
                )
            }));
        }
    }
    Ok(complaints)
}

/// The manifest of every chapter and of every solution: no dependency but the
/// harness, for the tests; and the milestone. Those of chapters say too that `cargo
/// test` asks the milestone alone, since a unit test that fails is a bare panic.
const MANIFESTS: [(&str, &str); 2] = [
    ("chapters", include_str!("../../manifests/chapters.toml")),
    ("solutions", include_str!("../../manifests/solutions.toml")),
];

/// The manifest that a chapter has in one of these folders.
pub fn manifest(folder: &str, chapter: Chapter) -> String {
    let found = MANIFESTS.iter().find(|(name, _)| *name == folder);
    let manifest = found.map_or("", |(_, manifest)| manifest);
    let manifest = manifest.replace("NN-NAME", &chapter.name());
    manifest.replace("NN", &chapter.to_string())
}

/// Manifests of chapters that are not as they should be, and dependencies of the
/// other packages that should not be.
pub fn dependencies(course: &Course, starters: &[Chapter]) -> Result<Vec<String>> {
    let read = |path: &str| read(&course.root().join(path));
    let mut complaints = Vec::new();
    for (folder, chapters) in
        [("chapters", starters), ("solutions", &course.solutions())]
    {
        for &chapter in chapters {
            let shown = format!("{folder}/{}", chapter.name());
            let expected = manifest(folder, chapter);
            if read(&format!("{shown}/Cargo.toml"))?.replace('\r', "") != expected {
                complaints.push(format!("{shown}/Cargo.toml must be:\n{expected}"));
            }
            if course.root().join(&shown).join("build.rs").exists() {
                let what = "a chapter has no build script";
                complaints.push(format!("{shown}/build.rs: {what}"));
            }
        }
    }
    let lock = read("Cargo.lock")?;
    // Of the course's own dependencies the harness is one for tests: the first
    // `cargo course` on a new machine takes seconds.
    for (package, lists, may) in [
        (
            "harness",
            1,
            ["assert_cmd", "predicates", "reqwest"].as_slice(),
        ),
        ("course", 0, &["harness"]),
    ] {
        let path = format!("tests/{package}/Cargo.toml");
        let has = dependencies_of(package, &lock);
        if has != may {
            complaints.push(format!(
                "{path}: {package} depends on {has:?}, and may on {may:?}"
            ));
        }
        if read(&path)?.matches("\n[dependencies]").count() != lists {
            complaints
                .push(format!("{path}: a dependency of another kind was expected"));
        }
    }
    Ok(complaints)
}

/// All that a package depends on, whatever for, as Cargo.lock has it.
fn dependencies_of<'a>(package: &str, lock: &'a str) -> Vec<&'a str> {
    let mut packages = lock.split("[[package]]\n");
    let name = format!("name = \"{package}\"\n");
    let lines = packages
        .find(|about| about.starts_with(&name))
        .unwrap_or_default();
    let quoted = lines.lines().filter_map(|line| line.strip_prefix(" \""));
    quoted
        .map(|line| line.trim_end_matches(['"', ',']))
        .collect()
}

/// Names at the root that do not belong there: of those that git knows, and in a
/// maintainers' run also of those it would take. `None` without git.
pub fn at_the_root(course: &Course, strict: bool) -> Option<Vec<String>> {
    let mut git = git::git(course.root());
    git.args(["ls-files", "-z", "--cached"]);
    if strict {
        git.args(["--others", "--exclude-standard"]);
    }
    let output = git::ask(&mut git).ok()?;
    let text = String::from_utf8_lossy(&output);
    let paths = text.split('\0').filter(|path| !path.is_empty());
    let names: BTreeSet<&str> =
        paths.filter_map(|path| path.split('/').next()).collect();
    let belongs = |name: &str| {
        AT_THE_ROOT
            .split(' ')
            .any(|allowed| match allowed.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == allowed,
            })
    };
    let strangers = names.into_iter().filter(|name| !belongs(name));
    let complaint = |name| {
        format!(
            "{name} does not belong at the root: see tests/course/src/dev/tree.rs"
        )
    };
    Some(strangers.map(complaint).collect())
}
