//! Git, which compares, patches and merges.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use crate::Result;

/// Git in a folder.
pub fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder).args(["-c", "core.autocrlf=false"]);
    // Set where git itself runs us, in a hook: they would lead to another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    git
}

/// Runs it to its end.
pub fn run(git: &mut Command) -> Result<Output> {
    git.output().map_err(|e| match e.kind() {
        ErrorKind::NotFound => "git was not found: this needs it".into(),
        _ => format!("cannot run git: {e}"),
    })
}

/// What it prints; where it fails, what it says on stderr.
pub fn ask(git: &mut Command) -> Result<Vec<u8>> {
    let output = run(git)?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned()),
    }
}
