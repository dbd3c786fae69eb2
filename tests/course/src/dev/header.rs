//! The few lines at the top of a patch, or of a note on a starter: what is wrong with
//! it, and which check must say so in which words.
//!
//! ```text
//! # Reads once and takes what came for all there is.
//! check: check_03_split_writes
//! says: came in two pieces
//! ```
//!
//! What only a unit test of the solution can see has a line `unit: NAME_OF_TEST` in
//! place of `check: …`, with the path of the test:
//! `pool::tests::every_job_runs_once`.

use crate::Result;

/// The header of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// What is special about this answer.
    pub about: String,
    /// The check that must reject it.
    pub check: Option<String>,
    /// The unit test that must reject it, where no check can.
    pub unit: Option<String>,
    /// Words that the report must contain.
    pub says: Vec<String>,
}

/// Who rejects an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// A check of the milestone.
    Check(&'a str),
    /// A unit test, which stands beside the code.
    Unit(&'a str),
}

impl<'a> By<'a> {
    /// The name of the check or the unit test.
    pub fn name(self) -> &'a str {
        match self {
            By::Check(name) | By::Unit(name) => name,
        }
    }
}

impl Header {
    /// Reads header lines up to the end, or to the line where a diff begins.
    pub fn read(text: &str) -> Result<Header> {
        let mut header = Header::default();
        for (number, line) in text.lines().enumerate() {
            if begins_diff(line) {
                break;
            }
            let value = |key: &str| {
                line.strip_prefix(key).map(|value| value.trim().to_owned())
            };
            if let Some(about) = value("#") {
                if !header.about.is_empty() {
                    header.about.push(' ');
                }
                header.about.push_str(&about);
            } else if let Some(check) = value("check:") {
                header.check = Some(check);
            } else if let Some(unit) = value("unit:") {
                header.unit = Some(unit);
            } else if let Some(says) = value("says:") {
                header.says.push(says);
            } else if !line.trim().is_empty() {
                return Err(format!(
                    "line {}: `{line}` is none of `# …`, `check: …`, `unit: …`, `says: …`, nor the begin of a diff",
                    number + 1
                ));
            }
        }
        if header.about.is_empty() {
            return Err(
                "the first line must be `# …` and say in a sentence what this is"
                    .into(),
            );
        }
        Ok(header)
    }

    /// Who rejects it, and in which words: an answer that must be rejected has to
    /// name both.
    pub fn rejection(&self) -> Result<(By<'_>, &[String])> {
        let check = self.check.as_deref().filter(|check| !check.is_empty());
        let unit = self.unit.as_deref().filter(|unit| !unit.is_empty());
        let by = match (check, unit) {
            (Some(check), None) => By::Check(check),
            (None, Some(unit)) => By::Unit(unit),
            (Some(_), Some(_)) => {
                return Err(
                    "`check: …` and `unit: …` exclude each other: name one".into()
                );
            }
            (None, None) => {
                return Err(
                    "a line `check: NAME` is missing: which check must reject this? (Where only a \
                     unit test can: `unit: NAME`)"
                        .into(),
                );
            }
        };
        if self.says.is_empty() || self.says.iter().any(String::is_empty) {
            return Err(
                "a line `says: WORDS` is missing: what must the report contain?"
                    .into(),
            );
        }
        Ok((by, &self.says))
    }
}

/// Whether a line is the first of a diff.
pub fn begins_diff(line: &str) -> bool {
    line.starts_with("diff --git ") || line.starts_with("--- ")
}

/// The words of `says` that a report lacks. Where lines are broken does not matter.
pub fn missing<'a>(says: &'a [String], report: &str) -> Vec<&'a str> {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let report = flat(report);
    says.iter()
        .filter(|words| !report.contains(&flat(words)))
        .map(String::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_up_to_the_diff() {
        let text = "# One\n# sentence.\ncheck: check_01\nsays: some words\nsays: more\n\n--- a/x\n+++ b/x\n";
        let header = Header::read(text).expect("it is well formed");
        assert_eq!(header.about, "One sentence.");
        let (by, says) = header.rejection().expect("it is complete");
        assert_eq!(by, By::Check("check_01"));
        assert_eq!(says, ["some words", "more"]);
        let header =
            Header::read("# One.\nunit: a::b\nsays: c\n").expect("it is well formed");
        let (by, _) = header.rejection().expect("it is complete");
        assert_eq!(by, By::Unit("a::b"));
        let both = Header::read("# One.\ncheck: a\nunit: b\nsays: c\n")
            .expect("it can be read");
        assert!(both.rejection().is_err());
    }

    #[test]
    fn what_is_missing_or_odd_is_said() {
        let error =
            Header::read("# a\nchek: check_01\n").expect_err("a typing mistake");
        assert!(error.starts_with("line 2: `chek: check_01`"), "{error}");
        assert!(Header::read("check: a\nsays: b\n").is_err());
        let no_check = Header::read("# a\nsays: b\n").expect("it can be read");
        assert!(
            no_check
                .rejection()
                .expect_err("no check")
                .contains("check: NAME")
        );
        let no_words =
            Header::read("# a\ncheck: b\nsays:\n").expect("it can be read");
        assert!(
            no_words
                .rejection()
                .expect_err("no words")
                .contains("says: WORDS")
        );
    }

    #[test]
    fn words_are_found_across_lines() {
        let says = ["came in two pieces".to_owned(), "once".to_owned()];
        assert_eq!(missing(&says, "It came in\n    two pieces."), ["once"]);
    }
}
