//! Output that is wider than a page.

use crate::screen::wrapped;

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
    let (begin, message) = line.split_at(mark + named.map_or(0, |at| at + 2));
    let bar = line[..mark].find('|');
    // Far on the right there is no room for more than a word.
    let column = match width(begin) > WIDTH - 30 {
        true => bar.unwrap_or(0) + 5,
        false => width(begin),
    };
    let margin = (0..column).map(|at| if Some(at) == bar { '|' } else { ' ' });
    wrapped(message, begin, &margin.collect::<String>(), WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_on_below_its_beginning() {
        let blocks = include_str!("../../tests/made-up/folded.txt").split("\n\n");
        for block in blocks.skip(1) {
            let (line, expected) = block.split_once('\n').expect("two lines");
            assert_eq!(folded(line), expected.trim_end());
        }
    }
}
