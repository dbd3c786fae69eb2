//! All is where it belongs, and starters come from the solutions before them: each
//! builds without a warning, and fails its milestone for the reason in its note.

use std::time::Duration;

use course::dev::{derive, starters, tree};
use course::screen::{expect_none, note, strict};
use course::{Chapter, Course};

fn course() -> Course {
    Course::of_this_package()
}

/// The starters as they were handed out; a learner's chapters are passed over.
fn handed_out() -> Vec<Chapter> {
    starters::handed_out(&course(), strict()).expect("the chapters can be read")
}

#[test]
fn every_chapter_is_complete() {
    expect_none(tree::incomplete(&course()));
}

#[test]
fn every_chapter_is_a_member_of_the_workspace() {
    expect_none(tree::members(&course()));
}

#[test]
fn solutions_mirror_starters_path_for_path() {
    expect_none(tree::not_mirrored(&course(), &handed_out()));
}

#[test]
fn nothing_but_the_harness_has_dependencies() {
    expect_none(tree::dependencies(&course(), &handed_out()));
}

#[test]
fn only_the_names_that_belong_there_are_at_the_root() {
    match tree::at_the_root(&course(), strict()) {
        Some(complaints) => expect_none(Ok(complaints)),
        None => note(
            "passed over: the names at the root, in a folder that git does not know",
        ),
    }
}

#[test]
fn every_starter_derives_from_the_solution_before() {
    expect_none(derive::complaints(&course(), &handed_out()));
}

#[test]
fn every_starter_has_its_fingerprint() {
    expect_none(starters::complaints(&course(), strict()));
}

#[test]
fn every_starter_builds_and_fails_for_the_intended_reason() {
    let handed_out = handed_out();
    for chapter in course().chapters() {
        if !handed_out.contains(&chapter) {
            let name = chapter.name();
            note(&format!(
                "passed over: chapters/{name}, which somebody has edited"
            ));
        }
    }
    let deadline = Duration::from_secs(10);
    expect_none(starters::not_red(&course(), &handed_out, deadline));
}
