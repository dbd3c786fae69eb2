//! What chapter 01 teaches and every later chapter keeps: a program that can't start
//! says why.

use std::net::TcpListener;

use predicates::prelude::*;

use crate::{Check, Run};

impl Check {
    /// Checks that the program still refuses a wrong command line, and an address
    /// that it can't have, as in chapter 01.
    ///
    /// # Panics
    ///
    /// Panics if a listener has no address, which can't be.
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
        let taken = match TcpListener::bind("127.0.0.1:0") {
            Ok(taken) => taken,
            Err(error) => check.not_started(&error),
        };
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

/// What holds whenever a program can't listen: see chapter 01's milestone for more.
#[track_caller]
fn refused(run: &Run, addr: &str, causes: &'static [&str]) {
    const WORDS: &str = "the lines of chapter 01 that explain an error of bind \
                         should stay: one sentence with the address and the cause, \
                         and exit code 1.";
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
