//! Words in lines: labels, wrapping, and what is left out where there are too many.

use std::fmt::Write as _;

/// The width to which reports are wrapped, labels included.
const WIDTH: usize = 80;
/// The width of the column of labels, with the two spaces before it.
pub(crate) const INDENT: usize = 12;
/// How many columns are left beside the labels.
pub(crate) const BESIDE: usize = WIDTH - INDENT;
/// How many lines of what a program printed are shown.
pub(crate) const OUTPUT_LINES: usize = 40;

/// A row of a report; nothing if there's nothing to say.
pub(crate) fn row(out: &mut String, label: &str, text: &str) {
    for (index, line) in text.lines().enumerate() {
        let label = if index == 0 { label } else { "" };
        let line = format!("  {label:<width$}{line}", width = INDENT - 2);
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Wraps words into lines that leave room for `indent` columns; keeps line ends.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let width = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && width > WIDTH - indent {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// Wraps the lines that are too long for the column beside the labels, and leaves the
/// others as they are.
pub(crate) fn fold(text: &str) -> String {
    let fold = |line: &str| match line.chars().count() <= BESIDE {
        true => line.to_owned(),
        false => wrap(line, INDENT),
    };
    text.lines().map(fold).collect::<Vec<_>>().join("\n")
}

/// The first steps and the last: a check that tries many things would fill the
/// screen.
pub(crate) fn shown_steps(steps: &[String]) -> String {
    const FIRST: usize = 2;
    const LAST: usize = 6;
    if steps.len() <= FIRST + 1 + LAST {
        return steps.join("; ");
    }
    let (first, last) = (&steps[..FIRST], &steps[steps.len() - LAST..]);
    let left_out = steps.len() - FIRST - LAST;
    let (first, last) = (first.join("; "), last.join("; "));
    format!("{first}; … {left_out} more steps …; {last}")
}

/// The text with a capital letter at its beginning.
pub(crate) fn as_sentence(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

/// The last lines of what a program printed, without blank ones and without the
/// backtraces of panics. A line that comes again and again is shown once.
pub(crate) fn last_lines(text: &str) -> String {
    let mut lines: Vec<(&str, usize)> = Vec::new();
    let mut in_backtrace = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        in_backtrace = line.starts_with("stack backtrace:")
            || in_backtrace && line.starts_with(' ');
        let is_advice = line.starts_with("note: run with `RUST_BACKTRACE")
            || line.starts_with("note: Some details are omitted");
        if in_backtrace || is_advice {
            continue;
        }
        match lines.last_mut() {
            Some((same, times)) if *same == line => *times += 1,
            _ => lines.push((line, 1)),
        }
    }
    let from = lines.len().saturating_sub(OUTPUT_LINES);
    let left_out = match from {
        0 => String::new(),
        1 => "… 1 line before\n".to_owned(),
        from => format!("… {from} lines before\n"),
    };
    let shown = |(line, times): &(&str, usize)| match times {
        1 => (*line).to_owned(),
        times => format!("{line}\n({times} times)"),
    };
    let shown: Vec<String> = lines[from..].iter().map(shown).collect();
    left_out + &shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_wrapped_between_words() {
        let text = wrap(&"word ".repeat(40), INDENT);
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.len() <= BESIDE));
    }

    #[test]
    fn of_many_steps_the_first_and_the_last_are_shown() {
        let steps: Vec<String> = (0..20).map(|step| step.to_string()).collect();
        assert_eq!(shown_steps(&steps[..3]), "0; 1; 2");
        let shown = "0; 1; … 12 more steps …; 14; 15; 16; 17; 18; 19";
        assert_eq!(shown_steps(&steps), shown);
    }

    #[test]
    fn of_much_output_the_newest_is_shown() {
        let all: String = (0..100).map(|line| format!("{line}\n")).collect();
        let shown = last_lines(&all);
        assert!(shown.starts_with("… 60 lines before\n60\n"), "{shown}");
        assert!(shown.ends_with("\n99"), "{shown}");
    }

    #[test]
    fn a_backtrace_is_left_out_and_what_follows_is_not() {
        let text = "one\nstack backtrace:\n   0: x\n             at y\n\
                    note: Some details are omitted, run with\ntwo\n";
        assert_eq!(last_lines(text), "one\ntwo");
    }

    #[test]
    fn a_line_that_comes_again_is_counted() {
        assert_eq!(last_lines("a\nb\nb\nb\na\n"), "a\nb\n(3 times)\na");
    }
}
