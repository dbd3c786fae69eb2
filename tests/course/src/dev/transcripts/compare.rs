//! Whether two outputs are the same but for what differs from run to run and machine
//! to machine.

use std::net::IpAddr;

/// What differs, for a person; nothing if the two say the same.
pub(super) fn difference(expected: &str, came: &str) -> Option<String> {
    let (before, now) = (essence(expected), essence(came));
    let mut numbers = 0..before.len().max(now.len());
    let first = numbers.find(|&number| before.get(number) != now.get(number))?;
    let mut text = String::new();
    for (title, output) in [("the file says:", expected), ("now comes:", came)] {
        text += &format!("  {title}\n");
        let output = match output.trim_end() {
            "" => "(nothing)",
            output => output,
        };
        text.extend(output.lines().map(|line| format!("    {line}\n")));
    }
    let [before, now] = [before, now].map(|lines| match lines.get(first) {
        Some(line) => format!("{line:?}"),
        None => "the end".to_owned(),
    });
    text += &format!("  they part where {before} became {now}\n");
    Some(text)
}

/// The lines of an output with all that may differ replaced or left out.
fn essence(output: &str) -> Vec<String> {
    let lines = output.trim_end().lines().filter(|line| !is_chatter(line));
    let mut lines: Vec<String> =
        lines.map(|line| essence_of_line(line.trim_end())).collect();
    // libtest runs tests side by side, and names each as it ends.
    for run in lines.chunk_by_mut(|a, b| is_test(a) && is_test(b)) {
        run.sort();
    }
    lines
}

fn is_test(line: &str) -> bool {
    line.starts_with("test ") && line.contains(" ... ")
}

/// What curl and cargo say about their own doing, each version in other words.
fn is_chatter(line: &str) -> bool {
    let cargo = [
        "Compiling ",
        "Finished ",
        "Blocking ",
        "Downloading ",
        "Downloaded ",
        // What `cargo course check` says when cargo takes its time, or waits.
        "building chapter ",
        "waiting: another cargo",
        "(what helps: \"When cargo waits\"",
    ];
    let curl = [
        "* ",
        "{ [",
        "} [",
        "  % Total",
        "                                 Dload",
    ];
    cargo.iter().any(|word| line.trim_start().starts_with(word))
        || curl.iter().any(|begin| line.starts_with(begin))
        || line.contains("--:--:--")
}

fn essence_of_line(line: &str) -> String {
    if line.starts_with("curl: (")
        && let Some((error, _)) = line.split_once(')')
    {
        return format!("{error})");
    }
    if let Some(at) = line.to_ascii_lowercase().find("user-agent: ") {
        return format!("{}<agent>", &line[..at + "user-agent: ".len()]);
    }
    replaced(line, replacement)
}

/// A text in which everything is replaced that is to be: `other` is given what has
/// become of the text so far, and the rest of it; it returns what is put in the place
/// of so many bytes.
pub(super) fn replaced(
    text: &str,
    mut other: impl FnMut(&str, &str) -> Option<(String, usize)>,
) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (new, length) =
            other(&out, rest).unwrap_or_else(|| (first.into(), first.len_utf8()));
        out.push_str(&new);
        rest = &rest[length..];
    }
    out
}

/// What differs: what is before it, what it looks like (see [`length`]), and what is
/// put in its place.
const DIFFERS: [(&str, &str, &str); 6] = [
    ("", "@@@, 99 @@@ 9999 99:99:99 GMT", "<date>"),
    ("", "99:99:99", "<time>"),
    // How often chance struck: `lost 17 of 200`. Never is another thing than
    // sometimes.
    ("lost ", "+", "<some>"),
    // The number of a thread that panicked.
    ("' (", "#", "<thread>"),
    ("curl/", "#.#.#", "<version>"),
    ("-", "%%%%%%%%%%%%%%%%", "<hash>"),
];

const UNITS: &str = "ns µs us ms s second seconds millisecond milliseconds";

/// If something that may differ begins at the front of `rest`: what is put in its
/// place, and its length.
fn replacement(before: &str, rest: &str) -> Option<(String, usize)> {
    if before.ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c)) {
        return None;
    }
    let known = DIFFERS.iter().find_map(|(begin, pattern, replaced)| {
        let length = length(pattern, rest).filter(|_| before.ends_with(begin))?;
        Some((replaced.to_string(), length))
    });
    let duration = |unit| {
        let time = |number| length(&format!("{number}_{unit}"), rest);
        Some(("<time>".into(), time("#.#").or_else(|| time("#"))?))
    };
    let port = || {
        let length = length("99999", rest).filter(|_| names_a_port(before))?;
        Some(("<port>".into(), length))
    };
    known
        .or_else(|| UNITS.split(' ').find_map(duration))
        .or_else(port)
}

/// How long that is at the front of a text which looks like a pattern, up to the end
/// of a word: `9` is a digit, `#` are some, `+` are some without a zero in front, `%`
/// is a hexadecimal one, `@` is a letter, and `_` may be a space.
pub(super) fn length(pattern: &str, text: &str) -> Option<usize> {
    let mut rest = text;
    for wanted in pattern.chars() {
        let first = rest.chars().next().unwrap_or('\n');
        let is_it = match wanted {
            '_' => {
                rest = rest.strip_prefix(' ').unwrap_or(rest);
                continue;
            }
            '9' | '#' => first.is_ascii_digit(),
            '+' => matches!(first, '1'..='9'),
            '%' => first.is_ascii_hexdigit(),
            '@' => first.is_ascii_alphabetic(),
            letter => first == letter,
        };
        rest = rest.strip_prefix(first).filter(|_| is_it)?;
        if matches!(wanted, '#' | '+') {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    let is_a_word = !rest.starts_with(char::is_alphanumeric);
    is_a_word.then_some(text.len() - rest.len())
}

/// Whether a number after `before` is a port: `127.0.0.1:`, `localhost `, `[::1]:`,
/// `port `.
pub(super) fn names_a_port(before: &str) -> bool {
    let Some(host) = before.strip_suffix([':', ' ', '/']) else {
        return false;
    };
    let begin = host
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || ".:[]".contains(c)))
        .map_or(0, |at| at + 1);
    let host = host[begin..].trim_matches(['[', ']', '(', ')']);
    host == "localhost" || host == "port" || host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_differ_is_told_from_what_matters() {
        let outputs = include_str!("../../../tests/made-up/outputs.txt");
        let (_, outputs) = outputs.split_once("\n\n").expect("a heading");
        for line in outputs.lines().filter(|line| !line.is_empty()) {
            let line = line.replace("\\n", "\n");
            match (line.split_once(" == "), line.split_once(" != ")) {
                (Some((a, b)), None) => assert_eq!(difference(a, b), None),
                (None, Some((a, b))) => assert!(difference(a, b).is_some(), "{line}"),
                _ => panic!("{line}"),
            }
        }
    }

    #[test]
    fn a_port_follows_a_host() {
        let hosts = "http://127.0.0.1:|nc -N 127.0.0.1 |localhost:|[::1]:|port |\
                     /dev/tcp/127.0.0.1/";
        for before in hosts.split('|') {
            assert!(names_a_port(before), "{before}");
        }
        for before in "Content-Length: |head -c |a:|HTTP/1.1 ||:".split('|') {
            assert!(!names_a_port(before), "{before}");
        }
    }
}
