//! What an error of the system on stderr means, in words for a learner.

/// Errors that a program passes on in the system's words, and what they mean.
struct Hint {
    /// One of these is in the text.
    words: &'static [&'static str],
    meaning: &'static str,
}

/// EMFILE and ENFILE: the numbers are those of Unix, and the last that of Windows.
const EMFILE: [&str; 3] = ["(os error 24)", "(os error 23)", "(os error 10024)"];

/// Where there are three numbers, they are those of Linux, of macOS and FreeBSD, and
/// of Windows.
const HINTS: [Hint; 4] = [
    Hint {
        words: &[
            "(os error 11)",
            "(os error 35)",
            "(os error 10035)",
            "WouldBlock",
        ],
        meaning: "WouldBlock: a socket that was told not to wait (set_nonblocking), \
                  or not for longer than its timeout, had nothing for the program \
                  yet. That's an answer to handle, not a broken connection. From \
                  spawn(), it means that the system has no thread to give.",
    },
    Hint {
        words: &EMFILE,
        meaning: "os error 24: the program has run out of descriptors. It keeps \
                  streams or files open that it no longer needs, or its limit \
                  (ulimit -n) is low.",
    },
    Hint {
        words: &["(os error 4)", "Interrupted"],
        meaning: "Interrupted: a signal came while the call waited. Nothing is wrong \
                  with the connection; make the call again.",
    },
    Hint {
        words: &["PoisonError"],
        meaning: "PoisonError: another thread panicked while it held the lock; that \
                  panic is the cause.",
    },
];

/// What the errors in this text mean, one sentence or more for each.
pub(crate) fn meaning(text: &str) -> Option<String> {
    // The cause explains this panic, and the kind of its error would mislead.
    let lines = text.lines();
    let lines = lines.filter(|line| !line.starts_with("failed to spawn thread"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let found: Vec<&str> = (HINTS.iter())
        .filter(|hint| hint.words.iter().any(|words| text.contains(words)))
        .map(|hint| hint.meaning)
        .collect();
    (!found.is_empty()).then(|| found.join("\n"))
}

/// Whether a program says that it has run out of descriptors.
pub(crate) fn is_emfile(text: &str) -> bool {
    EMFILE.iter().any(|words| text.contains(words))
}

/// The lines that don't say so.
pub(crate) fn without_emfile(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !is_emfile(line)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_explained() {
        let text = "fill: Resource temporarily unavailable (os error 11)";
        assert!(meaning(text).expect("a hint").contains("WouldBlock"));
        assert!(meaning("Connection reset by peer (os error 104)").is_none());
        assert!(meaning("").is_none());
        let text = "failed to spawn thread: Os { code: 11, kind: WouldBlock }";
        assert!(meaning(text).is_none());
        let text = "accept: Too many open files (os error 24)\nx (os error 4)";
        assert!(is_emfile(text));
        assert_eq!(without_emfile(text), "x (os error 4)");
    }
}
