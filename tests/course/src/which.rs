//! Which chapter a person means.

use std::time::SystemTime;

use crate::Result;
use crate::layout::{Chapter, Course};
use crate::screen::count;
use crate::starters;

/// Reads the chapter that a person asked for: `5`, `05`, `chapter05` or `05-files`.
pub fn chapter_called(course: &Course, text: &str) -> Result<Chapter> {
    let number = Chapter::from_name(text).map(|chapter| chapter.to_string());
    let number = number.as_deref().or(text.strip_prefix("chapter"));
    let digits = number.unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "`{text}` is not the number of a chapter: write it in digits, for \
             example 1"
        ));
    }
    let there = course.chapters();
    let span = match there.as_slice() {
        [] => "no chapter was found in chapters/".into(),
        [only] => format!("there is chapter {only} only"),
        [first, .., last] => format!("there are chapters {first} to {last}"),
    };
    let asked = digits.parse().ok().map(Chapter);
    match asked.and_then(|asked| Chapter::planned().find(|one| *one == asked)) {
        Some(chapter) if there.contains(&chapter) => Ok(chapter),
        Some(chapter) => {
            let title = course.title(chapter);
            Err(format!(
                "chapter {chapter}, {title}, is not written yet: {span}"
            ))
        }
        None => Err(format!("there is no chapter {digits}: {span}")),
    }
}

/// The chapter to check when a person names none, and the line that says why this
/// one.
pub fn chapter_at_hand(course: &Course) -> Result<(Chapter, String)> {
    if let Some((chapter, path, when)) = starters::current(course)? {
        let reason = format!("edited last: {path}, {}", ago(when));
        return Ok((chapter, reason));
    }
    let first = course.chapters().first().copied();
    let first = first.ok_or("no chapter was found in chapters/")?;
    Ok((first, "no chapter has been edited yet, so the first".into()))
}

fn ago(when: SystemTime) -> String {
    let seconds = when.elapsed().unwrap_or_default().as_secs() as usize;
    let (number, unit) = match seconds {
        0..60 => return "just now".into(),
        60..3600 => (seconds / 60, "minute"),
        3600..86400 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{} ago", count(number, unit))
}
