//! A fork/join that does nothing, and is there to be watched: its leaves wait, meet
//! or panic as the client asks.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::fork_join::join;
use crate::meeting::Meetings;
use crate::refusal::Refusal;

/// The most leaves that a client may ask for.
const MOST: usize = 16;
/// How long a leaf waits for others that it is to meet.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest time that a client can let a leaf wait.
const LONGEST: Duration = Duration::from_secs(10);

/// What a leaf does.
#[derive(Debug, Clone, Copy)]
enum Step {
    Nothing,
    Wait(Duration),
    Meet(usize),
    Panic,
}

/// Leaves to be run by one fork/join, each with its steps.
#[derive(Debug, Clone)]
pub struct Leaves {
    leaves: Vec<Vec<Step>>,
    meetings: Arc<Meetings>,
}

impl Leaves {
    /// Reads what each leaf is to do: `now`, `wait-MS`, `meet-SIZE`, `panic`, or
    /// several of these with a `+` between them.
    ///
    /// # Errors
    ///
    /// Refuses any other word, no leaves, and too many.
    pub fn parse(
        leaves: &[String],
        meetings: &Arc<Meetings>,
    ) -> Result<Leaves, Refusal> {
        let steps = |leaf: &String| leaf.split('+').map(Step::parse).collect();
        let parsed: Option<_> = leaves.iter().map(steps).collect();
        match parsed {
            Some(parsed) if (1..=MOST).contains(&leaves.len()) => Ok(Leaves {
                leaves: parsed,
                meetings: Arc::clone(meetings),
            }),
            _ => Err(Refusal::bad_request(
                "a leaf is now, wait-MS, meet-SIZE or panic",
            )),
        }
    }

    /// Runs the first leaf here, and forks the others off together. Returns whether
    /// all that wanted to meet have met.
    pub fn join(mut self) -> bool {
        let rest = self.leaves.split_off(1);
        if rest.is_empty() {
            return self.run_first();
        }
        let others = Leaves {
            leaves: rest,
            meetings: Arc::clone(&self.meetings),
        };
        let (first, others) = join(|| self.run_first(), || others.join());
        first && others
    }

    fn run_first(&self) -> bool {
        self.leaves[0].iter().all(|step| match *step {
            Step::Nothing => true,
            Step::Wait(time) => {
                thread::sleep(time.min(LONGEST));
                true
            }
            Step::Meet(size) => self.meetings.join(size, PATIENCE),
            Step::Panic => panic!("a leaf panics, as it was asked to"),
        })
    }
}

impl Step {
    fn parse(word: &str) -> Option<Step> {
        match word.split_once('-') {
            None if word == "now" => Some(Step::Nothing),
            None if word == "panic" => Some(Step::Panic),
            Some(("wait", time)) => {
                Some(Step::Wait(Duration::from_millis(time.parse().ok()?)))
            }
            Some(("meet", size)) => Some(Step::Meet(size.parse().ok()?)),
            _ => None,
        }
    }
}
