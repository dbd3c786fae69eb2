//! All is where it belongs, and starters come from the solutions before them.

use course::dev::{derive, starters, tree};
use course::screen::{expect_none, note, strict};
use course::{Chapter, Course};

fn course() -> Course {
    Course::of_this_package()
}

/// The starters as they were handed out; a learner's chapters are passed over.
fn handed_out() -> Vec<Chapter> {
    starters::pristine(&course(), strict())
        .expect("the chapters can be read")
        .0
}

#[test]
fn every_chapter_is_complete() {
    expect_none(&tree::incomplete(&course()).expect("the tree can be read"));
}

#[test]
fn every_chapter_is_a_member_of_the_workspace() {
    expect_none(&tree::members(&course()).expect("the tree can be read"));
}

#[test]
fn solutions_mirror_starters_path_for_path() {
    expect_none(
        &tree::not_mirrored(&course(), &handed_out()).expect("the tree can be read"),
    );
}

#[test]
fn nothing_but_the_harness_has_dependencies() {
    expect_none(
        &tree::dependencies(&course(), &handed_out())
            .expect("the manifests can be read"),
    );
}

#[test]
fn only_the_names_that_belong_there_are_at_the_root() {
    match tree::at_the_root(&course(), strict()) {
        Some(complaints) => expect_none(&complaints),
        None => note(
            "passed over: the names at the root, because git does not know this folder",
        ),
    }
}

#[test]
fn every_starter_derives_from_the_solution_before() {
    expect_none(
        &derive::complaints(&course(), &handed_out())
            .expect("the chapters can be read"),
    );
}

#[test]
fn every_starter_has_its_fingerprint() {
    expect_none(
        &starters::complaints(&course(), strict()).expect("the chapters can be read"),
    );
}
