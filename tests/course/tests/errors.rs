//! Every compiler error that the book shows is still what rustc says.

use std::fs;

use course::dev::errors::{compile, problems};
use course::layout::Course;
use course::work::Scratch;

#[test]
fn every_shown_error_is_refused_with_its_code() {
    let problems = problems(&Course::of_this_package())
        .expect("tests/errors is readable and rustc runs");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// A made-up course of one chapter with one file, and what the checker says about it.
fn complaint(name: &str, source: &str, rendered: &str) -> String {
    let root = Scratch::new("errors-test").expect("a scratch folder");
    let folder = root.path().join("tests/errors/01-bind");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name).with_extension("rs"), source).expect("a file");
    if !rendered.is_empty() {
        fs::write(folder.join(name).with_extension("txt"), rendered).expect("a file");
    }
    let course = Course::at(root.path(), root.path());
    problems(&course).map_or_else(|error| error, |problems| problems.join("\n"))
}

const MISMATCH: &str = "fn main() {\n    let port: u16 = \"7878\";\n}\n";

#[test]
fn the_checker_accepts_what_is_right() {
    assert_eq!(complaint("E0308-port", MISMATCH, "error[E0308]: x\n"), "");
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let says = |complaint: String, words: &str| {
        assert!(complaint.contains(words), "{complaint:?} lacks {words:?}");
    };
    let shown = "error[E0308]: x\n";
    says(
        complaint("E0308-fine", "fn main() {}\n", shown),
        "it compiles",
    );
    says(complaint("E0599-port", MISMATCH, shown), "rustc gave E0308");
    says(
        complaint("E0308-syntax", "fn main( {}\n", shown),
        "without a code",
    );
    says(complaint("E0308-none", MISMATCH, ""), "its .txt is missing");
    says(
        complaint("E0308-stale", MISMATCH, "error[E0599]: x\n"),
        "shows E0599",
    );
    says(
        complaint("port", MISMATCH, shown),
        "must begin with the code",
    );
}

#[test]
fn output_is_fit_for_a_page() {
    let scratch = Scratch::new("errors-test").expect("a scratch folder");
    let file = scratch.path().join("E0308-port.rs");
    fs::write(&file, MISMATCH).expect("a file");
    let rendered = compile(&file).expect("rustc runs").rendered;
    assert!(rendered.contains("--> src/main.rs:2:21"), "{rendered}");
    assert!(!rendered.contains("aborting"), "{rendered}");
    assert!(!rendered.contains('\u{1b}'), "{rendered}");
}
