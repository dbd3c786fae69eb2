//! Files below a root folder, and nothing outside it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::refusal::{NOT_FOUND, Refusal};
use crate::response::Response;
use crate::target_path::Target;

/// A folder of files to serve.
#[derive(Debug)]
pub struct Files {
    /// Absolute, and without symbolic links.
    root: PathBuf,
}

/// What a target leads to.
#[derive(Debug, PartialEq)]
enum Found {
    /// A file, by a path without symbolic links.
    File(PathBuf),
    /// A folder that was asked for without its slash: its own address.
    Folder(String),
}

impl Files {
    /// Serves the files below `root`.
    ///
    /// # Errors
    ///
    /// Returns an error where `root` is not a folder that can be read.
    pub fn new(root: &Path) -> io::Result<Files> {
        // On Windows this gives a verbatim path, below which NUL and COM1 are names
        // like any other.
        let root = root.canonicalize()?;
        fs::read_dir(&root)?;
        Ok(Files { root })
    }

    /// Answers a request for this target: a file, the `index.html` of a folder, or a
    /// redirect to a folder's own address.
    ///
    /// # Errors
    ///
    /// Refuses what isn't there (404), what may not be read (403), and what can't be
    /// read now (500).
    pub fn respond(&self, target: &Target) -> Result<Response, Refusal> {
        match self.find(target)? {
            Found::File(path) => self.open(&path),
            Found::Folder(address) => {
                Ok(Response::new(301).with_field("Location", &address))
            }
        }
    }

    /// Finds what a target leads to, and opens nothing.
    fn find(&self, target: &Target) -> Result<Found, Refusal> {
        let mut wanted = self.root.clone();
        wanted.extend(target.names());
        if target.names_a_folder() {
            wanted.push("index.html");
        }
        let found = self.inside(&wanted)?;
        if found.is_dir() && !target.names_a_folder() {
            return Ok(Found::Folder(target.folder_address()));
        }
        Ok(Found::File(found))
    }

    /// Follows all symbolic links, and refuses what then lies outside the root.
    ///
    /// Any error is a 404: it may come from outside, and tell what is there.
    fn inside(&self, path: &Path) -> Result<PathBuf, Refusal> {
        let path = path.canonicalize().map_err(|_| NOT_FOUND)?;
        if path.starts_with(&self.root) {
            Ok(path)
        } else {
            Err(NOT_FOUND)
        }
    }

    /// The response that carries a file.
    fn open(&self, path: &Path) -> Result<Response, Refusal> {
        // Before it is opened: opening a named pipe would wait until somebody writes
        // to it.
        if !path.is_file() {
            return Err(NOT_FOUND);
        }
        let file = File::open(path).map_err(refuse)?;
        if !self.holds(&file) {
            return Err(NOT_FOUND);
        }
        // Of the file that is open: the path may lead to another one by now.
        let len = file.metadata().map_err(refuse)?.len();
        Ok(Response::new(200)
            .with_field("Content-Type", content_type(path))
            .with_file(file, len))
    }

    /// Whether an open file lies below the root: since we looked, a folder on the way
    /// to it may have become a link.
    #[cfg(target_os = "linux")]
    fn holds(&self, file: &File) -> bool {
        use std::os::fd::AsRawFd;
        let open_file = format!("/proc/self/fd/{}", file.as_raw_fd());
        // Without /proc the first look has to do.
        fs::read_link(open_file).map_or(true, |path| path.starts_with(&self.root))
    }

    /// Only Linux tells where an open file lies; elsewhere the first look has to do.
    #[cfg(not(target_os = "linux"))]
    fn holds(&self, _file: &File) -> bool {
        true
    }
}

/// What an error of the file system means to a client.
fn refuse(error: io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::PermissionDenied => Refusal::new(403, "this file may not be read"),
        // Such as too many open files: the file is there, and the next try may
        // succeed.
        _ => Refusal::new(500, "this file cannot be read now"),
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

#[cfg(test)]
mod tests;
