//! The marks by which the book includes parts of a file: `// ANCHOR: name` and `//
//! ANCHOR_END: name`.
//!
//! They belong to the page of one chapter and are no part of what a starter takes
//! over, nor of a mend that goes up the ladder.

/// A text without its marks, and the marks.
pub struct Marked {
    /// The lines that are no marks.
    pub plain: Vec<u8>,
    /// The marks, with the number of plain lines before each.
    marks: Vec<(usize, Vec<u8>)>,
}

/// Takes the marks out of a text.
pub fn take(text: &[u8]) -> Marked {
    let mut marked = Marked {
        plain: Vec::new(),
        marks: Vec::new(),
    };
    let mut count = 0;
    for line in lines(text) {
        if is_begin(line) || is_end(line) {
            marked.marks.push((count, line.to_owned()));
        } else {
            marked.plain.extend_from_slice(line);
            count += 1;
        }
    }
    marked
}

impl Marked {
    /// Puts the marks into a text that grew from this one: a begin stays with the
    /// line after it, an end with the line before it, as far as these are still
    /// there.
    pub fn put_into(&self, text: &[u8]) -> Vec<u8> {
        if self.marks.is_empty() {
            return text.to_owned();
        }
        let old: Vec<&[u8]> = lines(&self.plain).collect();
        let new: Vec<&[u8]> = lines(text).collect();
        let kept = kept(&old, &new);
        let place = |&(at, ref mark): &(usize, Vec<u8>)| {
            let before = || {
                kept[..at]
                    .iter()
                    .rev()
                    .find_map(|place| *place)
                    .map(|place| place + 1)
            };
            let after = || kept[at..].iter().find_map(|place| *place);
            let direct_after = kept.get(at).copied().flatten();
            let direct_before = at
                .checked_sub(1)
                .and_then(|line| kept[line])
                .map(|place| place + 1);
            if is_begin(mark) {
                direct_after.or_else(before).unwrap_or(0)
            } else {
                direct_before.or_else(after).unwrap_or(new.len())
            }
        };
        let mut places: Vec<(usize, &[u8])> = self
            .marks
            .iter()
            .map(|mark| (place(mark), mark.1.as_slice()))
            .collect();
        places.sort_by_key(|&(place, _)| place);

        let mut marks = places.into_iter().peekable();
        let mut result = Vec::new();
        for number in 0..=new.len() {
            while let Some((_, mark)) = marks.next_if(|&(place, _)| place <= number) {
                result.extend_from_slice(mark);
            }
            result.extend_from_slice(new.get(number).copied().unwrap_or_default());
        }
        result
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
}

fn is_begin(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"// ANCHOR: ")
}

fn is_end(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"// ANCHOR_END: ")
}

/// For each old line its number among the new ones, if it was kept: a longest common
/// subsequence.
fn kept(old: &[&[u8]], new: &[&[u8]]) -> Vec<Option<usize>> {
    let start = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| old == new)
        .count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let (old_middle, new_middle) = (
        &old_rest[..old_rest.len() - end],
        &new_rest[..new_rest.len() - end],
    );

    // common[i][j]: how many lines the middles have in common from i and j on.
    let mut common = vec![vec![0_u32; new_middle.len() + 1]; old_middle.len() + 1];
    for i in (0..old_middle.len()).rev() {
        for j in (0..new_middle.len()).rev() {
            common[i][j] = if old_middle[i] == new_middle[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut kept: Vec<Option<usize>> = (0..start).map(Some).collect();
    let mut j = 0;
    for i in 0..old_middle.len() {
        while j < new_middle.len()
            && old_middle[i] != new_middle[j]
            && common[i][j + 1] == common[i][j]
        {
            j += 1;
        }
        if j < new_middle.len() && old_middle[i] == new_middle[j] {
            kept.push(Some(start + j));
            j += 1;
        } else {
            kept.push(None);
        }
    }
    kept.extend((new.len() - end..new.len()).map(Some));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(old: &str, new: &str) -> String {
        String::from_utf8(take(old.as_bytes()).put_into(new.as_bytes()))
            .expect("text")
    }

    const OLD: &str = "use a;\n// ANCHOR: f\nfn f() {\n    one();\n}\n// ANCHOR_END: f\nfn g() {}\n";

    #[test]
    fn marks_are_taken_out() {
        let marked = take(OLD.as_bytes());
        assert_eq!(
            marked.plain,
            b"use a;\nfn f() {\n    one();\n}\nfn g() {}\n"
        );
        assert_eq!(marked.put_into(&marked.plain), OLD.as_bytes());
        assert_eq!(moved("a\n", "b\n"), "b\n");
    }

    #[test]
    fn marks_stay_with_their_lines() {
        for (plain, marked) in [
            // lines came before and within
            (
                "use a;\nuse b;\nfn f() {\n    one();\n    two();\n}\nfn g() {}\n",
                "use a;\nuse b;\n// ANCHOR: f\nfn f() {\n    one();\n    two();\n}\n// ANCHOR_END: f\nfn g() {}\n",
            ),
            // the first line within was changed
            (
                "use a;\nfn f(x: u8) {\n    one();\n}\nfn g() {}\n",
                "use a;\n// ANCHOR: f\nfn f(x: u8) {\n    one();\n}\n// ANCHOR_END: f\nfn g() {}\n",
            ),
            // the line after was changed, and one came between
            (
                "use a;\nfn f() {\n    one();\n}\n\nfn g(x: u8) {}\n",
                "use a;\n// ANCHOR: f\nfn f() {\n    one();\n}\n// ANCHOR_END: f\n\nfn g(x: u8) {}\n",
            ),
        ] {
            assert_eq!(moved(OLD, plain), marked);
        }
    }

    #[test]
    fn no_mark_is_lost_when_its_lines_are() {
        assert_eq!(moved(OLD, "x\n"), "// ANCHOR: f\nx\n// ANCHOR_END: f\n");
        assert_eq!(moved(OLD, ""), "// ANCHOR: f\n// ANCHOR_END: f\n");
        assert_eq!(
            moved("a\n// ANCHOR: x\nb\n// ANCHOR_END: x\n", "b\n"),
            "// ANCHOR: x\nb\n// ANCHOR_END: x\n"
        );
    }
}
