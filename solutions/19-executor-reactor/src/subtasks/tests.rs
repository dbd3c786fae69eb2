//! Who takes which subtask.

use std::sync::mpsc::{self, Receiver, Sender};

use super::Subtasks;

/// Subtasks that say their names when they're run, and what has been said.
struct Named {
    subtasks: Subtasks,
    say: Sender<&'static str>,
    said: Receiver<&'static str>,
}

impl Named {
    /// These workers' subtasks, forked off in this order.
    fn new(workers: usize, forked: &[(usize, &'static str)]) -> Named {
        let (say, said) = mpsc::channel();
        let mut subtasks = Subtasks::new(workers);
        for &(worker, name) in forked {
            let say = say.clone();
            let subtask = move || say.send(name).expect("the test listens");
            subtasks.push(worker, Box::new(subtask));
        }
        Named {
            subtasks,
            say,
            said,
        }
    }

    /// The names of what comes out as long as something does.
    fn all(
        mut self,
        mut next: impl FnMut(&mut Subtasks) -> Option<super::Job>,
    ) -> Vec<&'static str> {
        while let Some(subtask) = next(&mut self.subtasks) {
            subtask();
        }
        drop((self.say, self.subtasks));
        self.said.iter().collect()
    }
}

#[test]
fn a_thief_takes_the_oldest() {
    let forked = [(0, "oldest"), (0, "middle"), (0, "newest")];
    let stolen = Named::new(2, &forked).all(|subtasks| subtasks.steal(1));
    assert_eq!(
        stolen,
        ["oldest", "middle", "newest"],
        "what worker 1 has stolen from worker 0 (left), and what it should have \
         (right): push() adds the newest at the back, so the oldest is at the front"
    );
}

#[test]
fn a_thief_looks_at_all_others() {
    let forked = [(0, "a"), (2, "b"), (3, "c")];
    let mut stolen = Named::new(4, &forked).all(|subtasks| subtasks.steal(1));
    stolen.sort_unstable();
    assert_eq!(
        stolen,
        ["a", "b", "c"],
        "what worker 1 of 4 has stolen (left), and what it could have (right)"
    );
}

#[test]
fn a_thief_looks_into_its_own_deque_last() {
    for thief in 0..3 {
        let forked = [(thief, "its own"), ((thief + 1) % 3, "another's")];
        let stolen = Named::new(3, &forked).all(|subtasks| subtasks.steal(thief));
        assert_eq!(
            stolen,
            ["another's", "its own"],
            "what worker {thief} of 3 has stolen (left), and what it should have \
             (right). Its own deque is seldom filled when it has nothing to do, but \
             if it is, no one may be left to empty it: look there last"
        );
    }
}

#[test]
fn there_may_be_nothing_to_steal() {
    assert!(
        Named::new(1, &[])
            .all(|subtasks| subtasks.steal(0))
            .is_empty()
    );
    assert!(
        Named::new(3, &[])
            .all(|subtasks| subtasks.steal(2))
            .is_empty()
    );
}

#[test]
fn a_worker_takes_back_its_newest() {
    let forked = [
        (0, "oldest"),
        (1, "another's"),
        (0, "middle"),
        (0, "newest"),
    ];
    let taken = Named::new(2, &forked).all(|subtasks| subtasks.take_back(0));
    assert_eq!(
        taken,
        ["newest", "middle", "oldest"],
        "what worker 0 has taken back (left), and what it should have (right): the \
         newest is at the back of its own deque"
    );
}

#[test]
fn a_worker_takes_its_own_before_it_steals() {
    let forked = [
        (0, "another's"),
        (1, "older"),
        (1, "newer"),
        (2, "a third's"),
    ];
    let taken = Named::new(3, &forked).all(|subtasks| subtasks.take(1));
    assert_eq!(taken[..2], ["newer", "older"]);
    assert_eq!(taken.len(), 4, "its own, and then all others: {taken:?}");
}
