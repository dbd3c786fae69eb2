//! Checks that rest on earlier ones. Each check is run once, whichever thread asks
//! for its outcome first, so that there is one outcome and never two that disagree.

use std::any::type_name;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, LazyLock, Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::libtest;

/// How long a check waits for another to begin that libtest has begun already.
const BEGINNING: Duration = Duration::from_secs(5);
/// How long a check waits for the one that it rests on. Each wait in a check has a
/// deadline of a few seconds; on a busy machine several of them add up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lets a check rest on an earlier one: if that one fails, this one only says so.
///
/// If libtest runs the earlier check as well, its outcome is awaited. If not, as with
/// `--exact`, it's run here, without printing its report, and its outcome is kept for
/// all other checks that rest on it.
pub fn after<F: Fn() + Copy>(ground: F) {
    enter();
    let name = type_name::<F>();
    // Libtest knows a test by its path inside the crate.
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    let why = match OUTCOMES.of(name, || run_quietly(ground)) {
        Some(Outcome::Passed) => return,
        Some(_) => format!("not checked: fix {name} first"),
        None => format!("not checked: {name} didn't come to its end in {PATIENCE:?}"),
    };
    if !is_quiet() {
        println!("{why}");
    }
    end_test()
}

/// Notes which check libtest runs in this thread, so that others can wait for its
/// outcome. Each check calls this before it does anything else.
pub(crate) fn enter() {
    let known = DIRECT.with_borrow(Option::is_some);
    let thread = thread::current();
    let Some(name) = thread
        .name()
        .filter(|name| !known && !is_quiet() && libtest::runs(name))
    else {
        return;
    };
    count_panics();
    match OUTCOMES.begin(name) {
        // It has been run already, because libtest came to it late.
        Some(Outcome::Failed(report)) => {
            println!("{report}");
            end_test()
        }
        Some(_) => {}
        None => DIRECT.set(Some(Direct {
            name: name.to_owned(),
            failed: None,
        })),
    }
}

/// Ends the check of this thread with this report.
pub(crate) fn fail(report: String) -> ! {
    if is_quiet() {
        REPORT.set(report);
    } else {
        println!("{report}");
        DIRECT.with_borrow_mut(|direct| {
            if let Some(direct) = direct {
                direct.failed = Some(report);
            }
        });
    }
    end_test()
}

/// Whether this thread runs a check only to learn its outcome.
pub(crate) fn is_quiet() -> bool {
    QUIET.get()
}

/// Fails the test without the "panicked at" of a panic: the report says all there is
/// to say.
fn end_test() -> ! {
    DIRECT.with_borrow_mut(|direct| {
        if let Some(direct) = direct.as_mut().filter(|_| !is_quiet()) {
            direct.failed.get_or_insert_default();
        }
    });
    resume_unwind(Box::new("reported"))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The report of the check that failed last in this thread, if it was quiet.
    static REPORT: RefCell<String> = const { RefCell::new(String::new()) };
    /// Dropped with the thread: libtest gives each test a thread of its own.
    static DIRECT: RefCell<Option<Direct>> = const { RefCell::new(None) };
}

/// A check that libtest itself runs in this thread.
struct Direct {
    name: String,
    failed: Option<String>,
}

impl Drop for Direct {
    fn drop(&mut self) {
        let outcome = match self.failed.take() {
            Some(report) => Outcome::Failed(report),
            None => Outcome::Passed,
        };
        OUTCOMES.settle(&self.name, outcome);
    }
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// With its report.
    Failed(String),
}

/// The checks of this process that have begun, and how those ended that have.
#[derive(Default)]
struct Outcomes {
    begun: Mutex<HashMap<String, Option<Outcome>>>,
    news: Condvar,
}

static OUTCOMES: LazyLock<Outcomes> = LazyLock::new(Outcomes::default);

impl Outcomes {
    /// The outcome of a check: awaited, or found out with `run` if no other thread
    /// does that. `None` if it doesn't come in time.
    fn of(&self, name: &str, run: impl FnOnce() -> Outcome) -> Option<Outcome> {
        let begin = Instant::now();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let patience = match begun.get(name) {
                Some(Some(outcome)) => return Some(outcome.clone()),
                Some(None) => PATIENCE,
                None if comes_before_this(name) => BEGINNING,
                None => break,
            };
            let left = patience.saturating_sub(begin.elapsed());
            if left.is_zero() {
                match begun.contains_key(name) {
                    true => return None,
                    false => break,
                }
            }
            let waited = self.news.wait_timeout(begun, left);
            begun = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        begun.insert(name.to_owned(), None);
        drop(begun);
        let outcome = run();
        self.settle(name, outcome.clone());
        Some(outcome)
    }

    /// Notes that a check begins. If another thread runs it, or has done so, waits
    /// for its outcome and returns that.
    fn begin(&self, name: &str) -> Option<Outcome> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if !begun.contains_key(name) {
            begun.insert(name.to_owned(), None);
            return None;
        }
        drop(begun);
        self.of(name, || Outcome::Passed)
    }

    fn settle(&self, name: &str, outcome: Outcome) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.insert(name.to_owned(), Some(outcome));
        self.news.notify_all();
    }
}

fn run_quietly(check: impl Fn()) -> Outcome {
    let before = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(check));
    QUIET.set(before);
    match outcome {
        Ok(()) => Outcome::Passed,
        Err(_) => Outcome::Failed(REPORT.take()),
    }
}

/// The report with which something ends that is done as a check does it, if it fails.
#[cfg(test)]
pub(crate) fn report_of(check: impl Fn()) -> Option<String> {
    match run_quietly(check) {
        Outcome::Passed => None,
        Outcome::Failed(report) => Some(report),
    }
}

/// Lets a check count as failed that panics by itself, without a report.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let _ = DIRECT.try_with(|direct| {
                let mut direct = direct.try_borrow_mut();
                if let Ok(Some(direct)) = direct.as_deref_mut().map(Option::as_mut)
                    && !is_quiet()
                {
                    direct.failed.get_or_insert_with(|| panic.to_string());
                }
            });
            before(panic);
        }));
    });
}

/// Whether libtest begins a check before the one of this thread: it goes by the
/// names.
fn comes_before_this(name: &str) -> bool {
    let this_is_later = DIRECT.with_borrow(|direct| {
        (direct.as_ref()).is_some_and(|direct| name < direct.name.as_str())
    });
    this_is_later && !libtest::is_shuffled() && libtest::runs(name)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn good() {}

    fn bad() {
        fail("no".to_owned());
    }

    #[test]
    fn a_check_rests_on_its_ground() {
        after(good);
        // In a thread of its own, so that this test doesn't count as failed.
        let fails = || thread::spawn(|| after(bad)).join().is_err();
        assert!(fails());
        assert!(fails(), "the outcome is kept");
    }

    static RUNS: AtomicU32 = AtomicU32::new(0);

    /// Fails the first time, and would pass the second time.
    fn by_luck() {
        thread::sleep(Duration::from_millis(30));
        if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
            fail("bad luck".to_owned());
        }
    }

    #[test]
    fn a_ground_that_passes_by_luck_has_one_outcome() {
        let threads: Vec<_> =
            (0..4).map(|_| thread::spawn(|| after(by_luck))).collect();
        let ends: Vec<bool> = (threads.into_iter())
            .map(|thread| thread.join().is_err())
            .collect();
        assert_eq!(ends, [true; 4]);
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    }
}
