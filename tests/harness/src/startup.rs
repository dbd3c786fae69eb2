//! What chapter 01 teaches and every later chapter keeps: a program that cannot start
//! says why.

use std::net::TcpListener;

use predicates::prelude::*;

use crate::{Check, Run};

impl Check {
    /// Checks that the program still refuses a wrong command line, and an address
    /// that it cannot have, as in chapter 01.
    ///
    /// # Panics
    ///
    /// Panics where the machine has no free port: that is no fault of the program
    /// under test.
    #[track_caller]
    pub fn starts_as_in_chapter_01(self) {
        let check = self.read_on("01-bind", "when-bind-fails").by_hand(
            "cargo run -p {package} -- --no-such-option; echo \"exit code $?\"\n\
                 cargo run -p {package} -- nowhere; echo \"exit code $?\"",
        );
        const USAGE: &str =
            "the lines of chapter 01 that read the command line should stay.";
        for args in [&["--no-such-option"][..], &["127.0.0.1:0", "127.0.0.1:0"]] {
            check.run(args).code(2, USAGE).stderr(
                "show the usage",
                predicate::str::contains("usage")
                    .or(predicate::str::contains("Usage")),
                USAGE,
            );
        }
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = taken.local_addr().expect("an address").to_string();
        refused(
            &check.run(&[&addr]),
            &addr,
            &["in use", "already", "taken", "only one usage"],
        );
        refused(
            &check.run(&["nowhere"]),
            "nowhere",
            &["address", "port", "socket"],
        );
    }
}

/// What holds whenever a program cannot listen: see `tests/01-bind.rs` for more.
#[track_caller]
fn refused(run: &Run, addr: &str, causes: &'static [&str]) {
    const WORDS: &str = "the lines of chapter 01 that explain an error of bind should stay: one \
                         sentence with the address and the cause, and exit code 1.";
    run.code(1, WORDS);
    run.stderr("name the address", predicate::str::contains(addr), WORDS);
    run.stderr(
        "name the cause",
        predicate::function(move |text: &str| {
            let text = text.replace(addr, "").to_lowercase();
            causes.iter().any(|cause| text.contains(cause))
        }),
        WORDS,
    );
}
