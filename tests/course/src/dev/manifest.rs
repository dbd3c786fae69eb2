//! A Cargo.toml, read as far as the course needs: sections, keys, and what stands
//! after `=`.

use std::fs;
use std::path::Path;

use crate::layout::{Course, cannot};

/// A package's Cargo.toml.
#[derive(Debug)]
pub struct Manifest {
    shown: String,
    /// Section, key and value of each line that has them. `[[test]]` is the section
    /// `[test]`.
    entries: Vec<(String, String, String)>,
    sections: Vec<String>,
}

impl Manifest {
    /// That of the package in `folder`.
    ///
    /// # Errors
    /// A sentence, if it cannot be read.
    pub fn of(course: &Course, folder: &Path) -> Result<Manifest, String> {
        let path = folder.join("Cargo.toml");
        let text =
            fs::read_to_string(&path).map_err(|e| cannot("read", &path, &e))?;
        Ok(Manifest::read(&course.shown(&path), &text))
    }

    fn read(shown: &str, text: &str) -> Manifest {
        let mut manifest = Manifest {
            shown: shown.to_owned(),
            entries: Vec::new(),
            sections: Vec::new(),
        };
        let mut section = String::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
        {
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                section = name.trim().to_owned();
                manifest.sections.push(section.clone());
            } else if let Some((key, value)) = line.split_once('=') {
                let value = value.trim().trim_matches('"').to_owned();
                manifest.entries.push((
                    section.clone(),
                    key.trim().to_owned(),
                    value,
                ));
            }
        }
        manifest
    }

    /// What it depends on and should not, or should and does not: all that it may
    /// depend on stands in one section.
    #[must_use]
    pub fn wrong(&self, section: &str, exactly: &[&str]) -> Vec<String> {
        let mut complaints = Vec::new();
        let may = if exactly.is_empty() {
            "nothing".to_owned()
        } else {
            exactly.join(", ")
        };
        let mut refuse = |what: &str| {
            complaints.push(format!(
                "{}: {what} must go; this package may depend on {may} only",
                self.shown
            ));
        };
        for other in self
            .sections
            .iter()
            .filter(|other| other.contains("dependencies"))
        {
            if other != section || exactly.is_empty() {
                refuse(&format!("[{other}]"));
            }
        }
        for other in self
            .sections
            .iter()
            .filter(|other| other.starts_with("patch") || *other == "replace")
        {
            refuse(&format!("[{other}]"));
        }
        let mut found = Vec::new();
        for (place, key, _) in &self.entries {
            let package = key.split('.').next().unwrap_or(key);
            if place == section {
                found.push(package);
                if !exactly.contains(&package) {
                    refuse(&format!("`{package}`"));
                }
            } else if key.contains("dependencies") {
                refuse(&format!("`{key}`"));
            }
        }
        for missing in exactly.iter().filter(|name| !found.contains(name)) {
            complaints.push(format!("{}: [{section}] lacks {missing}", self.shown));
        }
        complaints
    }

    /// A complaint, if a section does not have this key with this value.
    #[must_use]
    pub fn without(&self, section: &str, key: &str, value: &str) -> Option<String> {
        let there = |(s, k, v): &(String, String, String)| {
            s == section && k == key && v == value
        };
        if self.entries.iter().any(there) {
            return None;
        }
        Some(format!(
            "{}: [{section}] must say {key} = \"{value}\"",
            self.shown
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
[package]
name = \"chapter01\"

[dev-dependencies]
harness = { path = \"../../tests/harness\" }

[[test]]
name = \"milestone\"
path = \"../../tests/01-bind.rs\"
";

    fn complaints(text: &str) -> Vec<String> {
        Manifest::read("x/Cargo.toml", text).wrong("dev-dependencies", &["harness"])
    }

    #[test]
    fn a_good_manifest_is_accepted() {
        assert_eq!(complaints(GOOD), Vec::<String>::new());
        let manifest = Manifest::read("x", GOOD);
        assert_eq!(manifest.without("package", "name", "chapter01"), None);
        assert_eq!(
            manifest.without("[test]", "path", "../../tests/01-bind.rs"),
            None
        );
        assert!(
            manifest
                .without("[test]", "path", "../../tests/02-echo.rs")
                .is_some()
        );
    }

    #[test]
    fn every_way_to_depend_on_something_is_seen() {
        for addition in [
            "[dependencies]\nlibc = \"0.2\"",
            "[dependencies]",
            "[dependencies.libc]\nversion = \"0.2\"",
            "[build-dependencies]\ncc = \"1\"",
            "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"",
            "[target.'cfg(unix)']\ndependencies.libc = \"0.2\"",
            "[dev-dependencies.libc]\nversion = \"0.2\"",
            "[patch.crates-io]",
        ] {
            assert!(
                !complaints(&format!("{GOOD}\n{addition}\n")).is_empty(),
                "{addition}"
            );
        }
        assert!(
            !complaints(&GOOD.replace("harness =", "tokio = \"1\"\nharness ="))
                .is_empty()
        );
        assert!(!complaints(&GOOD.replace("harness =", "harnes =")).is_empty());
        assert!(
            !complaints(&format!("dependencies.libc = \"0.2\"\n{GOOD}")).is_empty()
        );
    }
}
