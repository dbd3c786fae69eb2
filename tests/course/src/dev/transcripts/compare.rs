//! Whether two outputs are the same but for what differs from run to run and machine
//! to machine.

use std::net::IpAddr;

/// What differs, for a person; nothing if the two say the same.
pub(super) fn difference(expected: &str, came: &str) -> Option<String> {
    if essence(expected) == essence(came) {
        return None;
    }
    let mut text = String::new();
    for (title, output) in [("the file says:", expected), ("now comes:", came)] {
        text.push_str(&format!("  {title}\n"));
        for line in output.lines() {
            text.push_str(&format!("    {line}\n"));
        }
        if output.is_empty() {
            text.push_str("    (nothing)\n");
        }
    }
    let (before, now) = (essence(expected), essence(came));
    let first = (0..).find(|&i| before.get(i) != now.get(i)).unwrap_or(0);
    let quoted = |line: Option<&String>| {
        line.map_or("the end".to_owned(), |line| format!("{line:?}"))
    };
    text.push_str(&format!(
        "  they part where {} became {}\n",
        quoted(before.get(first)),
        quoted(now.get(first))
    ));
    Some(text)
}

/// The lines of an output with all that may differ replaced or left out.
fn essence(output: &str) -> Vec<String> {
    let mut lines: Vec<String> = output
        .trim_end()
        .lines()
        .filter(|line| !is_chatter(line))
        .map(|line| essence_of_line(line.trim_end()))
        .collect();
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
    if let Some((error, _)) =
        line.split_once(')').filter(|_| line.starts_with("curl: ("))
    {
        return format!("{error})");
    }
    if let Some(at) = line.to_ascii_lowercase().find("user-agent: ") {
        return format!("{}<agent>", &line[..at + "user-agent: ".len()]);
    }
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (replaced, length) = replacement(&out, rest).unwrap_or_else(|| {
            let length = first.len_utf8();
            (rest[..length].to_owned(), length)
        });
        out.push_str(&replaced);
        rest = &rest[length..];
    }
    out
}

