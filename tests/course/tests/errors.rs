//! Every compiler error that the book shows is still what rustc says.

use course::Course;
use course::dev::errors::problems;
use course::screen::expect_none;

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{MadeUp, has};

#[test]
fn every_shown_error_is_refused_with_its_code() {
    expect_none(problems(&Course::of_this_package()));
}

#[test]
fn the_checker_accepts_what_is_right_and_sees_what_is_wrong() {
    let mismatch = "fn main() {\n    let port: u16 = \"7878\";\n}\n";
    let shown = "error[E0308]: x\n";
    for (name, source, rendered, complaint) in [
        ("E0308-port", mismatch, shown, ""),
        ("E0308-fine", "fn main() {}\n", shown, "it compiles"),
        ("E0599-port", mismatch, shown, "rustc gave E0308"),
        ("E0308-syntax", "fn main( {}\n", shown, "without a code"),
        ("E0308-none", mismatch, "", "its .txt is missing"),
        ("E0308-stale", mismatch, "error[E0599]: x\n", "shows E0599"),
        ("port", mismatch, shown, "must begin with the code"),
    ] {
        let made_up = MadeUp::empty("errors");
        made_up.write(&format!("tests/errors/01-bind/{name}.rs"), source);
        if !rendered.is_empty() {
            made_up.write(&format!("tests/errors/01-bind/{name}.txt"), rendered);
        }
        let problems = problems(&made_up.course);
        let said =
            problems.map_or_else(|error| error, |problems| problems.join("\n"));
        has(&said, complaint);
        assert_eq!(said.is_empty(), complaint.is_empty(), "{said}");
    }
}
