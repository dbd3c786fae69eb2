//! Whether the figure of chapter 19 shows chapter 13's conversation and its own.

use std::fs;
use std::path::Path;

/// A file's code from `converse` on, without comments and white space.
fn code(root: &Path, name: &str) -> String {
    let path = root.join(name).join("src/conversation.rs");
    let text = fs::read_to_string(&path).expect("a conversation");
    let lines = text.lines();
    let lines = lines.skip_while(|line| !line.contains("fn converse("));
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    without_space(&code.collect::<String>())
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The figure without what's between these two tags, and without any other tags.
fn shown(figure: &str, tag: &str) -> String {
    let (begin, end) = (format!("<{tag}>"), format!("</{tag}>"));
    let mut kept = String::new();
    for part in figure.split(&begin) {
        kept += part.split_once(&end).map_or(part, |(_, rest)| rest);
    }
    let mut text = String::new();
    for part in kept.split('<') {
        text += part.split_once('>').map_or(part, |(_, rest)| rest);
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    without_space(&text.replace("&amp;", "&"))
}

#[test]
fn the_figure_of_19_is_the_difference_to_13() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let figure = root.join("book/src/figures/19-conversation.html");
    let figure = fs::read_to_string(figure).expect("a figure");
    let solutions = root.join("solutions");
    assert_eq!(
        shown(&figure, "ins"),
        code(&solutions, "13-content"),
        "what isn't marked as new is chapter 13's"
    );
    assert_eq!(
        shown(&figure, "del"),
        code(&solutions, "19-executor-reactor"),
        "what isn't marked as old is chapter 19's"
    );
}
