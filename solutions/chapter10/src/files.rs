//! Files below a root folder, and nothing outside it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use crate::http::{Refusal, Response};

/// A folder of files to serve.
pub struct Files {
    /// Absolute, and without symbolic links.
    root: PathBuf,
}

impl Files {
    /// Serves the files below `root`.
    ///
    /// # Errors
    ///
    /// Returns an error where `root` is not a folder that can be read.
    pub fn new(root: &Path) -> io::Result<Files> {
        let root = root.canonicalize()?;
        fs::read_dir(&root)?;
        Ok(Files { root })
    }

    /// Answers a request for this target: a file, the `index.html` of a folder, a redirect to a
    /// folder's own address, or a page that says why not.
    pub fn respond(&self, target: &str) -> Response {
        self.find(target).unwrap_or_else(Response::from)
    }

    fn find(&self, target: &str) -> Result<Response, Refusal> {
        let (path, query) = path_and_query(target)?;
        let names = names(path)?;
        let mut file = self.root.clone();
        file.extend(&names);
        let mut file = self.inside(&file)?;
        let is_folder = fs::metadata(&file).map_err(refuse)?.is_dir();
        match (is_folder, path.ends_with('/')) {
            (true, true) => file = self.inside(&file.join("index.html"))?,
            (true, false) => return Ok(redirect(&names, query)),
            (false, true) => return Err(NOT_FOUND),
            (false, false) => {}
        }
        open(&file)
    }

    /// Follows all symbolic links, and refuses what then lies outside the root.
    fn inside(&self, path: &Path) -> Result<PathBuf, Refusal> {
        let path = path.canonicalize().map_err(refuse)?;
        match path.starts_with(&self.root) {
            true => Ok(path),
            false => Err(NOT_FOUND),
        }
    }
}

/// Also the answer for what exists and is not served: who asks need not learn that it is there.
const NOT_FOUND: Refusal = Refusal {
    status: 404,
    why: "there is nothing at this address",
};

/// Splits a target into its path and its query, which begins with `?` or is empty.
///
/// A target is a path, or a whole URL with a host in front of it (RFC 9112, section 3.2).
fn path_and_query(target: &str) -> Result<(&str, &str), Refusal> {
    let target = match target.split_once("://") {
        Some(("http" | "https", rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => target,
    };
    if !target.starts_with('/') {
        return Err(Refusal::new(400, "the target is not a path"));
    }
    let end = target.find('?').unwrap_or(target.len());
    Ok(target.split_at(end))
}

/// The names that a path consists of, decoded.
///
/// Each must be one ordinary name: neither `..`, nor anything that the system would take for
/// several names or for another drive.
fn names(path: &str) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for segment in path.split('/') {
        let name = decode(segment)?;
        let mut components = Path::new(&name).components();
        match (components.next(), components.next()) {
            // "//" and "/./" lead nowhere else.
            (None | Some(Component::CurDir), None) => {}
            (Some(Component::Normal(one)), None) if one == name.as_str() => names.push(name),
            _ => return Err(NOT_FOUND),
        }
    }
    Ok(names)
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
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
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

/// The response that carries a file.
fn open(path: &Path) -> Result<Response, Refusal> {
    // Before it is opened: opening a named pipe would wait until somebody writes to it.
    if !fs::metadata(path).map_err(refuse)?.is_file() {
        return Err(NOT_FOUND);
    }
    let file = File::open(path).map_err(refuse)?;
    let len = file.metadata().map_err(refuse)?.len();
    Ok(Response::new(200)
        .with_field("Content-Type", content_type(path))
        .with_file(file, len))
}

/// What an error of the file system means to a client.
fn refuse(error: io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::PermissionDenied => Refusal::new(403, "this file may not be read"),
        _ => NOT_FOUND,
    }
}

/// Sends the client to a folder's own address, which ends in a slash: links in its `index.html`
/// count from there.
fn redirect(names: &[String], query: &str) -> Response {
    let mut location = String::from("/");
    for name in names {
        encode(name, &mut location);
        location.push('/');
    }
    location.push_str(query);
    Response::new(301).with_field("Location", &location)
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

/// The media type of a file, by the ending of its name.
fn content_type(path: &Path) -> &'static str {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.unwrap_or("").to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
