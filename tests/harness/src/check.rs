//! One thing that a milestone checks, and the report that a learner reads when it
//! fails.

use std::any::type_name;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use crate::program::Watched;

/// The environment variable that names another program to judge instead of the
/// chapter's own.
pub(crate) const PROGRAM_VARIABLE: &str = "COURSE_PROGRAM";
/// The width to which reports are wrapped, labels included.
const WIDTH: usize = 92;
/// How many lines of what a program printed are shown.
pub(crate) const OUTPUT_LINES: usize = 8;
/// The width of the column of labels.
const INDENT: usize = 10;

/// One thing that must hold, and what to tell a learner when it does not.
///
/// Made with the [`check!`](crate::check!) macro.
#[derive(Clone)]
pub struct Check {
    exe: PathBuf,
    package: String,
    title: String,
    options: String,
    by_hand: String,
    page: String,
    section: String,
    /// The message of panics that the check brings about itself.
    caused: String,
    /// Words on stderr that tell the reason of whatever fails, and that reason.
    told: Option<[String; 2]>,
    log: Arc<Log>,
}

/// What has happened so far, shared by the check, its program and its clients.
#[derive(Default)]
struct Log {
    steps: Mutex<Vec<String>>,
    program: Mutex<Option<Arc<Watched>>>,
    /// Whether the program may end by itself: it was asked to.
    may_end: AtomicBool,
}

/// What went wrong, as the part that noticed it can tell.
#[derive(Default)]
pub(crate) struct Failure {
    /// One sentence: what happened.
    pub(crate) problem: String,
    /// What was sent, ready to show.
    pub(crate) sent: String,
    /// What came back, ready to show.
    pub(crate) got: String,
    /// The usual reason, in a sentence or two.
    pub(crate) likely: String,
    /// What the program printed, where it has already ended.
    pub(crate) stderr: String,
}

