//! The book keeps its promises, and the checks that say so can fail.

use std::fs;

use course::dev::book::problems;
use course::screen::expect_none;
use course::{Chapter, Course};

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{MadeUp, data, has};

#[test]
fn the_book_keeps_its_promises() {
    expect_none(problems(&Course::of_this_package()));
}

fn read(path: &str) -> String {
    let path = Course::of_this_package().root().join(path);
    fs::read_to_string(path).expect("it is readable")
}

#[test]
fn the_introduction_names_the_oldest_rust_that_will_do() {
    let manifest = read("Cargo.toml");
    let (_, rest) = manifest
        .split_once("rust-version = \"")
        .expect("it has one");
    let version = rest.split('"').next().expect("it has an end");
    let introduction = read("book/src/introduction.md");
    has(&introduction, &format!("**Rust** {version} or later"));
}

#[test]
fn old_addresses_of_pages_lead_on() {
    let settings = read("book/book.toml");
    // Later chapters never had another address.
    for chapter in Chapter::planned().take(12) {
        let (package, name) = (chapter.package(), chapter.name());
        has(
            &settings,
            &format!("\n\"/{package}.html\" = \"{name}.html\"\n"),
        );
        assert!(Course::of_this_package().page(chapter).is_file(), "{name}");
    }
}

/// What is wrong with the made-up book if words, which are there once, on its page or
/// in its figure, are replaced.
fn complaints(right: &str, wrong: &str) -> String {
    let made_up = MadeUp::empty("book");
    made_up.add("book.txt");
    let files = ["book/src/page.md", "book/src/figures/a.svg"];
    let has_it = |path: &&&str| made_up.read(path).contains(right);
    let path = files
        .iter()
        .find(has_it)
        .unwrap_or_else(|| panic!("{right:?}"));
    assert_eq!(
        made_up.read(path).matches(right).count(),
        1,
        "{right:?} in {path}"
    );
    made_up.replace(path, right, wrong);
    problems(&made_up.course)
        .expect("it is readable")
        .join("\n")
}

#[test]
fn a_good_page_has_no_problems() {
    assert_eq!(complaints("# Page", "# Page"), "");
    assert_eq!(complaints("Read the", "Justice, uneasy; read the"), "");
}

#[test]
fn each_fault_is_seen() {
    for fault in data("faults.txt").lines() {
        let fault = fault.replace("\\n", "\n").replace("\\t", "\t");
        let parts: Vec<&str> = fault.split(" => ").collect();
        let [right, wrong, complaint] = parts[..] else {
            // A heading.
            assert_eq!(parts.len(), 1, "{fault}");
            continue;
        };
        let said = complaints(right, wrong);
        has(&said, complaint);
        assert_eq!(
            said.lines().count(),
            1,
            "one fault, and more than that: {said}"
        );
    }
}

#[test]
fn a_page_outside_of_the_summary_is_seen() {
    let made_up = MadeUp::empty("book");
    made_up.write("book/src/SUMMARY.md", "[Gone](gone.md)\n");
    made_up.write("book/src/lost.md", "# Lost\n");
    let said = problems(&made_up.course)
        .expect("it is readable")
        .join("\n");
    has(&said, "gone.md leads nowhere");
    has(&said, "does not lead to lost.md");
}

#[test]
fn a_section_that_a_milestone_leads_to_and_that_is_not_there_is_seen() {
    let made_up = MadeUp::new();
    made_up.write("tests/01-bind.rs", "report().read(\"the-end\")");
    let lacks = "book/src/01-bind.md has no the-end, where tests/01-bind.rs leads";
    for (text, complaint) in [
        // A page that is no more than its heading is still to be written.
        ("", ""),
        ("\nText.\n\n## The end\n", ""),
        ("\nText.\n\n## An end\n", lacks),
    ] {
        made_up.write("book/src/01-bind.md", &format!("# 01 A greeting\n{text}"));
        let said = problems(&made_up.course).expect("it is readable");
        assert_eq!(said.join("\n"), complaint);
    }
}
