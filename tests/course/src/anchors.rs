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
        let old: Vec<&[u8]> = lines(&self.plain).collect();
        let new: Vec<&[u8]> = lines(text).collect();
        let kept = kept(&old, &new);
        let place = |at: usize, mark: &[u8]| {
            let (above, below) = kept.split_at(at);
            let mut before = above.iter().rev().map(|line| line.map(|line| line + 1));
            let mut after = below.iter().copied();
            if is_begin(mark) {
                let direct = below.first().copied().flatten();
                direct.or_else(|| before.find_map(|line| line)).unwrap_or(0)
            } else {
                let direct = before.next().flatten();
                direct
                    .or_else(|| after.find_map(|line| line))
                    .unwrap_or(new.len())
            }
        };
        let marks = self.marks.iter();
        let mut places: Vec<(usize, &[u8])> = marks
            .map(|(at, mark)| (place(*at, mark), mark.as_slice()))
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
    // common[i][j]: how many lines they have in common from i and j on.
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut j = 0;
    let mut place = |i: usize| {
        while j < new.len() && old[i] != new[j] && common[i][j + 1] == common[i][j] {
            j += 1;
        }
        let place = (j < new.len() && old[i] == new[j]).then_some(j)?;
        j += 1;
        Some(place)
    };
    (0..old.len()).map(&mut place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of which each word is a line, and `[x` and `]x` are the marks of x.
    fn text(words: &str) -> Vec<u8> {
        let words = words
            .replace('[', "// ANCHOR: ")
            .replace(']', "// ANCHOR_END: ");
        words.replace('|', "\n").into_bytes()
    }

    #[test]
    fn marks_are_taken_out_and_stay_with_their_lines() {
        const OLD: &str = "use a|[f|fn f|one|}|]f|fn g|";
        assert_eq!(take(&text(OLD)).plain, text("use a|fn f|one|}|fn g|"));
        for (old, new, expected) in [
            (OLD, "use a|fn f|one|}|fn g|", OLD),
            ("a|", "b|", "b|"),
            // Lines came before and within.
            (
                OLD,
                "use a|use b|fn f|one|two|}|fn g|",
                "use a|use b|[f|fn f|one|two|}|]f|fn g|",
            ),
            // The first line within was changed.
            (
                OLD,
                "use a|fn f(x)|one|}|fn g|",
                "use a|[f|fn f(x)|one|}|]f|fn g|",
            ),
            // The line after was changed, and one came between.
            (
                OLD,
                "use a|fn f|one|}||fn g(x)|",
                "use a|[f|fn f|one|}|]f||fn g(x)|",
            ),
            // No mark is lost when its lines are.
            (OLD, "x|", "[f|x|]f|"),
            (OLD, "", "[f|]f|"),
            ("a|[x|b|]x|", "b|", "[x|b|]x|"),
        ] {
            let moved = take(&text(old)).put_into(&text(new));
            assert_eq!(moved, text(expected), "{new}");
        }
    }
}
