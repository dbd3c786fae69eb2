//! What a report names as the cause: of all that is known, what tells most.

use std::process::ExitStatus;

use crate::check::Check;
use crate::hints;
use crate::machine::{self, Fault};
use crate::panics::Panic;
use crate::report::{Failure, Symptom};
use crate::text::as_sentence;

/// Why a program ended that nothing had asked to end, unless the check knows more.
const ENDED: &str = "the loop over connections has ended, through a return, a break, \
                     or a ? that carried one client's error out of it; or something \
                     called process::exit().";
/// Why a program ended that has said on stderr that its stack was full, and what it
/// says then.
const OVERFLOWED: &str = "a function calls itself without an end. Does what it gets \
                          become smaller each time, down to a case in which it \
                          doesn't call itself?";
const OVERFLOW: &str = "has overflowed its stack";
/// Why a program panicked.
const UNWRAPPED: &str = "an error that a program should handle reached unwrap(), \
                         expect(), assert!(), an index out of range or a subtraction \
                         below zero";

/// What is known of the program when something fails.
pub(crate) struct Known {
    /// How it ended, if it did.
    pub(crate) exit: Option<ExitStatus>,
    /// Whether it was started as a server, for clients.
    pub(crate) was_started: bool,
    /// All that it has printed on stderr.
    pub(crate) stderr: String,
}

/// What a report names as the cause.
pub(crate) struct Cause {
    /// The first sentence of the report.
    pub(crate) first: String,
    /// What a client saw of it, unless that is the first sentence.
    pub(crate) seen: String,
    pub(crate) likely: String,
    pub(crate) section: String,
    pub(crate) panic: Option<Panic>,
}

impl Cause {
    pub(crate) fn find(check: &Check, failure: &mut Failure, known: &Known) -> Cause {
        let problem = std::mem::take(&mut failure.problem);
        let likely = std::mem::take(&mut failure.likely);
        let section = check.section.clone();
        let cause = |first, seen, likely| Cause {
            first,
            seen,
            likely,
            section: section.clone(),
            panic: None,
        };
        if failure.symptom == Symptom::Machine {
            return cause(problem, String::new(), likely);
        }
        if failure.symptom != Symptom::Wrong
            && let Some(fault) = Fault::find()
        {
            return cause(fault.problem, problem, fault.likely);
        }
        let told = (check.told.as_ref())
            .filter(|[words, _]| known.stderr.contains(words.as_str()))
            .map(|[_, likely]| likely.clone());
        // A gap that comes later may be reached although an earlier one is half done,
        // which the program has told.
        if let Some(panic) = Panic::find(&known.stderr, &check.caused)
            && (told.is_none() || panic.gap().is_none())
        {
            return Cause::of_panic(
                check,
                panic,
                problem,
                &likely,
                known.was_started,
            );
        }
        let likely = match machine::low_limit() {
            Some(low)
                if !check.has_few_files() && hints::is_emfile(&known.stderr) =>
            {
                format!("{low}. {}", as_sentence(&likely))
            }
            _ => likely,
        };
        match known.exit.filter(|_| !check.may_end()) {
            Some(exit) => {
                let because = match failure.symptom {
                    Symptom::Lost => ENDED.to_owned(),
                    _ => likely,
                };
                let overflowed = known.stderr.contains(OVERFLOW);
                let likely = told
                    .or_else(|| overflowed.then(|| OVERFLOWED.to_owned()))
                    .or_else(|| check.ended.clone())
                    .unwrap_or(because);
                let first = format!(
                    "The program ended ({exit}) when it should have gone on."
                );
                cause(first, problem, likely)
            }
            None => {
                let likely = told.unwrap_or(likely);
                cause(problem, String::new(), likely)
            }
        }
    }

    fn of_panic(
        check: &Check,
        panic: Panic,
        seen: String,
        likely: &str,
        was_started: bool,
    ) -> Cause {
        let place = &panic.place;
        let mut section = check.section.clone();
        let (first, likely) = if let Some(gap) = panic.gap() {
            if let Some(number) = panic.gap_number()
                && let Some(of_gap) = check.gaps.get(number.wrapping_sub(1))
            {
                section = (*of_gap).to_owned();
            }
            (
                format!("Still to be written: {gap} ({place})"),
                format!("open {place} and write what the todo!() there asks for."),
            )
        } else {
            let message = &panic.message;
            let likely = if message.starts_with("failed to spawn thread") {
                "thread::spawn panics if the system has no thread to give. \
                 thread::Builder::new().spawn() returns that as an error, which the \
                 program can survive. In a scope, these are scope.spawn and \
                 spawn_scoped()."
                    .to_owned()
            } else if was_started {
                let rule = "Nothing that a client does may end the server.";
                format!("{UNWRAPPED}. {rule}")
            } else {
                // No client was there yet; the check knows more.
                format!(
                    "{UNWRAPPED}: say in words what is wrong, with match or if let. \
                     {}",
                    as_sentence(likely)
                )
            };
            (format!("The program panicked: {message} ({place})"), likely)
        };
        Cause {
            first,
            seen,
            likely,
            section,
            panic: Some(panic),
        }
    }
}
