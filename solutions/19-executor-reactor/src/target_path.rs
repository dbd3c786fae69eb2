//! A request target: the names in its path, and its query.

use std::path::{Component, Path};

use crate::host::is_host;
use crate::refusal::{NOT_FOUND, Refusal};

/// A target, taken apart (RFC 9112, section 3.2). Whatever serves it, a file or a
/// function, uses these parts, so that one path has one meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// The path as decoded names, from the root to what is wanted.
    names: Vec<String>,
    names_a_folder: bool,
    /// Empty, or it begins with `?`.
    query: String,
}

impl Target {
    /// Takes a target apart.
    ///
    /// # Errors
    ///
    /// Refuses what isn't a path or a URL with a path (400), and a path that nothing
    /// here can be found by (400, 404).
    pub fn parse(target: &str) -> Result<Target, Refusal> {
        let (path, query) = path_and_query(target)?;
        Ok(Target {
            names: names(path)?,
            names_a_folder: names_a_folder(path),
            query: query.to_owned(),
        })
    }

    /// The names that the path consists of, decoded; none for the root.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the path ends as that of a folder does: in a slash, or in `/.`
    pub fn names_a_folder(&self) -> bool {
        self.names_a_folder
    }

    /// The address of the folder with these names. It ends in a slash, because the
    /// links in a folder's `index.html` count from there.
    pub fn folder_address(&self) -> String {
        let mut address = String::from("/");
        for name in &self.names {
            encode(name, &mut address);
            address.push('/');
        }
        address.push_str(&self.query);
        address
    }
}

/// Splits a target into its path and its query, which begins with `?` or is empty.
///
/// A target is a path, or a whole URL with a host before the path (RFC 9112, section
/// 3.2).
fn path_and_query(target: &str) -> Result<(&str, &str), Refusal> {
    const NO_PATH: Refusal = Refusal::bad_request("the target is not a path");
    let end = target.find('?').unwrap_or(target.len());
    let (target, query) = target.split_at(end);
    if target.starts_with('/') {
        return Ok((target, query));
    }
    let Some((scheme, rest)) = target.split_once("://") else {
        return Err(NO_PATH);
    };
    let is_http = ["http", "https"]
        .iter()
        .any(|s| s.eq_ignore_ascii_case(scheme));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if !is_http || host.is_empty() || !is_host(host.as_bytes()) {
        return Err(NO_PATH);
    }
    Ok((if path.is_empty() { "/" } else { path }, query))
}

/// Whether a path ends as that of a folder does: its last segment is empty, or it's
/// `.`, in whatever spelling.
fn names_a_folder(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    matches!(last, "" | "." | "%2e" | "%2E")
}

/// The names that a path consists of, decoded.
fn names(path: &str) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for segment in path.split('/') {
        let name = decode(segment)?;
        match name.as_str() {
            // "//" and "/./" lead nowhere else.
            "" | "." => {}
            one if is_ordinary(one) => names.push(name),
            _ => return Err(NOT_FOUND),
        }
    }
    Ok(names)
}

/// Whether the system takes this for one name in a folder: neither for `..`, nor for
/// several names, nor for a path of its own.
fn is_ordinary(name: &str) -> bool {
    // On Windows a colon leads to another drive, or to another stream of the same
    // file.
    let has_colon = cfg!(windows) && name.contains(':');
    let mut components = Path::new(name).components();
    components.next() == Some(Component::Normal(name.as_ref()))
        && components.next().is_none()
        && !has_colon
}

/// Decodes `%2e` and the like (RFC 3986, section 2.1).
fn decode(segment: &str) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(Refusal::new(
                400,
                "a % must be followed by two hexadecimal digits",
            ));
        };
        bytes.push((high * 16 + low) as u8);
    }
    if bytes.contains(&0) {
        return Err(Refusal::new(400, "a path must not contain NUL"));
    }
    String::from_utf8(bytes).map_err(|_| NOT_FOUND)
}

/// Percent-encodes all but the characters that never need it (RFC 3986, section 2.3).
fn encode(name: &str, out: &mut String) {
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests;
