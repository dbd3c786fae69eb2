//! Whether all is where it belongs, and nothing else is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::cargo;
use crate::dev::answers::{Kind, find};
use crate::git;
use crate::json::Json;
use crate::layout::{Chapter, Course, cannot, files, members_listed};
use crate::work::entries;

/// What may stand at the root. A name that ends in `*` may go on.
const AT_THE_ROOT: &str = "book chapters solutions tests README.md CONTRIBUTING.md \
                           Cargo.toml Cargo.lock LICENSE* .gitignore .gitattributes \
                           .cargo .github .ci .devcontainer rustfmt.toml clippy.toml \
                           rust-toolchain.toml .editorconfig";

/// What each chapter needs and lacks: starter, solution, milestone, page, line in the
/// summary, a wrong answer and two right ones.
pub fn incomplete(course: &Course) -> Result<Vec<String>> {
    let summary = fs::read_to_string(course.root().join("book/src/SUMMARY.md"))
        .unwrap_or_default();
    let mut complaints = Vec::new();
    for chapter in mentioned(course)? {
        let name = chapter.name();
        let mut need = |there: bool, what: String| {
            if !there {
                complaints.push(format!("chapter {chapter} has no {what}"));
            }
        };
        let is_file = |path: PathBuf| path.is_file();
        let starter = course.chapters().contains(&chapter);
        need(starter, format!("starter: chapters/{name}"));
        let solution = course.solutions().contains(&chapter);
        need(solution, format!("solution: solutions/{name}"));
        let milestone = is_file(course.milestone(chapter));
        need(milestone, format!("milestone: tests/{name}.rs"));
        let page = is_file(course.page(chapter));
        need(page, format!("page: book/src/{name}.md"));
        let link = format!("line with a link to {name}.md in book/src/SUMMARY.md");
        need(summary.contains(&format!("({name}.md)")), link);
        let answers =
            |kind| find(course, kind, &[chapter]).map(|answers| answers.len());
        need(
            answers(Kind::Wrong)? >= 1,
            format!("wrong answer: tests/wrong/{name}/NAME.patch"),
        );
        need(
            answers(Kind::Right)? >= 2,
            format!(
                "two right answers in other shapes: tests/right/{name}/NAME.patch, or NAME/ with a main.rs"
            ),
        );
    }
    Ok(complaints)
}

/// The chapters that anything exists for.
fn mentioned(course: &Course) -> Result<BTreeSet<Chapter>> {
    let mut chapters: BTreeSet<Chapter> = course
        .chapters()
        .into_iter()
        .chain(course.solutions())
        .collect();
    for folder in ["tests", "tests/wrong", "tests/right", "book/src"] {
        for path in entries(&course.root().join(folder))? {
            chapters.extend(
                path.file_stem()
                    .and_then(|stem| Chapter::from_name(stem.to_str()?)),
            );
        }
    }
    Ok(chapters)
}

/// What the workspace's list of members lacks or has too much. A folder counts if it
/// has the name of a chapter and a manifest: no backup does.
pub fn members(course: &Course) -> Result<Vec<String>> {
    let path = course.root().join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|e| cannot("read", &path, &e))?;
    let (_, defaults) = text.split_once("default-members").unwrap_or_default();
    let [listed, defaults] = [text.as_str(), defaults].map(members_listed);
    let mut complaints = Vec::new();
    for folder in ["chapters", "solutions"] {
        for path in entries(&course.root().join(folder))? {
            let name = path.file_name().and_then(|name| name.to_str());
            let chapter = name.and_then(Chapter::from_name);
            if chapter.is_none() || !path.join("Cargo.toml").is_file() {
                continue;
            }
            let shown = course.shown(&path);
            if !listed.contains(&shown) {
                complaints.push(format!(
                    "Cargo.toml does not list {shown}: add a line \"{shown}\" to `members`"
                ));
            } else if folder == "solutions" && !defaults.contains(&shown) {
                complaints.push(format!(
                    "Cargo.toml does not list {shown} in `default-members`: nothing tests it"
                ));
            }
        }
    }
    for shown in &listed {
        let name = shown.rsplit('/').next().unwrap_or(shown);
        if !course.root().join(shown).join("Cargo.toml").is_file() {
            complaints.push(format!(
                "Cargo.toml lists {shown}, which is not there or has no manifest"
            ));
        } else if !shown.starts_with("tests/") && Chapter::from_name(name).is_none() {
            complaints.push(format!(
                "Cargo.toml lists {shown}, and no chapter is called so: see PARTS in tests/course/src/layout.rs"
            ));
        }
    }
    complaints.sort();
    complaints.dedup();
    Ok(complaints)
}

