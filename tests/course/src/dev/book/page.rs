//! A page, read as far as the checks need it: its code blocks, includes, links and
//! ids.

use std::collections::{BTreeMap, BTreeSet};

/// One page of the book.
#[derive(Default)]
pub(super) struct Page {
    pub(super) fences: Vec<Fence>,
    pub(super) includes: Vec<(usize, Include)>,
    /// Links and images: the line, and where they lead.
    pub(super) links: Vec<(usize, String)>,
    /// Everything that a link can point at.
    pub(super) ids: BTreeSet<String>,
    pub(super) doubled_ids: Vec<String>,
    /// The lines outside of code blocks, without inline code and comments.
    prose: Vec<(usize, String)>,
}

/// A code block.
pub(super) struct Fence {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// What stands after the backticks.
    pub(super) info: String,
    pub(super) lines: Vec<String>,
    /// The last line above it that is not blank.
    pub(super) above: String,
}

/// `{{#include path:anchor}}`
pub(super) struct Include {
    /// `include`, or another of mdBook's.
    pub(super) verb: String,
    /// Whether blanks stand before it.
    pub(super) indented: bool,
    pub(super) path: String,
    pub(super) anchor: Option<String>,
}

impl Include {
    /// The first include on a line.
    pub(super) fn read(line: &str) -> Option<Include> {
        let (before, rest) = line.split_once("{{#")?;
        let (inside, _) = rest.split_once("}}")?;
        let (verb, what) = inside.split_once(' ').unwrap_or((inside, ""));
        let (path, anchor) = match what.trim().split_once(':') {
            Some((path, anchor)) => (path, Some(anchor.to_owned())),
            None => (what.trim(), None),
        };
        Some(Include {
            verb: verb.to_owned(),
            indented: before.starts_with(char::is_whitespace),
            path: path.to_owned(),
            anchor,
        })
    }
}

impl Fence {
    /// Whether there is nothing in it but includes.
    pub(super) fn only_includes(&self) -> bool {
        self.lines.iter().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with("{{#") && line.ends_with("}}")
        })
    }

    /// Whether a line is neither a command nor the rest of one.
    pub(super) fn has_output(&self) -> bool {
        let mut lines = self.lines.iter().filter(|line| !line.trim().is_empty());
        lines.any(|line| !line.starts_with("$ ") && !line.starts_with("> "))
    }
}

impl Page {
    pub(super) fn read(text: &str) -> Page {
        let mut page = Page::default();
        let mut above = String::new();
        let mut open: Option<(String, Fence)> = None;
        for (line, number) in text.lines().zip(1..) {
            page.includes
                .extend(Include::read(line).map(|include| (number, include)));
            let trimmed = line.trim_start();
            match &mut open {
                Some((ticks, fence)) => {
                    if trimmed.trim_end() == ticks {
                        page.fences.extend(open.take().map(|(_, fence)| fence));
                    } else {
                        fence.lines.push(trimmed.to_owned());
                    }
                }
                None if trimmed.starts_with("```") => {
                    let info = trimmed.trim_start_matches('`');
                    let ticks = trimmed[..trimmed.len() - info.len()].to_owned();
                    let fence = Fence {
                        line: number,
                        info: info.trim().to_owned(),
                        lines: Vec::new(),
                        above: above.clone(),
                    };
                    open = Some((ticks, fence));
                }
                None => page.prose.push((number, line.to_owned())),
            }
            if !trimmed.is_empty() {
                above = trimmed.to_owned();
            }
        }
        if let Some((_, mut fence)) = open {
            // It reaches to the end of the page, which is never meant.
            fence.info = "a code block without an end".to_owned();
            page.fences.push(fence);
        }
        page.find_ids();
        without_code_and_comments(&mut page.prose);
        page.find_links();
        page
    }

