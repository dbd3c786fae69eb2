//! Whether the book keeps its promises: each listing is compiled, each output is
//! replayed, each link leads somewhere, each figure follows the reader's theme, and
//! no sentence says that it is easy.

mod figure;
mod page;

pub use page::heading_id;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::dev::fold::WIDTH;
use crate::layout::{Chapter, Course, read};
use crate::work;
use page::{Fence, Include, Page};

/// Words that belittle whoever does not find it so.
const BANNED: [&str; 5] = ["simply", "just", "easy", "easily", "obviously"];

/// What a code block may be; each block says which it is.
const LANGUAGES: [&str; 8] = [
    "rust", "console", "text", "toml", "diff", "json", "html", "http",
];

/// Where the Rust of the book comes from: folders whose files are compiled by some
/// test. So are the milestones.
const COMPILED: [&str; 3] = ["solutions/", "tests/errors/", "tests/harness/"];

fn is_compiled(path: &str) -> bool {
    let milestone = || {
        let name = path.strip_prefix("tests/")?.strip_suffix(".rs")?;
        Chapter::from_name(name)
    };
    COMPILED.iter().any(|folder| path.starts_with(folder)) || milestone().is_some()
}

/// Reads the whole book and says what is wrong with it, one sentence each.
pub fn problems(course: &Course) -> Result<Vec<String>> {
    let book = Book::read(course)?;
    let mut problems = Vec::new();
    for (name, page) in &book.pages {
        let mut found = Vec::new();
        found.extend(book.about_fences(page));
        for (line, include) in &page.includes {
            found.extend(book.about_include(include).map(|what| (*line, what)));
        }
        for (line, target) in &page.links {
            found.extend(book.about_link(name, target).map(|what| (*line, what)));
        }
        found.extend(about_html(page));
        found.extend(about_words(page));
        found.sort();
        for (line, what) in found {
            problems.push(format!("book/src/{name}, line {line}: {what}"));
        }
    }
    problems.extend(book.about_the_summary());
    problems.extend(book.about_figures()?);
    problems.extend(book.about_sections(course)?);
    Ok(problems)
}

/// Whether something of a line of code or output would be cut off.
fn is_wide(line: &str) -> bool {
    line.chars().count() > WIDTH && line.contains(char::is_alphanumeric)
}

/// A line and what is wrong there.
type Problem = (usize, String);

struct Book {
    /// The repository's root, and the folder of the pages.
    root: PathBuf,
    src: PathBuf,
    /// All pages by their path in `src`, the summary too.
    pages: BTreeMap<String, Page>,
}

impl Book {
    fn read(course: &Course) -> Result<Book> {
        let src = course.root().join("book/src");
        let mut pages = BTreeMap::new();
        for path in work::entries(&src)? {
            if path.extension().is_some_and(|ending| ending == "md") {
                let text = read(&path)?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                pages.insert(name.into_owned(), Page::read(&text));
            }
        }
        let root = course.root().to_owned();
        Ok(Book { root, src, pages })
    }

