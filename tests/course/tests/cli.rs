//! `cargo course` as a person meets it: on a made-up course of two chapters.

use std::fs;
use std::process::{Command, Output, Stdio};

use course::work::Scratch;

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{MILESTONE, MadeUp, SOLUTION, begins, ends, has};

const QUIET: &str = "#![allow(\n    dead_code,\n    reason = \"there are gaps; when all are filled, delete this\"\n)]\n";
const HALF: &str = "fn main() {\n    println!(\"hullo\");\n}\n";

/// A made-up course as it is handed out.
fn handed_out() -> MadeUp {
    let made_up = MadeUp::new();
    made_up.write("book/src/01-bind.md", "# 01 A greeting\n");
    made_up.write("book/src/02-echo.md", "# 02 echo\n");
    made_up.hand_out();
    made_up
}

impl MadeUp {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
        command.args(args).current_dir(self.root());
        command.env("CARGO_TARGET_DIR", self.root().join("target"));
        command
    }

    /// Exit code, stdout, stderr.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let (code, out, err) =
            told(&self.command(args).output().expect("course runs"));
        // On a busy machine even a small build may take long enough to be announced.
        let announced = |line: &&str| line.starts_with("building chapter ");
        let err = err
            .split_inclusive('\n')
            .filter(|line| !announced(line))
            .collect();
        (code, out, err)
    }
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_owned()).expect("text");
    (
        output.status.code().expect("it ends by itself"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_newcomer_sees_where_to_begin_and_nothing_is_built() {
    let made_up = handed_out();
    let (code, out, err) = made_up.run(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    begins(&out, "From bind to async   0 of 2 chapters passed\n");
    let begin = "\nBegin here: chapter 01, A greeting\n  \
                 read  mdbook serve book --open\n        \
                 (its source: book/src/01-bind.md)\n  \
                 edit  chapters/01-bind/src/main.rs:2\n  \
                 run   cargo course check 1\n";
    ends(&out, begin);
    has(
        &out,
        "\n  02  echo                               not begun\n",
    );
    has(
        &out,
        "\n  23  the race                           not written yet\n",
    );
    assert!(!made_up.root().join("target").exists());
}

#[test]
fn a_learner_goes_from_red_to_green() {
    let made_up = handed_out();
    let (code, out, err) = made_up.run(&["check"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(
        out,
        "Chapter 01, A greeting (no chapter has been edited yet, so the first)\n\n  \
         fails   01 speaks\n  \
         waits   02 greets  (fix 01 first)\n  \
         passes  03 is short\n\n\
         01 speaks\n\nIt says nothing: say hello.\n\n\
         1 of 3 checks passes.\nNext: fix 01,\nthen run `cargo course check 1` again.\n"
    );

    made_up.write("chapters/02-echo/src/main.rs", HALF);
    let (code, out, err) = made_up.run(&["check"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(
        out,
        "Chapter 02, echo (edited last: chapters/02-echo/src/main.rs, just now)\n\n  \
         passes  01 speaks\n  \
         fails   02 greets\n  \
         passes  03 is short\n\n\
         02 greets\n\nIt says the wrong thing,\n    which nobody wanted.\n\n\
         2 of 3 checks pass.\nNext: fix 02,\nthen run `cargo course check 2` again.\n"
    );
    let (_, map, _) = made_up.run(&[]);
    has(
        &map,
        "> 02  echo                               yours so far: 2 of 3 checks pass\n",
    );

    let quiet = format!("// A comment.\n\n{QUIET}{SOLUTION}");
    made_up.write("chapters/01-bind/src/main.rs", &quiet);
    made_up.write("solutions/01-bind/src/main.rs", SOLUTION);
    made_up.write("book/src/01-bind.md", "# 01 A greeting\n\n## Use it\n");
    let (code, out, _) = made_up.run(&["check", "01"]);
    assert_eq!(code, 0);
    begins(
        &out,
        "Chapter 01, A greeting\n\n  passes  01 speaks\n  passes  02 greets\n  passes  03 is short\n\n",
    );
    ends(
        &out,
        "Chapter 01, A greeting, is passed: 3 checks.\n\
             No gap is left: delete what hides warnings, at chapters/01-bind/src/main.rs:3.\n\
             Read on at book/src/01-bind.md#use-it\n\
             Compare: cargo course diff 1\n\
             Next is chapter 02, echo: read book/src/02-echo.md.\n",
    );
    let (_, map, _) = made_up.run(&[]);
    begins(&map, "From bind to async   1 of 2 chapters passed\n");

    made_up.write(
        "chapters/02-echo/src/main.rs",
        "fn main() {\n    greet();\n}\n",
    );
    let (_, map, err) = made_up.run(&[]);
    assert_eq!(err, "", "the map is quiet");
    has(&map, "yours so far: does not build yet");
    let (code, out, err) = made_up.run(&["check", "2"]);
    assert_eq!(code, 1);
    has(&err, "error[E0425]: cannot find function `greet`");
    assert!(!err.contains("Compiling"), "{err}");
    ends(
        &out,
        "Chapter 02 does not build yet. Fix the first error above, then run `cargo course check 2` again.\n",
    );
}

#[test]
fn a_chapter_whose_unit_tests_fail_is_not_passed() {
    let made_up = handed_out();
    let with_tests = |tests: &str| {
        let tests = format!("{SOLUTION}\n#[cfg(test)]\nmod tests {{\n{tests}}}\n");
        made_up.write("chapters/01-bind/src/main.rs", &tests);
    };
    let good = "    #[test]\n    fn a_good_one() {}\n";
    with_tests(&format!(
        "{good}    #[test]\n    fn a_bad_one() {{ panic!(\"two is not three\") }}\n"
    ));
    let (code, out, err) = made_up.run(&["check", "1"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(
        out,
        "Chapter 01, A greeting\n\n  passes  01 speaks\n  passes  02 greets\n  passes  03 is short\n\n  \
         unit tests: 1 pass, 1 fail\n\n\
         unit test tests::a_bad_one fails\n\n  \
         two is not three\n  (at chapters/01-bind/src/main.rs:10:22)\n\n  \
         by hand   cargo test -p chapter01 --bins a_bad_one\n\n\
         3 of 3 checks pass, and 1 of 2 unit tests passes.\n\
         Next: fix the unit test above,\nthen run `cargo course check 1` again.\n"
    );
    let (_, map, _) = made_up.run(&[]);
    has(&map, "0 of 2 chapters passed");
    has(&map, "yours so far: 1 unit test fails\n");

    with_tests(&format!("{good}    const NONE: () = none();\n"));
    let (code, out, err) = made_up.run(&["check", "1"]);
    assert_eq!(code, 1);
    has(&err, "error[E0425]");
    let line = "\n  the unit tests do not build: cargo test -p chapter01 --bins\n";
    has(&out, line);

    with_tests(good);
    let (code, out, err) = made_up.run(&["check", "1"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let sentence = "is passed: 3 checks and 1 unit test.\n";
    has(&out, sentence);
    assert!(!out.contains("did not come to"), "{out}");

    with_tests(&format!(
        "{good}    #[test]\n    fn a_rude_one() {{ std::process::exit(1) }}\n"
    ));
    let (code, _, err) = made_up.run(&["check", "1"]);
    assert_ne!(code, 0);
    let sentence = "These did not come to their end: tests::a_rude_one\n";
    has(&err, sentence);
}

/// Two gaps, of which the page explains the lower one first, and a unit test for each.
const GAPS: &str = r#"
fn main() {
    println!("{}", greeting());
}

fn greeting() -> String {
    todo!("(2 of 2) join the words")
}

fn word() -> &'static str {
    todo!("(1 of 2) find the word")
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets() {
        assert_eq!(super::greeting(), "hello");
    }

    #[test]
    fn has_a_word() {
        assert_eq!(super::word(), "hello");
    }
}
"#;

#[test]
fn a_learner_is_led_from_gap_to_gap_by_their_numbers() {
    let made_up = handed_out();
    let unwritten = "report(\"Still to be written: (2 of 2) join the words\")";
    let milestone =
        MILESTONE.replace("report(\"It says nothing: say hello.\")", unwritten);
    made_up.write("tests/01-bind.rs", &milestone);
    let check = |source: &str| {
        made_up.write("chapters/01-bind/src/main.rs", source);
        made_up.run(&["check", "1"]).1
    };
    let out = check(GAPS);
    assert!(
        out.ends_with(
            "\n  unit tests: 2 wait for a gap\n\n\
             1 of 3 checks passes, and 0 of 2 unit tests pass.\n\
             Next: write gap 1 of 2 (chapters/01-bind/src/main.rs:11):\n  find the word,\n\
             then run `cargo course check 1` again.\n"
        ),
        "no report leads to gap 2: {out}"
    );
    let (_, map, _) = made_up.run(&[]);
    let edit = "  edit  chapters/01-bind/src/main.rs:11, gap 1 of 2\n";
    has(&map, edit);

    let one = GAPS.replace("todo!(\"(1 of 2) find the word\")", "\"hello\"");
    let out = check(&one);
    has(&out, "\nTurned green:\n  tests::has_a_word\n");
    has(&out, "\n01 speaks\n\nStill to be written: (2 of 2)");
    let next = "Next: write gap 2 of 2 (chapters/01-bind/src/main.rs:7),";
    has(&out, next);

    let out =
        check(&one.replace("todo!(\"(2 of 2) join the words\")", "\"hullo\".into()"));
    has(&out, "\nunit test tests::greets fails\n");
    has(&out, "\n    left: \"hullo\"\n   right: \"hello\"\n");
    has(&out, "\nTurned green:\n  01 speaks\n");
    has(&out, "\nNext: fix the unit test above,");

    let spare = "\nfn spare() {\n    todo!(\"(3 of 2) nothing\")\n}\n";
    let two = one.replace("todo!(\"(2 of 2) join the words\")", "word().into()");
    let out = check(&format!("{QUIET}{two}{spare}"));
    has(&out, "\nTurned green:\n  02 greets\n  tests::greets\n");
    let sentence = "A todo! is left that no check has come to, at chapters/01-bind/src/main.rs:32:\n";
    has(&out, sentence);
    assert!(!out.contains("No gap is left"), "{out}");
}

#[test]
fn a_build_that_waits_for_another_says_so() {
    let made_up = handed_out();
    made_up.write(
        "chapters/02-echo/build.rs",
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(4)); }\n",
    );
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "-p", "chapter02"]);
    cargo
        .current_dir(made_up.root())
        .env("CARGO_TARGET_DIR", made_up.root().join("target"));
    let mut other = cargo.spawn().expect("cargo runs");
    let lock = made_up.root().join("target/debug/.cargo-lock");
    while !lock.exists() {
        assert_eq!(other.try_wait().expect("it can be asked"), None);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let (_, out, err) = made_up.run(&["check", "1"]);
    assert!(other.wait().expect("it ends").success());
    has(&out, "  fails   01 speaks\n");
    begins(&err, "waiting: another cargo, perhaps your editor's,");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn what_makes_no_sense_gets_one_sentence_and_exit_code_2() {
    let made_up = handed_out();
    for (args, sentence) in [
        (
            ["check", "0"].as_slice(),
            "there is no chapter 0: there are chapters 01 to 02",
        ),
        (
            &["check", "99"],
            "there is no chapter 99: there are chapters 01 to 02",
        ),
        (
            &["check", "99999999999999999999"],
            "there is no chapter 99999999999999999999",
        ),
        (&["check", "abc"], "`abc` is not the number of a chapter"),
        (&["check", "five"], "`five` is not the number of a chapter"),
        (&["check", ""], "`` is not the number of a chapter"),
        (&["check", "-1"], "`-1` is not the number of a chapter"),
        (
            &["check", "5"],
            "chapter 05, files, is not written yet: there are chapters 01 to 02",
        ),
        (&["check", "1", "2"], "`check` takes one chapter at a time"),
        (&["diff"], "write `diff N`"),
        (
            &["diff", "1", "two"],
            "`two` is not the number of a chapter",
        ),
        (&["chek"], "there is no command `chek`"),
        (&["dev", "bless", "a", "b"], "`bless` takes"),
        (&["dev", "chek"], "there is no command `dev chek`"),
        (&["bless"], "there is no command `bless`"),
        (&["dev", "carry-up"], "write `carry-up N`"),
        (
            &["dev", "carry-up", "one"],
            "`one` is not the number of a chapter",
        ),
    ] {
        let (code, out, err) = made_up.run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        begins(&err, sentence);
        assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
    }
}

#[test]
fn help_names_every_command() {
    let made_up = handed_out();
    for (group, commands) in [
        ("", ["check", "diff", "help"].as_slice()),
        ("dev ", &["answers", "bless", "carry-up"]),
    ] {
        let (code, out, _) =
            made_up.run(&[if group.is_empty() { "help" } else { "dev" }]);
        assert_eq!(code, 0);
        for command in commands {
            let command = format!("cargo course {group}{command}");
            has(&out, &command);
        }
        assert!(out.lines().all(|line| line.len() <= 80), "{out}");
    }
}

#[test]
fn where_there_is_no_course_or_no_cargo_it_says_so() {
    let made_up = handed_out();
    let elsewhere = Scratch::new("elsewhere").expect("a folder");
    let output = made_up
        .command(&[])
        .current_dir(elsewhere.path())
        .output()
        .expect("course runs");
    let (code, out, err) = told(&output);
    assert_eq!((code, out.as_str()), (1, ""));
    has(&err, "is not inside the course");

    let inside = made_up.root().join("chapters/01-bind/src");
    let output = made_up
        .command(&[])
        .current_dir(inside)
        .output()
        .expect("course runs");
    assert!(output.status.success(), "any folder of the course will do");

    let output = made_up
        .command(&["check", "1"])
        .env("CARGO", "/no/such/cargo")
        .output()
        .expect("course runs");
    let (code, _, err) = told(&output);
    assert_eq!(code, 1);
    begins(&err, "cannot run /no/such/cargo: ");
    has(&err, "is Rust installed");
}

#[test]
fn nobody_need_read_to_the_end() {
    let made_up = handed_out();
    for args in [[].as_slice(), &["help"], &["check", "five"]] {
        let mut child = made_up
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("course runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!err.contains("panicked"), "{args:?}: {err}");
    }
}

#[test]
fn what_a_person_leaves_among_the_chapters_does_no_harm() {
    let made_up = MadeUp::in_a_folder("a[b]c");
    made_up.write("chapters/notes/todo.txt", "read on\n");
    made_up.write("chapters/.idea/workspace.xml", "<project/>\n");
    made_up.write(".idea/workspace.xml", "<project/>\n");
    // As `cp -r` makes it: a second package with the same name.
    for name in ["Cargo.toml", "src/main.rs"] {
        let text =
            fs::read_to_string(made_up.root().join("chapters/02-echo").join(name));
        made_up.write(
            &format!("chapters/02-echo-old/{name}"),
            &text.expect("it is there"),
        );
    }
    // Another branch has the chapter, and git leaves what it does not know.
    made_up.write("solutions/13-content/src/main.rs.orig", "");
    made_up.write(
        "solutions/03-response/Cargo.toml",
        "[package]\nname = \"solution03\"\n",
    );

    let (code, map, err) = made_up.run(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    begins(&map, "From bind to async   0 of 2 chapters passed\n");
    has(
        &map,
        "\n  13  content                            not written yet\n",
    );
    let (code, verdict, err) = made_up.run(&["check", "2"]);
    assert_eq!((code, err.as_str()), (1, ""));
    ends(&verdict, "\nthen run `cargo course check 2` again.\n");

    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["test", "--quiet", "-p", "chapter02"]);
    cargo
        .current_dir(made_up.root())
        .env("CARGO_TARGET_DIR", made_up.root().join("target"));
    let (_, out, _) = told(&cargo.output().expect("cargo runs"));
    has(&out, "1 passed; 2 failed");
}

#[test]
fn a_chapter_is_compared_with_its_solution_and_a_solution_with_the_next() {
    let made_up = handed_out();
    made_up.remove("solutions/01-bind");
    let (code, _, err) = made_up.run(&["diff", "1"]);
    let sentence = "chapter 01 has no solution to compare with\n";
    assert_eq!((code, err.as_str()), (1, sentence));

    let marked = format!("// ANCHOR: all\n{SOLUTION}// ANCHOR_END: all\n");
    made_up.write("solutions/01-bind/src/main.rs", &marked);
    made_up.write("solutions/01-bind/Cargo.toml", "[package]\n");
    made_up.write(
        "chapters/01-bind/src/main.rs",
        &format!("{QUIET}\n{SOLUTION}"),
    );
    assert_eq!(
        made_up.run(&["diff", "1"]),
        (0, "There is no difference.\n".to_owned(), String::new())
    );
    made_up.write("solutions/02-echo/src/main.rs", HALF);
    let (code, out, err) = made_up.run(&["diff", "1", "2"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines =
        "\n fn main() {\n-    println!(\"hello\");\n+    println!(\"hullo\");\n }\n";
    ends(&out, lines);
    let files =
        "--- solutions/01-bind/src/main.rs\n+++ solutions/02-echo/src/main.rs\n";
    has(&out, files);
}
