//! A check that others rest on is run once, however libtest is called, and all that
//! rest on it see the same outcome as its own report.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use harness::{Check, after};

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// Set where this program is run by its own last test: what the ground does at its
/// first run. It would pass at its second.
const FIRST_RUN: &str = "HARNESS_FIRST_RUN";

#[test]
fn check_01_ground() {
    Check::new(Path::new("no program"), "chapter00", "others rest on this");
    let runs = RUNS.fetch_add(1, Ordering::SeqCst);
    thread::sleep(Duration::from_millis(60));
    let fails = std::env::var(FIRST_RUN).is_ok_and(|first| first == "fails");
    assert!(runs > 0 || !fails, "bad luck");
}

fn rests_on_ground() {
    after(check_01_ground);
    assert_eq!(RUNS.load(Ordering::SeqCst), 1, "the ground was run again");
}

#[test]
fn check_02_rests_on_it() {
    rests_on_ground();
}

#[test]
fn check_03_rests_on_both() {
    after(check_02_rests_on_it);
    rests_on_ground();
}

#[test]
fn check_04_rests_on_it_too() {
    rests_on_ground();
}

#[test]
fn in_all_ways() {
    if std::env::var_os(FIRST_RUN).is_some() {
        return;
    }
    let program = std::env::current_exe().expect("the path of this program");
    for args in [
        &[][..],
        &["--test-threads=1"],
        &["--test-threads", "3"],
        &["--test-threads", "8"],
        &["--exact", "check_03_rests_on_both"],
        &[
            "--exact",
            "check_02_rests_on_it",
            "check_04_rests_on_it_too",
        ],
        &["--skip", "ground"],
        &["check_0", "--show-output"],
    ] {
        for first in ["passes", "fails"] {
            let output = Command::new(&program)
                .args(args)
                .env(FIRST_RUN, first)
                .env_remove("RUST_TEST_THREADS")
                .env_remove("RUST_BACKTRACE")
                .output()
                .expect("this program runs");
            let said = String::from_utf8_lossy(&output.stdout);
            let what = format!("{first} with {args:?}:\n{said}");
            if first == "passes" {
                assert!(output.status.success(), "{what}");
                continue;
            }
            let count = |text: &str| said.matches(text).count();
            let rest = count("\ntest check_0") - count("test check_01_ground");
            assert_eq!(count(" ... FAILED"), count("\ntest check_0"), "{what}");
            assert_eq!(count("not checked: fix check_0"), rest, "{what}");
        }
    }
}
