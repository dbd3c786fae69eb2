//! `cargo course` as a person meets it: on a made-up course of two chapters.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use course::work::Scratch;

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{MadeUp, begins, has, said};

impl MadeUp {
    fn cargo(&self, args: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let mut cargo = Command::new(cargo);
        cargo.args(args).current_dir(self.root());
        cargo.env("CARGO_TARGET_DIR", self.path("target"));
        cargo
    }
}

#[test]
fn a_newcomer_sees_where_to_begin_and_nothing_is_built() {
    let made_up = MadeUp::new();
    made_up.play("newcomer");
    assert!(!made_up.path("target").exists());
}

#[test]
fn a_learner_goes_from_red_to_green() {
    MadeUp::new().play("red-to-green");
}

#[test]
fn a_chapter_whose_unit_tests_fail_is_not_passed() {
    MadeUp::new().play("unit-tests");
}

#[test]
fn a_learner_is_led_from_gap_to_gap_by_their_numbers() {
    MadeUp::new().play("gaps");
}

#[test]
fn a_chapter_is_compared_with_its_solution_and_a_solution_with_the_next() {
    MadeUp::new().play("differences");
}

#[test]
fn what_makes_no_sense_gets_one_sentence_and_exit_code_2() {
    MadeUp::new().play("usage");
}

#[test]
fn help_names_every_command() {
    MadeUp::new().play("help");
}

#[test]
fn what_a_person_leaves_among_the_chapters_does_no_harm() {
    let made_up = MadeUp::in_a_folder("a[b]c");
    made_up.play("strays");
    let mut cargo = made_up.cargo(&["test", "--quiet", "-p", "chapter02"]);
    has(
        &said(&cargo.output().expect("cargo runs")),
        "1 passed; 2 failed",
    );
}

#[test]
fn a_build_that_waits_for_another_says_so() {
    let made_up = MadeUp::new();
    let sleeps =
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(4)); }\n";
    made_up.write("chapters/02-echo/build.rs", sleeps);
    let mut cargo = made_up.cargo(&["build", "--quiet", "-p", "chapter02"]);
    let mut other = cargo.spawn().expect("cargo runs");
    while !made_up.path("target/debug/.cargo-lock").exists() {
        assert_eq!(other.try_wait().expect("it can be asked"), None);
        thread::sleep(Duration::from_millis(5));
    }
    let output = made_up.command(&["check", "1"]).output().expect("it runs");
    assert!(other.wait().expect("it ends").success());
    let said = said(&output);
    has(&said, "  fails   01 speaks\n");
    has(
        &said,
        "check 1` again.\n! waiting: another cargo, perhaps your editor's,",
    );
    assert_eq!(said.matches("waiting").count(), 1, "{said}");
}

#[test]
fn where_there_is_no_course_or_no_cargo_it_says_so() {
    let made_up = MadeUp::new();
    let elsewhere = Scratch::new("elsewhere").expect("a folder");
    let in_folder = |folder| {
        let mut command = made_up.command(&[]);
        said(&command.current_dir(folder).output().expect("it runs"))
    };
    has(&in_folder(elsewhere.path()), "is not inside the course");
    has(&in_folder(elsewhere.path()), "\nexit code 1\n");
    let inside = made_up.path("chapters/01-bind/src");
    begins(&in_folder(&inside), "From bind to async");

    let mut check = made_up.command(&["check", "1"]);
    let check = check.env("CARGO", "/no/such/cargo").output();
    let said = said(&check.expect("it runs"));
    has(&said, "\n! cannot run /no/such/cargo: ");
    has(&said, "is Rust installed");
}

#[test]
fn nobody_need_read_to_the_end() {
    let made_up = MadeUp::new();
    for args in [[].as_slice(), &["help"], &["check", "five"]] {
        let mut command = made_up.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        drop(child.stdout.take());
        let said = said(&child.wait_with_output().expect("it ends"));
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}
