//! A mend goes up a small made-up ladder in a git repository of its own.

use std::thread;

#[path = "made-up/course.rs"]
mod made_up;

use made_up::{MadeUp, has, said};

fn play(name: &str) {
    let ladder = MadeUp::empty("ladder");
    ladder.add("ladder.txt");
    assert_eq!(
        ladder.git(&["init", "--quiet", "--initial-branch", "main"]),
        ""
    );
    assert_eq!(ladder.git(&["add", "."]), "");
    assert_eq!(ladder.git(&["commit", "--quiet", "-m", "x"]), "");
    ladder.play(&format!("carry/{name}"));
}

#[test]
fn sessions_come_out_as_they_are_written() {
    let names = "mend conflict files manifests foreign committed beside anchors";
    thread::scope(|scope| {
        for name in names.split(' ') {
            scope.spawn(move || play(name));
        }
    });
}

#[test]
fn a_folder_that_git_does_not_know_is_refused_in_words() {
    let made_up = MadeUp::empty("no-git");
    made_up.add("ladder.txt");
    let output = made_up.command(&["dev", "carry-up", "1"]).output();
    has(&said(&output.expect("it runs")), "is not a git checkout");
}
