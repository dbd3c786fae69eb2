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
use crate::dev::bless::changed_files;
use crate::dev::fold::{WIDTH, folded};
use crate::layout::{Course, write};
use crate::process::each;
use crate::work::{self, Scratch};

type Codes = BTreeSet<String>;

/// One file that must not compile.
struct Case {
    source: PathBuf,
    /// `tests/errors/01-bind/E0308-bind.rs`, for messages.
    name: String,
    /// The codes in its name: `E0432-E0433-no-pool.rs` has two.
    codes: Codes,
}

fn folder(course: &Course) -> PathBuf {
    course.root().join("tests/errors")
}

/// All cases whose name contains `filter`, in order.
fn cases(course: &Course, filter: &str) -> Result<Vec<Case>> {
    let mut found = Vec::new();
    for source in work::files_of_chapters(&folder(course), "rs")? {
        let name = course.shown(&source);
        let codes = codes_in_name(&source);
        if codes.is_empty() {
            return Err(format!(
                "{name}: the name must begin with the code that rustc gives, as in \
                 E0308-bind.rs"
            ));
        }
        if name.contains(filter) {
            found.push(Case {
                source,
                name,
                codes,
            });
        }
    }
    Ok(found)
}

/// The codes that a file's name begins with.
fn codes_in_name(path: &Path) -> Codes {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let parts = stem.split('-').take_while(|part| is_code(part));
    parts.map(str::to_owned).collect()
}

/// The codes of all errors in rendered output.
fn codes_in_output(text: &str) -> Codes {
    let errors = text.lines().filter_map(|line| line.strip_prefix("error["));
    let codes = errors.filter_map(|rest| rest.split(']').next());
    codes
        .filter(|code| is_code(code))
        .map(str::to_owned)
        .collect()
}

fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix('E');
    digits.is_some_and(|digits| {
        digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// What rustc said about a file.
struct Verdict {
    /// How many errors had no code.
    without_code: usize,
    /// Its words, fit for a page: `src/main.rs` for the file, no colours, no path of
    /// this machine.
    rendered: String,
}

/// Gives the files to rustc.
fn compile(cases: &[Case]) -> Result<Vec<Verdict>> {
    each(cases, work::cores(), |case| {
        let scratch = Scratch::new("errors")?;
        let mut rustc =
            Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--edition", "2024", "--crate-type", "bin"]);
        rustc.args(["--crate-name", "main", "--emit", "metadata"]);
        rustc.args(["--color", "never", "-A", "warnings"]);
        rustc.args(["--diagnostic-width", &WIDTH.to_string()]);
        rustc.arg("--out-dir").arg(scratch.path()).arg(&case.source);
        let output = rustc
            .output()
            .map_err(|e| format!("cannot run rustc: {e}"))?;
        let said = String::from_utf8_lossy(&output.stderr).replace("\r\n", "\n");
        let bare = |line: &&str| {
            line.starts_with("error: ") && !line.starts_with("error: aborting")
        };
        Ok(Verdict {
            without_code: said.lines().filter(bare).count(),
            rendered: fit_for_a_page(&said, &case.source),
        })
    })
    .into_iter()
    .collect()
}

/// Takes out of rustc's words what differs from machine to machine; the last line but
/// one, which cargo does not show either; and where rustc shortens a type, in which
/// file the whole of it is.
fn fit_for_a_page(said: &str, source: &Path) -> String {
    const LEFT_OUT: [&str; 3] = [
        "error: aborting due to",
        "note: the full name for the type has been written to",
        "note: consider using `--verbose` to print the full type name",
    ];
    // The place of a closure has the file's name without its folder.
    let name = source.file_name().unwrap_or_default().display();
    let in_closures = format!("@{name}");
    let source = source.display().to_string();
    let mut page = String::new();
    for line in said.lines() {
        if !LEFT_OUT.iter().any(|words| line.contains(words)) {
            let line = line.replace(&source, "src/main.rs");
            let line = shorten_std_path(&line.replace(&in_closures, "@main.rs"));
            page.push_str(&folded(line.trim_end()));
            page.push('\n');
        }
    }
    while page.contains("\n\n\n") {
        page = page.replace("\n\n\n", "\n\n");
    }
    page
}

/// std's own files are named by where rustc was built or where its source is
/// installed: `/rustc/5980…/library/core/src/mem.rs` becomes
/// `/rustc/library/core/src/mem.rs`.
fn shorten_std_path(line: &str) -> String {
    let arrow = ["--> ", "::: "].iter().find_map(|arrow| line.find(arrow));
    let Some(arrow) = arrow else {
        return line.to_owned();
    };
    let (before, path) = line.split_at(arrow + "--> ".len());
    let path = path.replace('\\', "/");
    match path.find("/library/") {
        Some(at) => format!("{before}/rustc{}", &path[at..]),
        None => format!("{before}{path}"),
    }
}

/// Compiles every case and says what is wrong, one sentence each.
pub fn problems(course: &Course) -> Result<Vec<String>> {
    let cases = cases(course, "")?;
    let mut problems = Vec::new();
    for (case, verdict) in cases.iter().zip(compile(&cases)?) {
        problems.extend(judge(case, &verdict));
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
    let name = &case.name;
    let expected = list(&case.codes);
    let codes = codes_in_output(&verdict.rendered);
    let mut problems = Vec::new();
    if codes.is_empty() && verdict.without_code == 0 {
        problems.push(format!("{name}: it compiles; {expected} was expected"));
    } else if codes != case.codes || verdict.without_code > 0 {
        let more = match verdict.without_code {
            0 => String::new(),
            n => format!(" and {n} without a code"),
        };
        problems.push(format!(
            "{name}: {expected} was expected, rustc gave {}{more}:\n{}",
            list(&codes),
            verdict.rendered
        ));
    }
    let bless = "run `cargo course dev bless`";
    match fs::read_to_string(case.source.with_extension("txt")) {
        Err(_) => problems.push(format!("{name}: its .txt is missing; {bless}")),
        Ok(kept) if codes_in_output(&kept) != case.codes => problems.push(format!(
            "{name}: its .txt shows {}, not {expected}; {bless}",
            list(&codes_in_output(&kept))
        )),
        Ok(_) => {}
    }
    problems
}

fn list(codes: &Codes) -> String {
    match codes.is_empty() {
        true => "no code".to_owned(),
        false => codes.iter().cloned().collect::<Vec<_>>().join(" and "),
    }
}

/// Writes what rustc says today beside every case whose name contains `filter`, and
/// returns the files that changed.
pub fn bless(course: &Course, filter: &str) -> Result<Vec<PathBuf>> {
    let cases = cases(course, filter)?;
    let verdicts = compile(&cases)?;
    changed_files(cases.iter().zip(verdicts).map(|(case, verdict)| {
        let path = case.source.with_extension("txt");
        let is_new =
            fs::read_to_string(&path).ok().as_ref() != Some(&verdict.rendered);
        if is_new {
            write(&path, verdict.rendered.as_bytes())?;
        }
        let problems = judge(case, &verdict);
        match problems.is_empty() {
            true => Ok(is_new.then_some(path)),
            false => Err(problems.join("\n")),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_from_the_front_of_a_name() {
        for (name, expected) in [
            ("a/E0308-bind.rs", "E0308"),
            ("a/E0433-E0432-pool.rs", "E0432 and E0433"),
            ("a/pool-E0308.rs", "no code"),
            ("a/E308-x.rs", "no code"),
        ] {
            assert_eq!(list(&codes_in_name(Path::new(name))), expected);
        }
    }

    #[test]
    fn paths_of_this_machine_are_taken_out() {
        let said = "error[E0308]: mismatched types\n  --> /tmp/x/E0308-a.rs:2:3\n   |\n\
                    \nerror: aborting due to 1 previous error\n\nFor more information\n\
                    \x20  ::: /home/me/.rustup/x/library/std/src/net/tcp.rs:1:2\n";
        assert_eq!(
            fit_for_a_page(said, Path::new("/tmp/x/E0308-a.rs")),
            "error[E0308]: mismatched types\n  --> src/main.rs:2:3\n   |\n\
             \nFor more information\n   ::: /rustc/library/std/src/net/tcp.rs:1:2\n"
        );
    }
}
