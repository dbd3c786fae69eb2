//! The book keeps its promises, and the checks that say so can fail.

use std::fs;

use course::dev::book::problems;

#[path = "made-up/course.rs"]
mod made_up;

use course::{Chapter, Course};
use made_up::{MadeUp, has};

#[test]
fn the_book_keeps_its_promises() {
    let problems =
        problems(&Course::of_this_package()).expect("the book is readable");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_introduction_names_the_oldest_rust_that_will_do() {
    let read = |path: &str| {
        let path = Course::of_this_package().root().join(path);
        fs::read_to_string(path).expect("it is readable")
    };
    let manifest = read("Cargo.toml");
    let (_, rest) = manifest
        .split_once("rust-version = \"")
        .expect("it has one");
    let version = rest.split('"').next().expect("it has an end");
    let sentence = format!("**Rust** {version} or later");
    assert!(
        read("book/src/introduction.md").contains(&sentence),
        "{sentence}"
    );
}

#[test]
fn old_addresses_of_pages_lead_on() {
    let course = Course::of_this_package();
    let settings = fs::read_to_string(course.root().join("book/book.toml"))
        .expect("it is readable");
    // Later chapters never had another address.
    for chapter in (1..=12).map(Chapter) {
        let line = format!(
            "\"/{}.html\" = \"{}.html\"",
            chapter.package(),
            chapter.name()
        );
        assert!(settings.lines().any(|other| other == line), "{line}");
        assert!(course.page(chapter).is_file(), "{line}");
    }
}

/// A made-up book with one page besides what it needs, and what is wrong with it.
fn complaints(page: &str) -> String {
    let made_up = MadeUp::empty("book");
    for (path, text) in [
        (
            "book/src/SUMMARY.md",
            "# Summary\n[Page](page.md)\n- [Other](other.md)\n- [Draft]()\n",
        ),
        (
            "book/src/other.md",
            "# Other\n\n## Some heading\n\nterm\n: What it means.\n",
        ),
        ("book/src/page.md", page),
        (
            "book/src/figures/a.svg",
            "<svg viewBox=\"0 0 1 1\" role=\"img\" aria-labelledby=\"a\"><title id=\"a\">A</title></svg>\n",
        ),
        ("book/theme/course.css", ""),
        (
            "solutions/01-bind/src/main.rs",
            "// ANCHOR: main\nfn main() {}\n// ANCHOR_END: main\n// ANCHOR: none\n// ANCHOR_END: none\n// ANCHOR: open\n",
        ),
        ("tests/errors/01-bind/E0308-a.rs", "fn main() -> u8 {}\n"),
        (
            "tests/errors/01-bind/E0308-a.txt",
            "error[E0308]: mismatched types\n",
        ),
        ("tests/errors/01-bind/E0308-w.txt", &"x".repeat(87)),
        ("notes/a.rs", "fn main() {}\n"),
    ] {
        made_up.write(path, text);
    }
    problems(&made_up.course)
        .expect("it is readable")
        .join("\n")
}

const GOOD: &str = "\
# Page

Read the [term](other.md#term), [below](#below) or [elsewhere](https://example.com/).

<span class=\"file\">src/main.rs <b>new</b></span>

```rust
{{#include ../../solutions/01-bind/src/main.rs:main}}
```

<details>
<summary>A hint</summary>

The word `just` in code.

</details>

```rust
{{#include ../../tests/errors/01-bind/E0308-a.rs}}
```

```text
{{#include ../../tests/errors/01-bind/E0308-a.txt}}
```

```console
$ cargo test -p chapter01
```

<figure>
{{#include figures/a.svg}}
<figcaption>A figure.</figcaption>
</figure>

## Below
";

#[test]
fn a_good_page_has_no_problems() {
    assert_eq!(complaints(GOOD), "");
}

/// With `right` replaced by `wrong`, the good page gets a complaint.
#[track_caller]
fn sees(right: &str, wrong: &str, complaint: &str) {
    assert!(GOOD.contains(right), "{right:?} is not in the page");
    let said = complaints(&GOOD.replace(right, wrong));
    has(&said, complaint);
    assert!(
        !said.contains('\n'),
        "one fault, and more than one complaint: {said}"
    );
}

#[test]
fn rust_that_nobody_compiles_is_seen() {
    let include = "{{#include ../../solutions/01-bind/src/main.rs:main}}";
    sees(include, "fn main() {}", "Rust that no test compiles");
    sees(
        "```rust\n{{#include ../../sol",
        "```rust,ignore\n{{#include ../../sol",
        "is none of",
    );
    sees(
        include,
        &format!("{include}\nlet a = 1;"),
        "Rust that no test compiles",
    );
    sees(
        "{{#include ../../tests/errors/01-bind/E0308-a.rs}}",
        "{{#include ../../notes/a.rs}}",
        "is no Rust file that a test compiles",
    );
}

#[test]
fn an_include_that_shows_nothing_or_too_much_is_seen() {
    sees("main.rs:main", "main.rs:mane", "has no anchor mane");
    sees("main.rs:main", "main.rs:open", "has no anchor open");
    sees("main.rs:main", "main.rs:none", "holds nothing");
    sees("main.rs:main", "main.rs", "has anchors");
    sees("main.rs:main", "main.rs:1:2", "line numbers");
    sees(
        "{{#include figures",
        "  {{#include figures",
        "at the margin",
    );
    sees("E0308-a.txt", "E0308-b.txt", "there is no tests/errors");
    sees(
        "{{#include ../../tests/errors/01-bind/E0308-a.txt}}",
        "{{#title x}}",
        "is not used here",
    );
}

#[test]
fn what_is_wider_than_the_page_is_seen() {
    let wide = "x".repeat(87);
    let command = "$ cargo test -p chapter01";
    sees(command, &format!("$ {wide}"), "wider than the page");
    sees(
        "E0308-a.txt",
        "E0308-w.txt",
        "E0308-w.txt: this line is wider than the page: x",
    );
}

#[test]
fn a_listing_without_its_file_name_is_seen() {
    sees("src/main.rs <b>", "src/http.rs <b>", "over this listing");
    sees(
        "<span class=\"file\">src/main.rs <b>new</b></span>\n\n",
        "",
        "over this listing",
    );
}

#[test]
fn output_that_nobody_replays_is_seen() {
    sees(
        "$ cargo test -p chapter01",
        "$ echo a\na",
        "output that no test replays",
    );
    sees(
        "{{#include ../../tests/errors/01-bind/E0308-a.txt}}",
        "error[E0308]: x",
        "no test compiles",
    );
}

#[test]
fn a_code_block_without_language_or_end_is_seen() {
    sees("```console", "```", "without a language");
    sees("## Below\n", "## Below\n```text\n", "without an end");
}

#[test]
fn a_link_that_leads_nowhere_is_seen() {
    sees("other.md#term", "other.md#terms", "other.md has no terms");
    sees("other.md#term", "another.md", "leads nowhere");
    sees("other.md#term", "/other.md", "leads nowhere");
    sees("## Below", "## Above", "has no below");
    sees("[below](#below)", "[]()", "leads nowhere");
    sees(
        "{{#include figures/a.svg}}",
        "<img src=\"figures/b.svg\"> {{#include figures/a.svg}}",
        "leads nowhere",
    );
}

#[test]
fn html_left_open_is_seen() {
    sees("</details>\n", "", "<details> is never closed");
    sees("<details>\n", "", "</details> closes nothing");
    sees(
        "<figcaption>",
        "\n<figcaption>",
        "a blank line inside a figure",
    );
    sees(
        "## Below",
        "<a id=\"below\"></a>\n## Below",
        "have the id below",
    );
}

#[test]
fn a_figure_on_no_page_is_seen() {
    sees("{{#include figures/a.svg}}", "<b>", "no page shows it");
}

#[test]
fn belittling_words_are_seen() {
    for word in ["simply", "Just", "easy", "easily", "Obviously"] {
        sees("Read the", &format!("{word}, read the"), "helps nobody");
    }
    let fine = GOOD.replace("Read the", "Justice, uneasy; read the");
    assert_eq!(complaints(&fine), "");
}

#[test]
fn an_unfinished_merge_is_seen() {
    for mark in ["<<<<<<< ours", ">>>>>>> theirs"] {
        sees("Read the", &format!("{mark}\nRead the"), "a merge");
    }
}

#[test]
fn a_page_outside_of_the_summary_is_seen() {
    let made_up = MadeUp::empty("book");
    made_up.write("book/src/SUMMARY.md", "[Gone](gone.md)\n");
    made_up.write("book/src/lost.md", "# Lost\n");
    let said = problems(&made_up.course).expect("it is readable");
    let said = said.join("\n");
    has(&said, "gone.md leads nowhere");
    has(&said, "does not lead to lost.md");
}

#[test]
fn a_section_that_a_milestone_leads_to_and_that_is_not_there_is_seen() {
    let said = |page: &str| {
        let made_up = MadeUp::empty("book");
        for (path, text) in [
            ("book/src/SUMMARY.md", "[01](01-bind.md)\n"),
            ("book/src/01-bind.md", page),
            ("chapters/01-bind/src/main.rs", ""),
            ("Cargo.toml", "members = [\n\"chapters/01-bind\",\n]\n"),
            ("tests/01-bind.rs", "report().read(\"the-end\")"),
        ] {
            made_up.write(path, text);
        }
        problems(&made_up.course)
            .expect("it is readable")
            .join("\n")
    };
    assert_eq!(said("# 01 bind\n"), "");
    assert_eq!(said("# 01 bind\n\nText.\n\n## The end\n"), "");
    let complaint =
        "book/src/01-bind.md has no the-end, where tests/01-bind.rs leads";
    assert_eq!(said("# 01 bind\n\nText.\n\n## An end\n"), complaint);
}