/// If something that may differ begins at the front of `rest`: what stands for it,
/// and its length.
fn replacement(before: &str, rest: &str) -> Option<(String, usize)> {
    let inside_a_word =
        before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
    if let Some(length) = date(rest) {
        return Some(("<date>".to_owned(), length));
    }
    if !inside_a_word {
        if let Some(length) = clock(rest).or_else(|| duration(rest)) {
            return Some(("<time>".to_owned(), length));
        }
        let digits = digits(rest);
        // How often chance struck: `lost 17 of 200`. Never is another thing than
        // sometimes.
        if digits > 0 && before.ends_with("lost ") && !rest.starts_with("0 ") {
            return Some(("<some>".to_owned(), digits));
        }
        // The number of a thread that panicked.
        if digits > 0 && before.ends_with("' (") {
            return Some(("<thread>".to_owned(), digits));
        }
        if digits == 5 && names_a_port(before) {
            return Some(("<port>".to_owned(), digits));
        }
    }
    if before.ends_with('/') && !before.ends_with("HTTP/") {
        let product = before.trim_end_matches('/');
        let version = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        if product.ends_with(|c: char| c.is_ascii_alphanumeric())
            && digits(rest) > 0
            && rest[..version].contains('.')
        {
            return Some(("<version>".to_owned(), version));
        }
    }
    if before.ends_with('-') {
        let hash = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        if hash == 16 {
            return Some(("<hash>".to_owned(), hash));
        }
    }
    None
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn date(text: &str) -> Option<usize> {
    let days = "Mon, Tue, Wed, Thu, Fri, Sat, Sun,";
    let length = "Sun, 06 Nov 1994 08:49:37 GMT".len();
    let known = days
        .split(' ')
        .any(|day| text.starts_with(&format!("{day} ")));
    (known && text.get(..length)?.ends_with(" GMT")).then_some(length)
}

/// `08:49:37`
fn clock(text: &str) -> Option<usize> {
    let part = |at: usize| digits(text.get(at..)?).eq(&2).then_some(());
    part(0)?;
    part(3)?;
    part(6)?;
    (text.get(2..3)? == ":" && text.get(5..6)? == ":").then_some(8)
}

/// `0.46s`, `3 ms`, `12 seconds`
fn duration(text: &str) -> Option<usize> {
    let mut number = digits(text);
    if number == 0 {
        return None;
    }
    if text[number..].starts_with('.') {
        let decimals = digits(&text[number + 1..]);
        if decimals == 0 {
            return None;
        }
        number += 1 + decimals;
    }
    let after = &text[number..];
    let unit = after.strip_prefix(' ').unwrap_or(after);
    let word = unit
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(unit.len());
    let units = "ns µs us ms s second seconds millisecond milliseconds";
    let is_unit = units.split(' ').any(|known| known == &unit[..word]);
    is_unit.then_some(text.len() - unit.len() + word)
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

    fn same(a: &str, b: &str) {
        assert_eq!(difference(a, b), None);
    }

    fn different(a: &str, b: &str) {
        assert!(difference(a, b).is_some(), "{a:?} should differ from {b:?}");
    }

    #[test]
    fn what_differs_from_run_to_run_is_the_same() {
        same(
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\n",
            "Date: Mon, 07 Nov 2044 18:49:37 GMT",
        );
        same("took 0.46s", "took 12.1s");
        same("lost 17 of 200 answers", "lost 200 of 200 answers");
        same("after 0 ms: no", "after 17 ms: no");
        same("in 3 µs", "in 30 µs");
        same("from 127.0.0.1:51234 gone", "from 127.0.0.1:41235 gone");
        same("User-Agent: curl/8.5.0", "User-Agent: curl/7.88.1");
        same("> User-Agent: a b", "> User-Agent: c");
        same("thread 'main' (12) panicked", "thread 'main' (7) panicked");
        same("by curl/8.5.0.", "by curl/7.88.1.");
        same(
            "curl: (52) Empty reply from server",
            "curl: (52) Empty answer",
        );
        same("* Trying\n< HTTP/1.1 200 OK", "< HTTP/1.1 200 OK");
        same("a-0123456789abcdef)", "a-fedcba9876543210)");
        same(
            "    Finished dev in 1\ntest b ... ok\ntest a ... ok",
            "test a ... ok\ntest b ... ok\n\n",
        );
        same("building chapter 01 and more\n  passes", "  passes");
        same(
            "waiting: another cargo\n(what helps: \"When cargo waits\"\n  passes",
            "  passes",
        );
    }

    #[test]
    fn what_matters_is_different() {
        different("hello", "hallo");
        different("lost 17 of 200 answers", "lost 0 of 200 answers");
        different("a\nb", "a\n\nb");
        different("Content-Length: 12", "Content-Length: 13");
        different("HTTP/1.1 200 OK", "HTTP/1.0 200 OK");
        different("curl: (52) x", "curl: (56) x");
        different(
            "listening on http://127.0.0.1:7878",
            "listening on http://127.0.0.1:80",
        );
        different("test a ... ok", "test a ... FAILED");
        different("a/../b", "a/b");
        different("12 bytes", "13 bytes");
        different("x\ny", "x");
    }

    #[test]
    fn a_port_follows_a_host() {
        for before in [
            "http://127.0.0.1:",
            "nc -N 127.0.0.1 ",
            "localhost:",
            "[::1]:",
            "port ",
            "/dev/tcp/127.0.0.1/",
        ] {
            assert!(names_a_port(before), "{before}");
        }
        for before in ["Content-Length: ", "head -c ", "a:", "HTTP/1.1 ", "", ":"] {
            assert!(!names_a_port(before), "{before}");
        }
    }
}
