//! One thing that a milestone checks: what a report says about it, and what happened
//! on the way.

use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::ground;
use crate::report::Failure;
use crate::watched::Watched;

/// The environment variable that names another program to judge instead of the
/// chapter's own.
pub(crate) const PROGRAM_VARIABLE: &str = "COURSE_PROGRAM";

/// One thing that must hold, and what to tell a learner if it doesn't.
///
/// Made with the [`check!`](crate::check!) macro.
#[derive(Clone)]
pub struct Check {
    exe: PathBuf,
    package: String,
    pub(crate) title: String,
    options: String,
    pub(crate) by_hand: String,
    /// The name of the page's file, without its ending.
    pub(crate) page: String,
    /// The section that explains the check.
    pub(crate) section: String,
    /// The sections that explain the gaps, in the order of their numbers.
    pub(crate) gaps: &'static [&'static str],
    /// The message of panics that the check brings about itself.
    pub(crate) caused: String,
    /// Words on stderr that tell the reason of whatever fails, and that reason.
    pub(crate) told: Option<[String; 2]>,
    /// The reason if the program ends by itself.
    pub(crate) ended: Option<String>,
    log: Arc<Log>,
}

/// What has happened so far, shared by the check, its program and its clients.
#[derive(Default)]
struct Log {
    steps: Mutex<Vec<String>>,
    program: Mutex<Option<Arc<Watched>>>,
    /// Whether the program may end by itself: it was asked to.
    may_end: AtomicBool,
    /// Whether the check itself lets the program have few descriptors.
    few_files: AtomicBool,
}

impl Check {
    /// See [`check!`](crate::check!).
    #[track_caller]
    pub fn new(exe: &Path, package: &str, title: &str) -> Check {
        ground::enter();
        let named = std::env::var_os(PROGRAM_VARIABLE);
        let exe = named
            .map_or_else(|| exe.to_owned(), |path| in_workspace(Path::new(&path)));
        Check {
            exe,
            package: package.to_owned(),
            title: title.to_owned(),
            options: String::new(),
            by_hand: String::new(),
            // A page is called as its milestone: tests/02-echo.rs, 02-echo.md.
            page: Path::new(Location::caller().file())
                .file_stem()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            section: String::new(),
            gaps: &[],
            caused: String::new(),
            told: None,
            ended: None,
            log: Arc::default(),
        }
    }

    /// Names the section of this chapter's page that explains the check, by its
    /// anchor.
    pub fn read(mut self, section: &str) -> Check {
        self.section = section.to_owned();
        self
    }

    /// Names a section of another chapter's page, which explains the check.
    pub fn read_on(mut self, page: &str, section: &str) -> Check {
        self.page = page.to_owned();
        self.section = section.to_owned();
        self
    }

    /// Names the sections that explain the chapter's gaps, in the order of their
    /// numbers: see [`gaps!`](crate::gaps!).
    pub fn gaps(mut self, sections: &'static [&'static str]) -> Check {
        self.gaps = sections;
        self
    }

    /// Gives shell commands to try by hand. `{addr}` means the server's address,
    /// `{port}` its port.
    pub fn by_hand(mut self, commands: &str) -> Check {
        self.by_hand = commands
            .replace("{addr}", "127.0.0.1:7878")
            .replace("{package}", &self.package)
            .replace("{port}", "7878");
        self
    }

    /// Gives the options with which to start the program by hand, such as `--root
    /// book/src`.
    pub fn with_options(mut self, options: &str) -> Check {
        self.options = options.to_owned();
        self
    }

    /// Says that panics with this message are the check's own doing: they aren't the
    /// reason if it fails.
    pub fn causes_panics(mut self, message: &str) -> Check {
        self.caused = message.to_owned();
        self
    }

    /// Says what is likely, whatever fails, if the program has said these words on
    /// stderr.
    pub fn told_by(mut self, words: &str, likely: &str) -> Check {
        self.told = Some([words.to_owned(), likely.to_owned()]);
        self
    }

    /// Says what is likely if the program ends although nothing asked it to, however
    /// a client notices that: as a refused connection, as a reset, or as an end.
    pub fn if_it_ends(mut self, likely: &str) -> Check {
        self.ended = Some(likely.to_owned());
        self
    }

    /// Ends the check with a report, because of what the milestone saw by itself.
    #[track_caller]
    pub fn fail(&self, problem: impl Into<String>, likely: impl Into<String>) -> ! {
        self.report(Failure {
            problem: problem.into(),
            likely: likely.into(),
            ..Failure::default()
        })
    }

    /// Prints a line for a check that can't be made, on this machine or of this
    /// program.
    pub fn pass_over(&self, why: &str) {
        if !ground::is_quiet() {
            println!("passed over: {why}");
        }
    }

    /// Notes what is about to be done, for the report.
    pub fn step(&self, step: impl Into<String>) {
        self.log.steps.lock().expect("a log").push(step.into());
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.log.steps.lock().expect("a log").clone()
    }

    pub(crate) fn exe(&self) -> &Path {
        &self.exe
    }

    /// What the learner calls the program.
    pub(crate) fn name(&self) -> &str {
        &self.package
    }

    /// The program that was started last for this check.
    pub(crate) fn program(&self) -> Option<Arc<Watched>> {
        self.log.program.lock().expect("a log").clone()
    }

    pub(crate) fn watch(&self, program: Arc<Watched>) {
        *self.log.program.lock().expect("a log") = Some(program);
    }

    /// Notes that the program was asked to end, so that its end isn't news.
    pub(crate) fn let_it_end(&self) {
        self.log.may_end.store(true, Ordering::Relaxed);
    }

    pub(crate) fn may_end(&self) -> bool {
        self.log.may_end.load(Ordering::Relaxed)
    }

    /// Notes that the program was given few descriptors on purpose.
    #[cfg(unix)]
    pub(crate) fn let_it_have_few_files(&self) {
        self.log.few_files.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_few_files(&self) -> bool {
        self.log.few_files.load(Ordering::Relaxed)
    }

    /// The commands to try by hand, with the one that starts the program.
    pub(crate) fn commands(&self) -> String {
        if self.by_hand.is_empty() {
            return String::new();
        }
        let program = match std::env::var_os(PROGRAM_VARIABLE) {
            Some(program) => program.to_string_lossy().into_owned(),
            None if self.options.is_empty() => {
                format!("cargo run -p {}", self.package)
            }
            None => format!("cargo run -p {} --", self.package),
        };
        if self.by_hand.starts_with("cargo ") {
            return self.by_hand.replace("{program}", &program);
        }
        let options = if self.options.is_empty() {
            String::new()
        } else {
            format!(" {}", self.options)
        };
        format!(
            "{program}{options}\n# then, in a second terminal:\n{}",
            self.by_hand
        )
    }
}

/// Whether another program is judged than the chapter's own.
pub(crate) fn judges_another_program() -> bool {
    std::env::var_os(PROGRAM_VARIABLE).is_some()
}

/// A path as it was meant by a person who typed it at the top of the workspace:
/// milestones run in the folder of their chapter.
fn in_workspace(path: &Path) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_as_seen_from_the_top_of_the_workspace() {
        assert!(in_workspace(Path::new("tests/harness/Cargo.toml")).is_file());
        let absolute = std::env::temp_dir();
        assert_eq!(in_workspace(&absolute), absolute);
    }
}
