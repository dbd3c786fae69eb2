//! Every wrong answer is rejected by the check meant for it, and every right one passes.
//!
//! `COURSE_ONLY=wrong/chapter02/one-read cargo test -p course --test answers` judges those whose
//! path contains this.

use std::time::Duration;

use course::Course;
use course::answers::{Kind, Proof, find, milestones};
use course::screen::{count, expect_none, note};

/// A milestone takes two seconds and waits four at most for any one thing; this is for a machine
/// with much else to do.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn wrong_answers_are_rejected_and_right_ones_pass() {
    let course = Course::of_this_package();
    let chapters = course.solutions();
    let only = std::env::var("COURSE_ONLY").unwrap_or_default();
    let mut answers = find(&course, Kind::Wrong, &chapters).expect("the wrong answers can be read");
    answers.extend(find(&course, Kind::Right, &chapters).expect("the right answers can be read"));
    answers.retain(|answer| answer.shown.contains(&only));
    assert!(
        only.is_empty() || !answers.is_empty(),
        "no answer has `{only}` in its path"
    );

    let milestones = milestones(&course, &chapters).expect("the milestones can be built");
    let proof = Proof::new(&course, &milestones, DEADLINE);
    let outcome = proof.prove(&answers);
    if only.is_empty() {
        proof
            .tidy(&outcome.folders)
            .expect("what was built before can be removed");
    }
    note(&format!(
        "{} judged in {:.1} s, {} built anew; {}",
        count(answers.len(), "answer"),
        outcome.took.as_secs_f64(),
        outcome.built,
        match outcome.complaints.len() {
            0 => "all as they should be".to_owned(),
            not => format!("{not} not as they should be"),
        }
    ));
    expect_none(&outcome.complaints);
}
