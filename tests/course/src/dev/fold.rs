//! Output that is wider than a page.

/// How many columns of a page a reader sees without scrolling.
pub const WIDTH: usize = 86;

/// A line in lines that fit the page. Rustc makes room for a message by leaving out
/// code beside it, and no more: the message itself goes on below its beginning. Lines
/// of other programs are folded alike.
pub fn folded(line: &str) -> String {
    let width = |text: &str| text.chars().count();
    if width(line) <= WIDTH {
        return line.to_owned();
    }
    // What rustc draws before a message: a number, a bar, and marks under the code.
    let drawn = |c: char| " 0123456789|=^-_~+".contains(c);
    let mark = line.find(|c| !drawn(c)).unwrap_or(0);
    let named = line[mark..].find(": ").filter(|&at| at < 14);
    let begin = mark + named.map_or(0, |at| at + 2);
    let bar = line[..mark].find('|');
    // Far on the right there is no room for more than a word.
    let narrow = width(&line[..begin]) > WIDTH - 30;
    let column = if narrow {
        bar.unwrap_or(0) + 5
    } else {
        width(&line[..begin])
    };
    let margin: String = (0..column)
        .map(|at| if Some(at) == bar { '|' } else { ' ' })
        .collect();
    let mut lines = vec![line[..begin].to_owned()];
    let mut last = String::new();
    let mut room = WIDTH.saturating_sub(width(&line[..begin]));
    for word in line[begin..].split(' ') {
        if !last.is_empty() && width(&last) + 1 + width(word) > room
            || last.is_empty() && lines.len() == 1 && narrow && width(word) > room
        {
            let end = lines.len() - 1;
            lines[end].push_str(&last);
            lines.push(margin.clone());
            room = WIDTH.saturating_sub(column);
            last.clear();
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    let end = lines.len() - 1;
    lines[end].push_str(&last);
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_on_below_its_beginning() {
        for (line, expected) in [
            ("error: short", "error: short"),
            (
                "error[E0277]: the `?` operator can only be used in a function that returns `Result` or `Option`",
                "error[E0277]: the `?` operator can only be used in a function that returns `Result` or\n              `Option`",
            ),
            (
                "   |         ^^^^^^^^ this message is so long that the page cannot hold it in one line of text",
                "   |         ^^^^^^^^ this message is so long that the page cannot hold it in one line\n   |                  of text",
            ),
            (
                "   |  -----------------------------------------------------   ^^^ there is no room for this",
                "   |  -----------------------------------------------------   ^^^ there is no room for\n   |    this",
            ),
            (
                "   = note: in format strings you may be able to use `{:?}` (or {:#?} for pretty-print) instead",
                "   = note: in format strings you may be able to use `{:?}` (or {:#?} for pretty-print)\n           instead",
            ),
        ] {
            assert_eq!(folded(line), expected);
        }
    }
}
