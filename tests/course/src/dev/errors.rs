//! The compiler errors that the book shows: small files in `tests/errors/NN-NAME`,
//! each refused by rustc with exactly the codes that its name begins with, and beside
//! each its rendered output.
//!
//! The wording of an error changes from one compiler to the next, its code does not.
//! So only codes are compared, and `cargo course dev bless` brings the wording up to
//! date.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::Result;
use crate::dev::fold::{WIDTH, folded};
use crate::layout::{Course, cannot};
use crate::process::each;
use crate::work::{self, Scratch};

/// One file that must not compile.
#[derive(Debug, Clone)]
pub struct Case {
    /// The Rust file.
    pub source: PathBuf,
    /// The codes in its name: `E0432-E0433-no-pool.rs` has two.
    pub codes: BTreeSet<String>,
}

impl Case {
    /// Where what rustc says about it is kept.
    pub fn rendered(&self) -> PathBuf {
        self.source.with_extension("txt")
    }

    /// `01-bind/E0308-bind.rs`, for messages.
    pub fn name(&self) -> String {
        let chapter = self.source.parent().and_then(Path::file_name);
        let file = self.source.file_name().unwrap_or_default();
        let chapter = chapter.unwrap_or_default().to_string_lossy();
        format!("{chapter}/{}", file.to_string_lossy())
    }
}

/// All cases under `tests/errors`, in order.
pub fn cases(course: &Course) -> Result<Vec<Case>> {
    let mut found = Vec::new();
    for source in work::files_of_chapters(&folder(course), "rs")? {
        let codes = codes_in_name(&source);
        if codes.is_empty() {
            return Err(format!(
                "{}: the name must begin with the code that rustc gives, as in E0308-bind.rs",
                course.shown(&source)
            ));
        }
        found.push(Case { source, codes });
    }
    Ok(found)
}

fn folder(course: &Course) -> PathBuf {
    course.root().join("tests/errors")
}

/// The codes that a file's name begins with.
fn codes_in_name(path: &Path) -> BTreeSet<String> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.split('-')
        .take_while(|part| is_code(part))
        .map(str::to_owned)
        .collect()
}

fn is_code(word: &str) -> bool {
    word.len() == 5
        && word.starts_with('E')
        && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// What rustc said about a file.
#[derive(Debug)]
pub struct Verdict {
    /// Whether it compiled after all.
    pub compiled: bool,
    /// The codes of its errors.
    pub codes: BTreeSet<String>,
    /// How many errors had no code.
    pub without_code: usize,
    /// Its words, fit for a page: `src/main.rs` for the file, no colours, no path of
    /// this machine.
    pub rendered: String,
}

/// Gives one file to rustc.
pub fn compile(source: &Path) -> Result<Verdict> {
    let scratch = Scratch::new("errors")?;
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--edition", "2024", "--crate-type", "bin"])
        .args(["--crate-name", "main", "--emit", "metadata"])
        .args([
            "--diagnostic-width",
            &WIDTH.to_string(),
            "--color",
            "never",
            "-A",
            "warnings",
        ])
        .arg("--out-dir")
        .arg(scratch.path())
        .arg(source)
        .output()
        .map_err(|e| format!("cannot run {}: {e}", Path::new(&rustc).display()))?;
    let said = String::from_utf8_lossy(&output.stderr).replace("\r\n", "\n");
    Ok(Verdict {
        compiled: output.status.success(),
        codes: codes_in_output(&said),
        without_code: said
            .lines()
            .filter(|line| {
                line.starts_with("error: ") && !line.starts_with("error: aborting")
            })
            .count(),
        rendered: fit_for_a_page(&said, source),
    })
}

/// The codes of all errors in rendered output.
pub fn codes_in_output(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("error[")?.split(']').next())
        .filter(|code| is_code(code))
        .map(str::to_owned)
        .collect()
}

/// Takes out of rustc's words what differs from machine to machine, and the last line
/// but one, which cargo does not show either.
fn fit_for_a_page(said: &str, source: &Path) -> String {
    let mut page = String::new();
    for line in said.lines() {
        if line.starts_with("error: aborting due to") || is_about_a_long_type(line) {
            continue;
        }
        let line = line.replace(&source.display().to_string(), "src/main.rs");
        page.push_str(&folded(shorten_std_path(&line).trim_end()));
        page.push('\n');
    }
    while page.contains("\n\n\n") {
        page = page.replace("\n\n\n", "\n\n");
    }
    page
}

/// Where rustc shortens a type, it names a file with the whole of it, and how to see
/// it at once.
fn is_about_a_long_type(line: &str) -> bool {
    line.contains("note: the full name for the type has been written to")
        || line
            .contains("note: consider using `--verbose` to print the full type name")
}

