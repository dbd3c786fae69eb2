//! `cargo course`: the map of the course, and the verdict on a chapter.

use std::process::ExitCode;

fn main() -> ExitCode {
    course::command::main()
}
