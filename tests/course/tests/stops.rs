//! A server that is stopped under load loses no answer.
//!
//! `cargo test` stops each solution from chapter 11 on 20 times. For more, and for another program,
//! see `examples/stops.rs`.

use course::process::Stderr;
use course::screen::note;
use course::{Course, cargo};

#[allow(dead_code, reason = "the example's main is not called here")]
#[path = "../examples/stops.rs"]
mod stops;

#[test]
fn twenty_stops_lose_no_answer() {
    let course = Course::of_this_package();
    let mut solutions = course.solutions();
    solutions.retain(|chapter| chapter.name().as_str() >= "chapter11");
    let mut build = cargo::command(&course);
    build.args(["build", "--quiet", "--bins", "--message-format=json"]);
    for chapter in &solutions {
        build.args(["--package", &chapter.solution_name()]);
    }
    let built = cargo::build(&course, &mut build, Stderr::Dropped, None).expect("cargo builds");
    for chapter in solutions {
        let name = chapter.solution_name();
        let program = built
            .program(&course.solution(chapter), &name)
            .expect("every solution is built");
        let tally =
            stops::stop_often(program, 20).unwrap_or_else(|error| panic!("{name}: {error}"));
        note(&format!("{name}:\n{tally}"));
        assert_eq!(tally.lost(), 0, "{name} has lost answers:\n{tally}");
    }
}