impl Check {
    /// See [`check!`](crate::check!).
    #[track_caller]
    pub fn new(exe: &Path, package: &str, title: &str) -> Check {
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
            caused: String::new(),
            told: None,
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
    pub(crate) fn read_on(mut self, page: &str, section: &str) -> Check {
        self.page = page.to_owned();
        self.section = section.to_owned();
        self
    }

    /// Gives shell commands to try by hand. `{addr}` stands for the server's address,
    /// `{port}` for its port.
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

    /// Says that panics with this message are the check's own doing: where it fails,
    /// they are not the reason.
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

    /// Ends the check with a report, because of what the milestone saw by itself.
    #[track_caller]
    pub fn fail(&self, problem: impl Into<String>, likely: impl Into<String>) -> ! {
        self.report(Failure {
            problem: problem.into(),
            likely: likely.into(),
            ..Failure::default()
        })
    }

    /// Prints a line for a check that cannot be made, on this machine or of this
    /// program.
    pub fn pass_over(&self, why: &str) {
        if !QUIET.get() {
            println!("passed over: {why}");
        }
    }

    /// Notes what is about to be done, for the report.
    pub fn step(&self, step: impl Into<String>) {
        self.log.steps.lock().expect("a log").push(step.into());
    }

    pub(crate) fn exe(&self) -> &Path {
        &self.exe
    }

    /// What the learner calls the program.
    pub(crate) fn name(&self) -> &str {
        &self.package
    }

    /// Whether the program under test was started, and is gone.
    pub(crate) fn program_has_ended(&self) -> bool {
        let watched = self.log.program.lock().expect("a log").clone();
        watched.is_some_and(|watched| watched.exited().is_some())
    }

    /// Notes that the program was asked to end, so that its end is no news.
    pub(crate) fn may_end(&self) {
        self.log.may_end.store(true, Ordering::Relaxed);
    }

    pub(crate) fn watch(&self, program: Arc<Watched>) {
        *self.log.program.lock().expect("a log") = Some(program);
    }

    /// Ends the check with a report.
    #[track_caller]
    pub(crate) fn report(&self, failure: Failure) -> ! {
        let text = self.text(failure, Location::caller());
        if !QUIET.get() {
            println!("{text}");
        }
        end_test()
    }

    fn text(&self, mut failure: Failure, location: &Location<'_>) -> String {
        let watched = self.log.program.lock().expect("a log").clone();
        let exit = watched.as_ref().and_then(|watched| watched.exited());
        if let Some(watched) = &watched {
            failure.stderr = watched.stderr();
        }
        let mut first = failure.problem;
        let mut more = String::new();
        let mut section = self.section.clone();
        if let Some(panic) = Panic::find(&failure.stderr, &self.caused) {
            more = first;
            first = match panic.message.strip_prefix("not yet implemented: ") {
                Some(gap) => format!("Still to be written: {gap} ({})", panic.place),
                None => format!(
                    "The program panicked: {} ({})",
                    panic.message, panic.place
                ),
            };
            if let Some(of_gap) = self.section_of_gap(&panic.message) {
                section = of_gap;
            }
            failure.likely = if panic.message.starts_with("not yet implemented") {
                // Other threads may have come to other gaps, which are not spoken of
                // here.
                failure.stderr = panic.text.clone();
                format!(
                    "open {} and write what the todo!() there asks for.",
                    panic.place
                )
            } else if panic.message.starts_with("failed to spawn thread") {
                "thread::spawn panics where the system has no thread to give. \
                 thread::Builder::new().spawn() returns that as an error, which the program can \
                 survive."
                    .to_owned()
            } else {
                let rule = match watched.is_some() {
                    true => {
                        ". Nothing that a client does may end the server.".to_owned()
                    }
                    // No client was there yet; the check knows more.
                    false => format!(
                        ": say in words what is wrong, with match or if let. {}",
                        as_sentence(&failure.likely)
                    ),
                };
                format!(
                    "an error that a program should handle reached unwrap(), expect(), assert!(), \
                     an index out of range or a subtraction below zero{rule}"
                )
            };
        } else if let (Some(exit), false) =
            (exit, self.log.may_end.load(Ordering::Relaxed))
        {
            more = first;
            first =
                format!("The program ended ({exit}) when it should have gone on.");
        } else if let Some([words, likely]) = &self.told
            && failure.stderr.contains(words)
        {
            failure.likely.clone_from(likely);
        }

        let mut out = format!("\n{}\n", wrap(&first, 0));
        if !more.is_empty() {
            let _ =
                writeln!(out, "{}", wrap(&format!("Seen from outside: {more}"), 0));
        }
        out.push('\n');
        row(&mut out, "checked", &wrap(&self.title, INDENT));
        let steps = shown_steps(&self.log.steps.lock().expect("a log"));
        row(&mut out, "tried", &wrap(&steps, INDENT));
        row(&mut out, "sent", &failure.sent);
        row(&mut out, "got", &failure.got);
        row(&mut out, "likely", &wrap(&failure.likely, INDENT));
        // Of a program that ended by itself, it stands among what came back.
        if !failure.got.contains("stderr: ") {
            row(
                &mut out,
                "stderr",
                &last_lines(&failure.stderr, OUTPUT_LINES),
            );
        }
        row(&mut out, "by hand", &self.commands());
        let mut read = format!("book/src/{}.md", self.page);
        if !section.is_empty() {
            let _ = write!(read, "#{section}");
        }
        // Cargo names the file as the manifest does:
        // chapters/01-bind/../../tests/01-bind.rs.
        let file = location.file();
        let file = file.rsplit_once("../").map_or(file, |(_, file)| file);
        let _ = write!(read, "  (this check: {file}:{})", location.line());
        row(&mut out, "read", &read);
        out
    }

    /// The section of the page that explains the gap whose `todo!` panicked with this
    /// message, where the gap has a number and the page has a word on it.
    fn section_of_gap(&self, message: &str) -> Option<String> {
        let gap = message.strip_prefix("not yet implemented: (")?;
        let (number, _) = gap.split_once(" of ")?;
        let page = in_workspace(Path::new(&format!("book/src/{}.md", self.page)));
        section_with(
            &std::fs::read_to_string(page).ok()?,
            &format!("**Gap {number}**"),
        )
    }

    fn commands(&self) -> String {
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

/// Whether a check passed, once that is known.
type Verdict = Arc<OnceLock<bool>>;

/// Lets a check rest on an earlier one: where that one fails, this one only says so.
///
/// The earlier check is run once for each test process, without printing its report.
pub fn after<F: Fn() + Copy>(ground: F) {
    static VERDICTS: LazyLock<Mutex<HashMap<&str, Verdict>>> =
        LazyLock::new(Mutex::default);
    let name = type_name::<F>();
    let verdict =
        Arc::clone(VERDICTS.lock().expect("verdicts").entry(name).or_default());
    let passed = verdict.get_or_init(|| {
        let before = QUIET.replace(true);
        let outcome = catch_unwind(AssertUnwindSafe(ground));
        QUIET.set(before);
        outcome.is_ok()
    });
    if !passed {
        if !QUIET.get() {
            let short = name.rsplit("::").next().unwrap_or(name);
            println!("not checked: mend {short} first");
        }
        end_test()
    }
}

thread_local! {
    /// Whether this thread runs a check only to learn its verdict.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Fails the test without the "panicked at" of a panic: the report says all there is
/// to say.
fn end_test() -> ! {
    resume_unwind(Box::new("reported"))
}

/// A panic of the program under test, found in what it printed.
struct Panic {
    message: String,
    place: String,
    /// Its first two lines, as they were printed.
    text: String,
}

impl Panic {
    /// The first panic whose message is not `caused`. Where that is a numbered gap,
    /// the one with the lowest number: which of several threads comes to its gap
    /// first is chance.
    fn find(stderr: &str, caused: &str) -> Option<Panic> {
        let mut panics = Panic::all(stderr).into_iter();
        let first = panics.find(|panic| panic.message != caused)?;
        if first.gap().is_none() {
            return Some(first);
        }
        let gaps = panics.filter(|panic| panic.gap().is_some());
        std::iter::once(first).chain(gaps).min_by_key(Panic::gap)
    }

    fn all(stderr: &str) -> Vec<Panic> {
        let mut panics = Vec::new();
        let mut lines = stderr.lines();
        while let Some(line) = lines.next() {
            let Some((_, place)) = line
                .strip_prefix("thread '")
                .and_then(|line| line.split_once(" panicked at "))
            else {
                continue;
            };
            let place = place.trim_end_matches(':');
            let message = lines.next().unwrap_or_default();
            panics.push(Panic {
                text: format!("{line}\n{message}"),
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

    /// The number of a gap: 3 in `todo!("(3 of 5) …")`.
    fn gap(&self) -> Option<u32> {
        let gap = self.message.strip_prefix("not yet implemented: (")?;
        gap.split_once(" of ")?.0.parse().ok()
    }
}

/// The first steps and the last: a check that tries many things would fill the
/// screen.
fn shown_steps(steps: &[String]) -> String {
    const FIRST: usize = 2;
    const LAST: usize = 6;
    if steps.len() <= FIRST + 1 + LAST {
        return steps.join("; ");
    }
    let (first, last) = (&steps[..FIRST], &steps[steps.len() - LAST..]);
    let left_out = steps.len() - FIRST - LAST;
    let (first, last) = (first.join("; "), last.join("; "));
    format!("{first}; … {left_out} more steps …; {last}")
}

fn row(out: &mut String, label: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    for (index, line) in text.lines().enumerate() {
        let label = if index == 0 { label } else { "" };
        let line = format!("  {label:<INDENT$}{line}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Wraps words into lines that leave room for `indent` columns; keeps line ends.
fn wrap(text: &str, indent: usize) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let width = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && width > WIDTH - indent {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// The anchor of the section of a page in which these words come first.
fn section_with(page: &str, words: &str) -> Option<String> {
    let (before, _) = page.split_once(words)?;
    let heading = before
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("## "))?;
    if let Some((_, id)) = heading.split_once("{#") {
        return Some(id.trim_end_matches('}').to_owned());
    }
    let kept = heading.chars().filter_map(|sign| match sign {
        ' ' => Some('-'),
        '-' | '_' => Some(sign),
        sign => sign.is_alphanumeric().then(|| sign.to_ascii_lowercase()),
    });
    Some(kept.collect())
}

/// A path as a person meant it who typed it at the top of the workspace: milestones
/// run in the folder of their chapter.
fn in_workspace(path: &Path) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The text with a capital letter at its beginning.
fn as_sentence(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

/// The last lines of what a program printed, without the backtrace that a panic may
/// print.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take_while(|line| !line.starts_with("stack backtrace:"))
        .collect();
    let from = lines.len().saturating_sub(count);
    lines[from..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(stderr: &str) -> String {
        let check = Check::new(Path::new("program"), "chapter02", "bytes come back")
            .read_on("02-echo", "echo")
            .by_hand("printf x | nc -N 127.0.0.1 {port}");
        check.step("connect");
        let failure = Failure {
            problem: "Nothing came back.".to_owned(),
            stderr: stderr.to_owned(),
            ..Failure::default()
        };
        check.text(failure, Location::caller())
    }

    #[test]
    fn a_report_says_what_was_tried_and_where_to_read() {
        let text = failing("");
        assert!(text.starts_with("\nNothing came back.\n"), "{text}");
        assert!(text.contains("  checked   bytes come back\n"), "{text}");
        assert!(text.contains("  tried     connect\n"), "{text}");
        assert!(text.contains("cargo run -p chapter02\n"), "{text}");
        assert!(text.contains("printf x | nc -N 127.0.0.1 7878\n"), "{text}");
        assert!(text.contains("book/src/02-echo.md#echo"), "{text}");
        assert!(!text.contains("sent"), "an empty row is left out: {text}");
    }

    #[test]
    fn a_gap_comes_first_in_words() {
        let text = failing(
            "thread 'main' (7) panicked at chapters/02-echo/src/main.rs:31:5:\n\
             not yet implemented: send every byte back\nnote: run with\n",
        );
        let first = "\nStill to be written: send every byte back (chapters/02-echo/src/main.rs:31)\n";
        assert!(text.starts_with(first), "{text}");
    }

    #[test]
    fn a_gap_leads_to_its_section() {
        let page = "# 02\n\n## One: begin\n\ntext\n\n## Where it ends\n\n**Gap 1** is\n\n## Next\n";
        let section = section_with(page, "**Gap 1**");
        assert_eq!(section.as_deref(), Some("where-it-ends"));
        assert_eq!(section_with(page, "**Gap 2**"), None);
        let page = "## A job that panics {#panics}\n\n(**Gap 2**).\n";
        assert_eq!(section_with(page, "**Gap 2**").as_deref(), Some("panics"));
    }

    #[test]
    fn a_panic_comes_first_with_its_place() {
        let text = failing("thread 'main' panicked at src/main.rs:9:40:\noh no\n");
        let first = "\nThe program panicked: oh no (src/main.rs:9)\n";
        assert!(text.starts_with(first), "{text}");
    }

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
        let stderr = "\nthread 'a' (1) panicked at src/a.rs:1:2:\nnot yet implemented: (3 of 4) later\n\
                      \nthread 'b' (2) panicked at src/b.rs:3:4:\nnot yet implemented: (2 of 4) first\n";
        let found = Panic::find(stderr, "").expect("a panic");
        assert_eq!(found.message, "not yet implemented: (2 of 4) first");
        assert_eq!(found.place, "src/b.rs:3");
        assert!(found.text.starts_with("thread 'b'"), "{}", found.text);
        assert!(found.text.ends_with("(2 of 4) first"), "{}", found.text);
    }

    #[test]
    fn long_text_is_wrapped_between_words() {
        let text = wrap(&"word ".repeat(40), INDENT);
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.len() <= WIDTH - INDENT));
    }

    #[test]
    fn of_many_steps_the_first_and_the_last_are_shown() {
        let steps: Vec<String> = (0..20).map(|step| step.to_string()).collect();
        assert_eq!(shown_steps(&steps[..3]), "0; 1; 2");
        let shown = "0; 1; … 12 more steps …; 14; 15; 16; 17; 18; 19";
        assert_eq!(shown_steps(&steps), shown);
    }

    #[test]
    fn a_program_is_named_as_seen_from_the_top_of_the_workspace() {
        assert!(in_workspace(Path::new("tests/harness/Cargo.toml")).is_file());
        let absolute = std::env::temp_dir();
        assert_eq!(in_workspace(&absolute), absolute);
    }

    fn good() {}

    fn bad() {
        Check::new(Path::new("x"), "chapter02", "x").fail("no", "no");
    }

    #[test]
    fn a_check_rests_on_its_ground() {
        after(good);
        assert!(catch_unwind(|| after(bad)).is_err());
        assert!(catch_unwind(|| after(bad)).is_err(), "the verdict is kept");
    }
}
