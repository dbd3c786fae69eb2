//! Wrong answers are rejected by the check meant for them, and right ones pass.
//!
//! Here a few of each chapter are judged, so that `cargo test` ends while a person
//! waits. `COURSE_ANSWERS=all` judges all of them, as `.ci/run` does, and
//! `cargo course dev answers N [NAME]` those of one chapter.

use std::time::Duration;

use course::Course;
use course::dev::answers::judge;
use course::screen::{expect_none, note};

/// A milestone takes two seconds and waits four at most for any one thing; this is
/// for a machine with much else to do.
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn wrong_answers_are_rejected_and_right_ones_pass() {
    let course = Course::of_this_package();
    let all = std::env::var_os("COURSE_ANSWERS").is_some_and(|value| value == "all");
    let judged = judge(&course, &course.solutions(), "", all, DEADLINE);
    let judged = judged.expect("the answers can be judged");
    for summary in &judged.summaries {
        note(summary);
    }
    if !all {
        note("a few of each chapter were judged; COURSE_ANSWERS=all judges all");
    }
    expect_none(Ok(judged.complaints));
}