    /// The path in the repository that an include or a link names, with `/`.
    fn in_repository(&self, written: &str) -> Option<String> {
        let mut parts = vec!["book", "src"];
        for part in written.split('/') {
            match part {
                ".." => drop(parts.pop()?),
                "." => {}
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }

    fn about_fences(&self, page: &Page) -> Vec<Problem> {
        let mut problems = Vec::new();
        for fence in &page.fences {
            let mut wrong = |what: &str| problems.push((fence.line, what.to_owned()));
            let has = |is_so: &dyn Fn(&str) -> bool| {
                fence.lines.iter().any(|line| is_so(line))
            };
            match fence.info.as_str() {
                "" => {
                    wrong("a code block without a language: ```text if it has none")
                }
                "rust" => {
                    if !fence.only_includes() {
                        wrong("Rust that no test compiles: include it from a file");
                    }
                    self.about_label(fence).iter().for_each(|what| wrong(what));
                }
                "console" if !fence.only_includes() && fence.has_output() => {
                    wrong(
                        "output that no test replays: include it from \
                         tests/transcripts",
                    );
                }
                info if !LANGUAGES.contains(&info) => {
                    wrong(&format!("`{info}` is none of {}", LANGUAGES.join(", ")));
                }
                _ => {}
            }
            if has(&|line| is_wide(line) && !line.contains("{{#")) {
                wrong("a line here is wider than the page");
            }
            if has(&|line| line.contains("error[E")) {
                wrong(
                    "a compiler error that no test compiles: include it from \
                     tests/errors",
                );
            }
        }
        problems
    }

    /// Over a listing from a solution stands the name of its file.
    fn about_label(&self, fence: &Fence) -> Option<String> {
        for line in &fence.lines {
            let Some(include) = Include::read(line) else {
                continue;
            };
            let path = self.in_repository(&include.path)?;
            if !is_compiled(&path) || !path.ends_with(".rs") {
                return Some(format!("{path} is no Rust file that a test compiles"));
            }
            let Some(file) = path.strip_prefix("solutions/") else {
                continue;
            };
            let file = file.split_once('/').map_or(file, |(_, file)| file);
            let label = format!("<span class=\"file\">{file}");
            let follows =
                |rest: &str| rest.starts_with("</span>") || rest.starts_with(" <b>");
            if !fence.above.strip_prefix(&label).is_some_and(follows) {
                return Some(format!(
                    "over this listing there must stand `{label} <b>new</b></span>`, \
                     or changed, or no <b>"
                ));
            }
        }
        None
    }

    fn about_include(&self, include: &Include) -> Option<String> {
        let written = &include.path;
        if include.verb != "include" {
            return Some(format!("{{{{#{}}}}} is not used here", include.verb));
        }
        if include.indented {
            let what = "only the first line of an include would be indented: begin \
                        it at the margin";
            return Some(what.to_owned());
        }
        let Some(path) = self.in_repository(written) else {
            return Some(format!("{written} lies outside of the repository"));
        };
        let Ok(text) = fs::read_to_string(self.root.join(&path)) else {
            return Some(format!("there is no {path} to include"));
        };
        let lines: Vec<&str> = text.lines().collect();
        let shown = match &include.anchor {
            None if text.contains("ANCHOR: ") => {
                return Some(format!(
                    "{path} has anchors, which would be shown: include one of them"
                ));
            }
            None => lines.as_slice(),
            Some(anchor)
                if anchor.contains(':') || anchor.parse::<usize>().is_ok() =>
            {
                return Some("line numbers change: include by an anchor".to_owned());
            }
            Some(anchor) => {
                let mark = |mark: &str| {
                    let mark = format!("{mark}: {anchor}");
                    lines
                        .iter()
                        .position(|line| line.trim_end().ends_with(&mark))
                };
                let (Some(begin), Some(end)) = (mark("ANCHOR"), mark("ANCHOR_END"))
                else {
                    return Some(format!(
                        "{path} has no anchor {anchor} with an end"
                    ));
                };
                if begin + 1 >= end {
                    return Some(format!(
                        "the anchor {anchor} in {path} holds nothing"
                    ));
                }
                &lines[begin + 1..end]
            }
        };
        let mut wide = shown.iter().filter(|line| is_wide(line));
        let wide = wide.next().filter(|_| !path.ends_with(".svg"))?;
        Some(format!("{path}: this line is wider than the page: {wide}"))
    }

    fn about_link(&self, from: &str, target: &str) -> Option<String> {
        let elsewhere = ["https://", "http://", "mailto:"];
        let draft = target.is_empty() && from == "SUMMARY.md";
        if draft || elsewhere.iter().any(|scheme| target.starts_with(scheme)) {
            return None;
        }
        if target.is_empty() {
            return Some("a link without a target leads nowhere".to_owned());
        }
        let (path, id) = match target.split_once('#') {
            Some((path, id)) => (path, Some(id)),
            None => (target, None),
        };
        let to = if path.is_empty() { from } else { path };
        let Some(page) = self.pages.get(to) else {
            let is_there = self.src.join(to).is_file() && !to.starts_with('/');
            return (!is_there)
                .then(|| format!("the link to {target} leads nowhere"));
        };
        let id = id.filter(|id| !page.ids.contains(*id))?;
        Some(format!(
            "the link to {target} leads nowhere: {to} has no {id}"
        ))
    }

    fn about_the_summary(&self) -> Vec<String> {
        let Some(summary) = self.pages.get("SUMMARY.md") else {
            return vec!["book/src/SUMMARY.md is missing".to_owned()];
        };
        let linked =
            |name: &str| summary.links.iter().any(|(_, target)| target == name);
        let names = self.pages.keys();
        let lost = names.filter(|name| *name != "SUMMARY.md" && !linked(name));
        lost.map(|name| format!("book/src/SUMMARY.md does not lead to {name}"))
            .collect()
    }

    /// A milestone sends a learner who fails to a section of the chapter's page, as
    /// `.read("the-next-client")`.
    fn about_sections(&self, course: &Course) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        for chapter in course.chapters() {
            let name = format!("{}.md", chapter.name());
            let path = course.milestone(chapter);
            // A page that is no more than its heading is still to be written.
            let Some(page) = self.pages.get(&name).filter(|page| page.is_begun())
            else {
                continue;
            };
            let text = read(&path)?;
            let read = text.split(".read(\"").skip(1);
            let read = read.filter_map(|rest| rest.split('"').next());
            // And from its gaps, as `harness::gaps!["one", "two"];`.
            let gaps = text.split_once("gaps![").map_or("", |(_, rest)| rest);
            let gaps = gaps.split(']').next().unwrap_or_default();
            let sections = read.chain(gaps.split('"').skip(1).step_by(2));
            let lost = sections.filter(|section| !page.ids.contains(*section));
            for section in lost.collect::<BTreeSet<_>>() {
                let milestone = course.shown(&path);
                problems.push(format!(
                    "book/src/{name} has no {section}, where {milestone} leads"
                ));
            }
        }
        Ok(problems)
    }

    fn about_figures(&self) -> Result<Vec<String>> {
        let css = self.root.join("book/theme/course.css");
        let css = fs::read_to_string(&css).unwrap_or_default();
        let mut shown = BTreeSet::new();
        for page in self.pages.values() {
            let includes = page.includes.iter().map(|(_, include)| &include.path);
            let paths = includes.chain(page.links.iter().map(|(_, target)| target));
            shown.extend(paths.filter_map(|path| self.in_repository(path)));
        }
        let mut problems = Vec::new();
        let mut ids = BTreeMap::new();
        for path in work::entries(&self.src.join("figures"))? {
            if path.extension().is_none_or(|ending| ending != "svg") {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("book/src/figures/{name}");
            let text = read(&path)?;
            let (found, its_ids) = figure::problems(&text, &css);
            problems.extend(found.into_iter().map(|what| format!("{name}: {what}")));
            if !shown.contains(&name) {
                problems.push(format!("{name}: no page shows it"));
            }
            for id in its_ids {
                if let Some(other) = ids.insert(id.clone(), name.clone()) {
                    problems.push(format!("{name}: the id {id} is taken by {other}"));
                }
            }
        }
        Ok(problems)
    }
}

/// Tags that a person opens and forgets to close, and blank lines that would cut a
/// figure in two.
fn about_html(page: &Page) -> Vec<Problem> {
    let pairs = ["details", "summary", "div", "figure", "figcaption", "span"];
    let mut open = pairs.map(|name| (name, Vec::new()));
    let mut problems = Vec::new();
    for (line, text) in page.prose() {
        for tag in figure::tags(text) {
            let begin = tag.strip_prefix('/').unwrap_or(tag);
            let name = begin.split(' ').next();
            let Some((name, open)) =
                open.iter_mut().find(|pair| Some(pair.0) == name)
            else {
                continue;
            };
            if begin == tag {
                open.push(line);
            } else if open.pop().is_none() {
                problems.push((line, format!("</{name}> closes nothing")));
            }
        }
        let in_figure = open
            .iter()
            .any(|(name, open)| *name == "figure" && !open.is_empty());
        if in_figure && text.trim().is_empty() {
            problems.push((line, "a blank line inside a figure ends it".to_owned()));
        }
    }
    for (name, lines) in open {
        let unclosed = |line| (line, format!("<{name}> is never closed"));
        problems.extend(lines.into_iter().map(unclosed));
    }
    for id in &page.doubled_ids {
        problems.push((1, format!("two things on this page have the id {id}")));
    }
    problems
}

fn about_words(page: &Page) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (line, text) in page.prose() {
        if text.starts_with("<<<<<<< ") || text.starts_with(">>>>>>> ") {
            problems.push((line, "a merge was not finished here".to_owned()));
        }
        if text.trim_start().starts_with('>') {
            continue;
        }
        let words = text.split(|c: char| !c.is_alphanumeric());
        for word in
            words.filter(|word| BANNED.contains(&word.to_lowercase().as_str()))
        {
            problems.push((line, format!("\"{word}\" helps nobody who is stuck")));
        }
    }
    problems
}
