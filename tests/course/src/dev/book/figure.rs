//! A figure: SVG that stands inside the page and takes the colours of the reader's
//! theme.

/// What is wrong with a figure, and its ids.
pub(super) fn problems(svg: &str, css: &str) -> (Vec<String>, Vec<String>) {
    let mut problems = Vec::new();
    let mut ids = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    if svg.lines().any(|line| line.trim().is_empty()) {
        problems.push("a blank line would end the figure in the page".to_owned());
    }
    if !svg.trim_start().starts_with("<svg ") {
        problems.push("it must begin with <svg".to_owned());
    }
    for tag in tags(svg) {
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(opened) if opened == name => {}
                Some(opened) => {
                    problems.push(format!("<{opened}> is closed by </{name}>"))
                }
                None => problems.push(format!("</{name}> closes nothing")),
            }
            continue;
        }
        let (name, rest) = match tag.split_once(char::is_whitespace) {
            Some((name, rest)) => (name, rest),
            None => (tag.trim_end_matches('/'), ""),
        };
        if !tag.ends_with('/') {
            open.push(name);
        }
        if ["style", "script", "marker", "image", "foreignObject"].contains(&name) {
            problems.push(format!("<{name}> has no place here"));
        }
        let attributes = attributes(rest.trim_end_matches('/'));
        if name == "svg" {
            for needed in ["viewBox", "role", "aria-labelledby"] {
                if !attributes.iter().any(|(name, _)| *name == needed) {
                    problems.push(format!("<svg> needs {needed}"));
                }
            }
        }
        for (attribute, value) in attributes {
            match attribute {
                "id" => ids.push(value.to_owned()),
                "class" => {
                    for class in value.split_whitespace() {
                        if !css.contains(&format!(".{class}")) {
                            problems.push(format!("course.css has no class {class}"));
                        }
                    }
                }
                "fill" | "stroke" | "color" | "stop-color"
                    if !["none", "currentColor"].contains(&value) =>
                {
                    problems.push(format!(
                        "{attribute}=\"{value}\" is a fixed colour: use a class"
                    ));
                }
                "style" => problems.push("style=: use a class".to_owned()),
                _ => {}
            }
        }
    }
    problems.extend(open.iter().map(|name| format!("<{name}> is never closed")));
    if !svg.contains("<title") {
        problems.push("it needs a <title> for those who cannot see it".to_owned());
    }
    (problems, ids)
}

/// What stands between `<` and `>`, comments left out.
pub(super) fn tags(svg: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = svg;
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        found.push(tag.trim());
        rest = after;
    }
    found
}

/// `name="value"` pairs.
fn attributes(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap_or((after, ""));
        found.push((name.trim(), value));
        rest = after;
    }
    found
}
