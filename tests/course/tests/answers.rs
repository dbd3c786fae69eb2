//! Every wrong answer is rejected by the check meant for it, and every right one
//! passes.
//!
//! `COURSE_ONLY=wrong/02-echo/one-read cargo test -p course --test answers` judges
//! those whose path contains this.

use std::collections::BTreeSet;
use std::time::Duration;

use course::Course;
use course::answers::{Kind, Outcome, Proof, find, milestones};
use course::screen::{count, expect_none, note};
use course::work::cores;

/// A milestone takes two seconds and waits four at most for any one thing; this is
/// for a machine with much else to do.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn wrong_answers_are_rejected_and_right_ones_pass() {
    let course = Course::of_this_package();
    let chapters = course.solutions();
    let milestones =
        milestones(&course, &chapters).expect("the milestones can be built");
    let proof = Proof::new(&course, &milestones, DEADLINE);
    let only = std::env::var("COURSE_ONLY").unwrap_or_default();

    let mut complaints = Vec::new();
    let mut folders = BTreeSet::new();
    let mut judged = 0;
    // To judge a wrong answer is mostly to wait for what never comes. A right one
    // keeps the whole milestone busy, and should not fail because the machine is.
    for (kind, at_once) in [(Kind::Wrong, 3 * cores()), (Kind::Right, cores())] {
        let mut answers =
            find(&course, kind, &chapters).expect("the answers can be read");
        answers.retain(|answer| answer.shown.contains(&only));
        let outcome = proof.prove(&answers, at_once);
        note(&summary(kind, answers.len(), &outcome));
        judged += answers.len();
        complaints.extend(outcome.complaints);
        folders.extend(outcome.folders);
    }
    assert!(
        only.is_empty() || judged > 0,
        "no answer has `{only}` in its path"
    );
    if only.is_empty() {
        proof
            .tidy(&folders)
            .expect("what was built before can be removed");
    }
    expect_none(&complaints);
}

fn summary(kind: Kind, number: usize, outcome: &Outcome) -> String {
    let mut summary = format!(
        "{} judged in {:.1} s, {} built anew; ",
        count(number, &format!("{} answer", kind.folder())),
        outcome.took.as_secs_f64(),
        outcome.built
    );
    match outcome.complaints.len() {
        0 => summary.push_str("all as they should be"),
        not => summary.push_str(&format!("{not} not as they should be")),
    }
    if let Some((took, answer)) = &outcome.slowest {
        summary.push_str(&format!(
            "; the slowest, {answer}, took {:.1} s",
            took.as_secs_f64()
        ));
    }
    summary
}
