//! Which tests libtest runs in this process, as its command line says.

use std::sync::LazyLock;

/// Whether libtest runs the test of this name, as this process was called.
pub(crate) fn runs(name: &str) -> bool {
    static ASKED: LazyLock<Asked> =
        LazyLock::new(|| Asked::read(std::env::args().skip(1)));
    name != "main" && ASKED.includes(name)
}

/// Whether libtest runs its tests in another order than that of their names.
pub(crate) fn is_shuffled() -> bool {
    static SHUFFLED: LazyLock<bool> = LazyLock::new(|| {
        std::env::var_os("RUST_TEST_SHUFFLE").is_some()
            || std::env::var_os("RUST_TEST_SHUFFLE_SEED").is_some()
            || std::env::args().any(|arg| arg.starts_with("--shuffle"))
    });
    *SHUFFLED
}

/// What the command line says about which tests to run.
#[derive(Default)]
struct Asked {
    exact: bool,
    names: Vec<String>,
    left_out: Vec<String>,
}

impl Asked {
    fn read(mut args: impl Iterator<Item = String>) -> Asked {
        const WITH_VALUE: [&str; 7] = [
            "--test-threads",
            "--color",
            "--format",
            "--logfile",
            "--shuffle-seed",
            "--report-time",
            "-Z",
        ];
        let mut asked = Asked::default();
        while let Some(arg) = args.next() {
            if arg == "--exact" {
                asked.exact = true;
            } else if arg == "--skip" {
                asked.left_out.extend(args.next());
            } else if let Some(name) = arg.strip_prefix("--skip=") {
                asked.left_out.push(name.to_owned());
            } else if WITH_VALUE.contains(&arg.as_str()) {
                args.next();
            } else if !arg.starts_with('-') {
                asked.names.push(arg);
            }
        }
        asked
    }

    fn includes(&self, test: &str) -> bool {
        let fits = |name: &String| match self.exact {
            true => test == name,
            false => test.contains(name.as_str()),
        };
        (self.names.is_empty() || self.names.iter().any(fits))
            && !self.left_out.iter().any(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_tells_which_tests_run() {
        let runs = |args: &str, test| {
            Asked::read(args.split_whitespace().map(str::to_owned)).includes(test)
        };
        assert!(runs("", "check_01"));
        assert!(runs("--test-threads 1 --show-output", "check_01"));
        assert!(runs("check", "check_01") && !runs("other", "check_01"));
        assert!(runs("--exact check_01", "check_01"));
        assert!(!runs("--exact check_0", "check_01"));
        assert!(!runs("--skip 01", "check_01") && runs("--skip 01", "check_02"));
        assert!(!runs("--skip=01", "check_01"));
    }
}