    /// What a reader reads: each line with its number.
    pub(super) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        self.prose.iter().map(|(number, line)| (*number, &**line))
    }

    /// Whether there is more than a heading.
    pub(super) fn is_begun(&self) -> bool {
        let text = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
        self.prose().any(|(_, line)| text(line))
    }

    fn find_ids(&mut self) {
        let mut ids = Vec::new();
        let mut used = BTreeMap::new();
        for (at, (_, line)) in self.prose.iter().enumerate() {
            for part in line.split("id=\"").skip(1) {
                ids.extend(part.split('"').next().map(str::to_owned));
            }
            let next = self.prose.get(at + 1).map_or("", |(_, line)| line);
            let hashes = line.len() - line.trim_start_matches('#').len();
            let heading = line.trim_start_matches('#').strip_prefix(' ');
            let title = match heading {
                Some(title) if (1..=6).contains(&hashes) => title,
                _ if next.starts_with(": ") && !line.trim().is_empty() => line,
                _ => continue,
            };
            let id = heading_id(title);
            let count: &mut usize = used.entry(id.clone()).or_default();
            *count += 1;
            ids.push(match *count {
                1 => id,
                n => format!("{id}-{}", n - 1),
            });
        }
        for id in ids {
            if !self.ids.insert(id.clone()) {
                self.doubled_ids.push(id);
            }
        }
    }

    fn find_links(&mut self) {
        for (number, line) in &self.prose {
            let in_brackets =
                line.split("](").skip(1).map(|rest| rest.split(')').next());
            let attributes = ["href=\"", "src=\""].into_iter();
            let attributes = attributes.flat_map(|name| line.split(name).skip(1));
            let in_quotes = attributes.map(|rest| rest.split('"').next());
            let of_reference =
                line.split_once("]: ").filter(|_| line.starts_with('['));
            let targets = in_brackets.chain(in_quotes).flatten();
            for target in targets.chain(of_reference.map(|(_, target)| target)) {
                // What follows a space is a title.
                let target = target.split_whitespace().next().unwrap_or_default();
                self.links.push((*number, target.to_owned()));
            }
        }
    }
}

/// The id that mdBook gives to a heading or a term, if it is the first of its name.
pub fn heading_id(title: &str) -> String {
    if let Some((_, attributes)) = title.trim_end().split_once("{#") {
        let end = attributes.find(['}', ' ']).unwrap_or(attributes.len());
        return attributes[..end].to_owned();
    }
    let letter = |c: char| match c {
        c if c.is_whitespace() => Some('-'),
        c => (c.is_alphanumeric() || "_-".contains(c)).then_some(c),
    };
    let text = rendered(title.trim()).to_lowercase();
    text.chars().filter_map(letter).collect()
}

/// The text of a heading without its Markdown: `[a](b)` is a, and `--` is a dash of
/// its own.
fn rendered(title: &str) -> String {
    let mut text = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let pieces = text.split('`').enumerate();
    let code = |i: usize| i % 2 == 1;
    pieces
        .map(|(i, piece)| match code(i) {
            true => piece.to_owned(),
            false => piece.replace("--", ""),
        })
        .collect()
}

/// Blanks out inline code and comments, which may both go on over several lines.
fn without_code_and_comments(prose: &mut [(usize, String)]) {
    let mut in_comment = false;
    let mut ticks = 0;
    for (_, line) in prose {
        if line.trim().is_empty() {
            // Inline code ends with its paragraph, closed or not.
            ticks = 0;
        }
        let mut kept = String::new();
        let mut rest = line.as_str();
        while let Some(c) = rest.chars().next() {
            let mut length = c.len_utf8();
            if in_comment {
                if rest.starts_with("-->") {
                    in_comment = false;
                    length = 3;
                }
            } else if c == '`' {
                length = rest.len() - rest.trim_start_matches('`').len();
                if ticks == 0 {
                    ticks = length;
                } else if ticks == length {
                    ticks = 0;
                    kept.push('x');
                }
            } else if ticks == 0 && rest.starts_with("<!--") {
                in_comment = true;
                length = 4;
            } else if ticks == 0 {
                kept.push(c);
            }
            rest = &rest[length..];
        }
        *line = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_mdbook() {
        let lines = include_str!("../../../tests/made-up/ids.txt").lines();
        let (text, ids): (Vec<&str>, Vec<&str>) =
            lines.filter_map(|line| line.split_once(" => ")).unzip();
        let page = Page::read(&text.join("\n").replace("\\n", "\n"));
        let page_ids: BTreeSet<&str> = page.ids.iter().map(String::as_str).collect();
        assert_eq!(page_ids, ids.into_iter().collect());
    }

    #[test]
    fn code_and_comments_are_no_prose() {
        let page = Page::read(
            "a `just` b ``x ` y`` c <!-- easy\nstill --> d `open\n\nover`\n",
        );
        let prose: Vec<&str> = page.prose().map(|(_, line)| line).collect();
        assert_eq!(prose, ["a x b x c ", " d ", "", "over"]);
    }

    #[test]
    fn links_are_found_wherever_they_stand() {
        let page = Page::read(
            "[a](b.md) ![c](d.svg \"t\") `[no](no.md)`\n[e]: f.md\n<a href=\"#g\">\n",
        );
        let targets: Vec<&str> = page.links.iter().map(|link| &*link.1).collect();
        assert_eq!(targets, ["b.md", "d.svg", "f.md", "#g"]);
    }
}
