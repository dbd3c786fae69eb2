//! Panics of the program under test, found in what it printed.

/// How the message of a `todo!` begins.
const GAP: &str = "not yet implemented: ";

/// A panic of the program under test.
pub(crate) struct Panic {
    pub(crate) message: String,
    /// `src/main.rs:12`
    pub(crate) place: String,
    /// All of it, as it was printed.
    pub(crate) text: String,
}

impl Panic {
    /// The first panic whose message isn't `caused`. If that is a numbered gap, the
    /// one with the lowest number: which of several threads reaches its gap first is
    /// chance.
    pub(crate) fn find(stderr: &str, caused: &str) -> Option<Panic> {
        let mut panics = Panic::all(stderr).into_iter();
        let first = panics.find(|panic| panic.message != caused)?;
        if first.gap_number().is_none() {
            return Some(first);
        }
        let gaps = panics.filter(|panic| panic.gap_number().is_some());
        std::iter::once(first)
            .chain(gaps)
            .min_by_key(Panic::gap_number)
    }

    fn all(stderr: &str) -> Vec<Panic> {
        let mut panics = Vec::new();
        let mut lines = stderr.lines().peekable();
        while let Some(line) = lines.next() {
            let Some((_, place)) = line
                .strip_prefix("thread '")
                .and_then(|line| line.split_once(" panicked at "))
            else {
                continue;
            };
            let place = place.trim_end_matches(':');
            let message = lines.next().unwrap_or_default();
            let mut text = format!("{line}\n{message}");
            // The two sides of assert_eq!.
            while let Some(side) = lines.next_if(|line| {
                let line = line.trim_start();
                line.starts_with("left: ") || line.starts_with("right: ")
            }) {
                text.push('\n');
                text.push_str(side);
            }
            panics.push(Panic {
                text,
                message: message.to_owned(),
                // `src/main.rs:12:5` without the column
                place: place
                    .rsplit_once(':')
                    .map_or(place, |(place, _)| place)
                    .to_owned(),
            });
        }
        panics
    }

    /// What a `todo!` asks for.
    pub(crate) fn gap(&self) -> Option<&str> {
        self.message.strip_prefix(GAP)
    }

    /// The number of a gap: 3 in `todo!("(3 of 5) …")`.
    pub(crate) fn gap_number(&self) -> Option<usize> {
        let gap = self.gap()?.strip_prefix('(')?;
        gap.split_once(" of ")?.0.parse().ok()
    }
}

/// What a program printed without the panics that the check itself has caused, and
/// with a line that says how many there were.
pub(crate) fn without_caused(stderr: &str, caused: &str) -> String {
    if caused.is_empty() {
        return stderr.to_owned();
    }
    let mut shown = String::new();
    let mut left_out = 0;
    let mut lines = stderr.lines().peekable();
    while let Some(line) = lines.next() {
        let is_panic = line.starts_with("thread '") && line.contains(" panicked at ");
        if is_panic && lines.next_if_eq(&caused).is_some() {
            left_out += 1;
            continue;
        }
        shown.push_str(line);
        shown.push('\n');
    }
    if left_out > 0 {
        shown.push_str(&format!("(and {left_out} times: {caused})\n"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_the_check_caused_is_not_the_reason() {
        let stderr = "thread '<unnamed>' (7) panicked at src/app.rs:9:40:\nas asked\n\
                      thread 'main' panicked at src/main.rs:3:4:\noh no\n";
        let found = |caused| Panic::find(stderr, caused).map(|panic| panic.message);
        assert_eq!(found("").as_deref(), Some("as asked"));
        assert_eq!(found("as asked").as_deref(), Some("oh no"));
        let first = stderr.lines().take(2).collect::<Vec<_>>().join("\n");
        assert!(Panic::find(&first, "as asked").is_none());
    }

    #[test]
    fn of_several_gaps_the_first_to_be_written_is_the_reason() {
        let stderr = "\nthread 'a' (1) panicked at src/a.rs:1:2:\n\
                      not yet implemented: (3 of 4) later\n\
                      \nthread 'b' (2) panicked at src/b.rs:3:4:\n\
                      not yet implemented: (2 of 4) first\n";
        let found = Panic::find(stderr, "").expect("a panic");
        assert_eq!(found.gap(), Some("(2 of 4) first"));
        assert_eq!(found.gap_number(), Some(2));
        assert_eq!(found.place, "src/b.rs:3");
        assert!(found.text.starts_with("thread 'b'"), "{}", found.text);
        assert!(found.text.ends_with("(2 of 4) first"), "{}", found.text);
    }

    #[test]
    fn both_sides_of_a_comparison_belong_to_a_panic() {
        let panic = "thread 'a' panicked at src/a.rs:1:2:\n\
                     assertion `left == right` failed";
        let sides = "\n  left: 1\n right: 2";
        let stderr = format!("{panic}{sides}\nnote: run with\n");
        let found = Panic::find(&stderr, "").expect("a panic");
        assert_eq!(found.text, format!("{panic}{sides}"));
    }

    #[test]
    fn panics_that_the_check_caused_are_counted_and_not_shown() {
        let panic = "thread 'a' (1) panicked at src/a.rs:1:2:\nas asked\n";
        let stderr = format!("{panic}{panic}a word\n");
        let shown = without_caused(&stderr, "as asked");
        assert_eq!(shown, "a word\n(and 2 times: as asked)\n");
        assert_eq!(without_caused(&stderr, "other"), stderr);
    }
}
