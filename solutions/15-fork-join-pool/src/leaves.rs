//! A fork/join that does nothing, and is there to be watched: its leaves wait, meet or
//! panic as the client asks.

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
enum Leaf {
    Now,
    Wait(Duration),
    Meet(usize),
    Panic,
}

/// Leaves to be run by one fork/join.
#[derive(Debug, Clone)]
pub struct Leaves {
    leaves: Vec<Leaf>,
    meetings: Arc<Meetings>,
}

impl Leaves {
    /// Reads what the leaves are to do: `now`, `wait-MS`, `meet-SIZE` or `panic`.
    ///
    /// # Errors
    ///
    /// Refuses any other word, no leaves, and too many.
    pub fn parse(
        words: &[String],
        meetings: &Arc<Meetings>,
    ) -> Result<Leaves, Refusal> {
        let leaves: Option<_> = words.iter().map(|word| Leaf::parse(word)).collect();
        match leaves {
            Some(leaves) if (1..=MOST).contains(&words.len()) => Ok(Leaves {
                leaves,
                meetings: Arc::clone(meetings),
            }),
            _ => Err(Refusal::bad_request(
                "a leaf is now, wait-MS, meet-SIZE or panic",
            )),
        }
    }

    /// Runs the first leaf here, and forks the others off together. Returns whether all
    /// that wanted to meet have met.
    pub fn join(mut self) -> bool {
        let rest = self.leaves.split_off(1);
        if rest.is_empty() {
            return self.run(self.leaves[0]);
        }
        let others = Leaves {
            leaves: rest,
            ..self.clone()
        };
        let (first, others) = join(|| self.run(self.leaves[0]), || others.join());
        first && others
    }

    fn run(&self, leaf: Leaf) -> bool {
        match leaf {
            Leaf::Now => true,
            Leaf::Wait(time) => {
                thread::sleep(time.min(LONGEST));
                true
            }
            Leaf::Meet(size) => self.meetings.join(size, PATIENCE),
            Leaf::Panic => panic!("a leaf panics, as it was asked to"),
        }
    }
}

impl Leaf {
    fn parse(word: &str) -> Option<Leaf> {
        match word.split_once('-') {
            None if word == "now" => Some(Leaf::Now),
            None if word == "panic" => Some(Leaf::Panic),
            Some(("wait", time)) => {
                Some(Leaf::Wait(Duration::from_millis(time.parse().ok()?)))
            }
            Some(("meet", size)) => Some(Leaf::Meet(size.parse().ok()?)),
            _ => None,
        }
    }
}
