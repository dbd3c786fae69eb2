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

/// Who rejects an answer, and how.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The check that must reject it, or the unit test.
    pub check: String,
    /// Whether that is a unit test.
    pub is_unit: bool,
    /// Words that the report must contain.
    pub says: Vec<String>,
}

impl Header {
    /// Reads header lines up to the end, or to the line where a diff begins.
    pub fn read(text: &str) -> Result<Header> {
        let mut header = Header::default();
        let mut about = String::new();
        let mut judges = 0;
        let begins_diff =
            |line: &&str| line.starts_with("diff --git ") || line.starts_with("--- ");
        for (line, number) in
            text.lines().take_while(|line| !begins_diff(line)).zip(1..)
        {
            let (key, value) = match line.strip_prefix('#') {
                Some(about) => ("#", about.trim()),
                None => line.split_once(':').unwrap_or((line, "")),
            };
            let value = value.trim().to_owned();
            match key {
                "#" => about = value,
                "check" | "unit" => {
                    judges += usize::from(!value.is_empty());
                    header.is_unit = key == "unit";
                    header.check = value;
                }
                "says" => header.says.push(value),
                _ if line.trim().is_empty() => {}
                _ => {
                    return Err(format!(
                        "line {number}: `{line}` is none of `# …`, `check: …`, \
                         `unit: …`, `says: …`, nor the begin of a diff"
                    ));
                }
            }
        }
        let missing = if about.is_empty() {
            "the first line must be `# …` and say in a sentence what this is"
        } else if judges == 0 {
            "a line `check: NAME` is missing: which check must reject this? (Where \
             only a unit test can: `unit: NAME`)"
        } else if judges > 1 {
            "`check: …` and `unit: …` exclude each other: name one"
        } else if header.says.is_empty() || header.says.iter().any(String::is_empty) {
            "a line `says: WORDS` is missing: what must the report contain?"
        } else {
            return Ok(header);
        };
        Err(missing.into())
    }

    /// Whether a report says what it should. Where lines are broken does not matter.
    pub fn is_met_by(&self, report: &str) -> Result<()> {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let flat_report = flat(report);
        let missing = self
            .says
            .iter()
            .filter(|words| !flat_report.contains(&flat(words)));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join("`, nor `");
        Err(format!(
            "the report of {} does not say `{missing}`:\n{report}",
            self.check
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_up_to_the_diff() {
        let text = "# A\n# sentence.\ncheck: check_01\nsays: some words\n\
                    says: more\n\n--- a/x\n+++";
        let mut expected = Header {
            check: "check_01".into(),
            is_unit: false,
            says: vec!["some words".into(), "more".into()],
        };
        assert_eq!(Header::read(text).as_ref(), Ok(&expected));
        assert!(
            expected
                .is_met_by("It has some\n    words, and more.")
                .is_ok()
        );
        let lacks = expected
            .is_met_by("It has some\n    words.")
            .expect_err("no `more`");
        assert!(lacks.starts_with("the report of check_01 does not say `more`:\n"));
        (expected.check, expected.is_unit) = ("a::b".into(), true);
        let text = text.replace("check: check_01", "unit: a::b");
        assert_eq!(Header::read(&text), Ok(expected));
    }

    #[test]
    fn what_is_missing_or_odd_is_said() {
        for (text, complaint) in [
            ("# a\nchek: check_01\n", "line 2: `chek: check_01`"),
            ("check: a\nsays: b\n", "the first line must be"),
            ("# a\nsays: b\n", "a line `check: NAME` is missing"),
            ("# a\ncheck:\nsays: b\n", "a line `check: NAME` is missing"),
            (
                "# a\ncheck: a\nunit: b\nsays: c\n",
                "`check: …` and `unit: …`",
            ),
            ("# a\ncheck: b\nsays:\n", "a line `says: WORDS` is missing"),
        ] {
            let said = Header::read(text).expect_err(text);
            assert!(said.starts_with(complaint), "{said}");
        }
    }
}
