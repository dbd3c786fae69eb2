//! Every starter builds without a warning, and fails its milestone for the reason in
//! its note.

use std::time::Duration;

use course::Course;
use course::dev::starters;
use course::screen::{expect_none, note, strict};

#[test]
fn every_starter_builds_and_fails_for_the_intended_reason() {
    let course = Course::of_this_package();
    let (handed_out, edited) =
        starters::pristine(&course, strict()).expect("the chapters can be read");
    for chapter in edited {
        note(&format!(
            "passed over: chapters/{}, because somebody has written in it",
            chapter.name()
        ));
    }
    let complaints = starters::not_red(&course, &handed_out, Duration::from_secs(10));
    expect_none(&complaints.expect("the starters can be built"));
}