/// Where a starter's files are not those of its solution, path for path.
pub fn not_mirrored(course: &Course, chapters: &[Chapter]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for &chapter in chapters {
        let name = chapter.name();
        let starter = files(&course.starter(chapter))?;
        let solution = files(&course.solution(chapter)).unwrap_or_default();
        for (one, other, these, those) in [
            ("chapters", "solutions", &starter, &solution),
            ("solutions", "chapters", &solution, &starter),
        ] {
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

/// Dependencies that should not be, and packages that do not lead to their milestone.
pub fn dependencies(course: &Course, starters: &[Chapter]) -> Result<Vec<String>> {
    let metadata = cargo::metadata(course)?;
    let packages = metadata.list("packages");
    let mut complaints = Vec::new();
    let mut about = |folder: PathBuf, name: String, normal: &[&str], dev: &[&str]| {
        let shown = course.shown(&folder);
        let of_it = |package: &&Json| {
            cargo::package(package).is_some_and(|of| cargo::same_place(&of, &folder))
        };
        let Some(package) = packages.iter().find(of_it) else {
            complaints.push(format!("{shown} is not known to cargo as a package"));
            return None;
        };
        for (kind, may) in [(None, normal), (Some("dev"), dev), (Some("build"), &[])]
        {
            let has = package.list("dependencies").iter();
            let has = has.filter(|dependency| dependency.text("kind") == kind);
            let mut has: Vec<&str> = has.filter_map(|one| one.text("name")).collect();
            has.sort_unstable();
            if has != may {
                complaints.push(format!(
                    "{shown} depends on {has:?}{}, and may depend on {may:?} only",
                    kind.map_or(String::new(), |kind| format!(" ({kind})"))
                ));
            }
        }
        if package.text("name") != Some(&name) {
            complaints.push(format!("{shown}: the package must be called {name}"));
        }
        Some((shown, package))
    };
    let tests = course.root().join("tests");
    let crates = ["assert_cmd", "predicates", "reqwest"];
    about(tests.join("harness"), "harness".into(), &crates, &[]);
    about(tests.join("course"), "course".into(), &[], &[]);
    let mut chapters = Vec::new();
    for &chapter in starters {
        let found = about(
            course.starter(chapter),
            chapter.package(),
            &[],
            &["harness"],
        );
        chapters.push((chapter, true, found));
    }
    for chapter in course.solutions() {
        let (folder, name) = (course.solution(chapter), chapter.solution_package());
        chapters.push((chapter, false, about(folder, name, &[], &["harness"])));
    }
    for (chapter, is_starter, found) in chapters {
        let Some((shown, package)) = found else {
            continue;
        };
        let targets = package.list("targets");
        let milestone = targets
            .iter()
            .find(|one| one.text("name") == Some("milestone"));
        let path = milestone.and_then(|milestone| milestone.text("src_path"));
        if !path.is_some_and(|path| {
            cargo::same_place(Path::new(path), &course.milestone(chapter))
        }) {
            complaints.push(format!(
                "{shown}: its test `milestone` must have the path ../../tests/{}.rs",
                chapter.name()
            ));
        }
        // The verdict on a starter is the milestone's; its unit tests are asked for by
        // name.
        let is_bin = |one: &&Json| one.list("kind") == [Json::Text("bin".into())];
        if is_starter && targets.iter().filter(is_bin).any(|bin| bin.is("test")) {
            complaints.push(format!("{shown}: its [[bin]] must say test = false"));
        }
        if course.root().join(&shown).join("build.rs").exists() {
            complaints
                .push(format!("{shown}/build.rs: a chapter has no build script"));
        }
    }
    Ok(complaints)
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
    let mut names: BTreeSet<&str> =
        paths.filter_map(|path| path.split('/').next()).collect();
    names.retain(|name| !AT_THE_ROOT.split(' ').any(|allowed| fits(name, allowed)));
    let complaint = |name: &str| {
        format!(
            "{name} does not belong at the root: see tests/course/src/dev/tree.rs"
        )
    };
    Some(names.into_iter().map(complaint).collect())
}

fn fits(name: &str, allowed: &str) -> bool {
    allowed
        .strip_suffix('*')
        .map_or(name == allowed, |start| name.starts_with(start))
}
