//! Every compiler error that the book shows is still what rustc says.

use course::dev::errors::problems;
use course::layout::Course;

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{MadeUp, has};

#[test]
fn every_shown_error_is_refused_with_its_code() {
    let problems = problems(&Course::of_this_package())
        .expect("tests/errors is readable and rustc runs");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// A made-up course of one chapter with one file, and what the checker says about it.
fn complaint(name: &str, source: &str, rendered: &str) -> String {
    let made_up = MadeUp::empty("errors");
    let path = format!("tests/errors/01-bind/{name}");
    made_up.write(&format!("{path}.rs"), source);
    if !rendered.is_empty() {
        made_up.write(&format!("{path}.txt"), rendered);
    }
    let problems = problems(&made_up.course);
    problems.map_or_else(|error| error, |problems| problems.join("\n"))
}

const MISMATCH: &str = "fn main() {\n    let port: u16 = \"7878\";\n}\n";

#[test]
fn the_checker_accepts_what_is_right() {
    assert_eq!(complaint("E0308-port", MISMATCH, "error[E0308]: x\n"), "");
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let shown = "error[E0308]: x\n";
    let sees = |name, source, rendered, words| {
        has(&complaint(name, source, rendered), words);
    };
    sees("E0308-fine", "fn main() {}\n", shown, "it compiles");
    sees("E0599-port", MISMATCH, shown, "rustc gave E0308");
    sees("E0308-syntax", "fn main( {}\n", shown, "without a code");
    sees("E0308-none", MISMATCH, "", "its .txt is missing");
    sees("E0308-stale", MISMATCH, "error[E0599]: x\n", "shows E0599");
    sees("port", MISMATCH, shown, "must begin with the code");
}