/// std's own files are named by where rustc was built or where its source is
/// installed: `/rustc/5980…/library/core/src/mem.rs` becomes
/// `/rustc/library/core/src/mem.rs`.
fn shorten_std_path(line: &str) -> String {
    let Some(arrow) = ["--> ", "::: "].iter().find_map(|arrow| {
        let at = line.find(arrow)?;
        Some(at + arrow.len())
    }) else {
        return line.to_owned();
    };
    let (before, path) = line.split_at(arrow);
    let path = path.replace('\\', "/");
    match path.find("/library/") {
        Some(at) => format!("{before}/rustc{}", &path[at..]),
        None => format!("{before}{path}"),
    }
}

/// Compiles every case and says what is wrong, one sentence each.
pub fn problems(course: &Course) -> Result<Vec<String>> {
    let cases = cases(course)?;
    let verdicts = each(&cases, work::cores(), |case| compile(&case.source));
    let mut problems = Vec::new();
    for (case, verdict) in cases.iter().zip(verdicts) {
        problems.extend(judge(case, &verdict?));
    }
    for output in work::files_of_chapters(&folder(course), "txt")? {
        if !output.with_extension("rs").exists() {
            let output = course.shown(&output);
            problems.push(format!("{output}: there is no .rs file beside it"));
        }
    }
    Ok(problems)
}

/// Compares a case with what rustc made of it, and with what is kept beside it.
fn judge(case: &Case, verdict: &Verdict) -> Vec<String> {
    let mut problems = Vec::new();
    let name = case.name();
    let expected = list(&case.codes);
    if verdict.compiled {
        problems.push(format!("{name}: it compiles; {expected} was expected"));
    } else if verdict.codes != case.codes || verdict.without_code > 0 {
        let got = list(&verdict.codes);
        let more = match verdict.without_code {
            0 => String::new(),
            n => format!(" and {n} without a code"),
        };
        problems.push(format!(
            "{name}: {expected} was expected, rustc gave {got}{more}:\n{}",
            verdict.rendered
        ));
    }
    match fs::read_to_string(case.rendered()) {
        Err(_) => problems.push(format!(
            "{name}: its .txt is missing; run `cargo course dev bless`"
        )),
        Ok(kept) if codes_in_output(&kept) != case.codes => problems.push(format!(
            "{name}: its .txt shows {}, not {expected}; run `cargo course dev bless`",
            list(&codes_in_output(&kept))
        )),
        Ok(_) => {}
    }
    problems
}

fn list(codes: &BTreeSet<String>) -> String {
    match codes.len() {
        0 => "no code".to_owned(),
        _ => codes.iter().cloned().collect::<Vec<_>>().join(" and "),
    }
}

/// Writes what rustc says today beside every case whose name contains `filter`, and
/// returns the files that changed.
pub fn bless(course: &Course, filter: &str) -> Result<Vec<PathBuf>> {
    let mut cases = cases(course)?;
    cases.retain(|case| case.name().contains(filter));
    let verdicts = each(&cases, work::cores(), |case| compile(&case.source));
    let mut changed = Vec::new();
    let mut problems = Vec::new();
    for (case, verdict) in cases.iter().zip(verdicts) {
        let verdict = verdict?;
        let path = case.rendered();
        if fs::read_to_string(&path).unwrap_or_default() != verdict.rendered {
            fs::write(&path, &verdict.rendered)
                .map_err(|e| cannot("write", &path, &e))?;
            changed.push(path);
        }
        problems.extend(judge(case, &verdict));
    }
    match problems.is_empty() {
        true => Ok(changed),
        false => Err(problems.join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_from_the_front_of_a_name() {
        let codes = |name| {
            let codes: Vec<String> =
                codes_in_name(Path::new(name)).into_iter().collect();
            codes.join(" ")
        };
        assert_eq!(codes("a/E0308-bind.rs"), "E0308");
        assert_eq!(codes("a/E0433-E0432-pool.rs"), "E0432 E0433");
        assert_eq!(codes("a/pool-E0308.rs"), "");
        assert_eq!(codes("a/E308-x.rs"), "");
    }

    #[test]
    fn paths_of_this_machine_are_taken_out() {
        let said = "error[E0308]: mismatched types\n  --> /tmp/x/E0308-a.rs:2:3\n   |\n\nerror: aborting due to 1 previous error\n\nFor more information, try\n";
        let page = fit_for_a_page(said, Path::new("/tmp/x/E0308-a.rs"));
        assert_eq!(
            page,
            "error[E0308]: mismatched types\n  --> src/main.rs:2:3\n   |\n\nFor more information, try\n"
        );
        assert_eq!(
            shorten_std_path(
                "   ::: /home/me/.rustup/x/library/std/src/net/tcp.rs:1:2"
            ),
            "   ::: /rustc/library/std/src/net/tcp.rs:1:2"
        );
    }
}
