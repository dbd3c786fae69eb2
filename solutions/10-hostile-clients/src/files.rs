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
        let root = root.canonicalize()?;
        fs::read_dir(&root)?;
        Ok(Files { root })
    }

    /// Answers a request for this target: a file, the `index.html` of a folder, a
    /// redirect to a folder's own address, or a page that says why not.
    pub fn respond(&self, target: &str) -> Response {
        let response = match self.find(target) {
            Ok(Found::File(path)) => self.open(&path),
            Ok(Found::Folder(address)) => {
                Ok(Response::new(301).with_field("Location", &address))
            }
            Err(refusal) => Err(refusal),
        };
        response.unwrap_or_else(Response::from)
    }

    /// Finds what a target leads to, and opens nothing.
    fn find(&self, target: &str) -> Result<Found, Refusal> {
        let (path, query) = path_and_query(target)?;
        let names = names(path)?;
        let mut wanted = self.root.clone();
        wanted.extend(&names);
        let names_a_folder = path.ends_with('/');
        if names_a_folder {
            wanted.push("index.html");
        }
        let found = self.inside(&wanted)?;
        if found.is_dir() && !names_a_folder {
            return Ok(Found::Folder(address(&names, query)));
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

/// Also the answer for what exists and is not served: who asks need not learn that it
/// is there.
const NOT_FOUND: Refusal = Refusal {
    status: 404,
    why: "there is nothing at this address",
};

/// Splits a target into its path and its query, which begins with `?` or is empty.
///
/// A target is a path, or a whole URL with a host in front of it (RFC 9112, section
/// 3.2).
fn path_and_query(target: &str) -> Result<(&str, &str), Refusal> {
    let end = target.find('?').unwrap_or(target.len());
    let (target, query) = target.split_at(end);
    let is_http = |scheme: &str| {
        let mut known = ["http", "https"].into_iter();
        known.any(|known| known.eq_ignore_ascii_case(scheme))
    };
    let path = match target.split_once("://") {
        Some((scheme, rest)) if is_http(scheme) && !rest.starts_with('/') => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => target,
    };
    if path.starts_with('/') {
        Ok((path, query))
    } else {
        Err(Refusal::new(400, "the target is not a path"))
    }
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

/// A folder's own address, which ends in a slash: links in its `index.html` count
/// from there.
fn address(names: &[String], query: &str) -> String {
    let mut address = String::from("/");
    for name in names {
        encode(name, &mut address);
        address.push('/');
    }
    address.push_str(query);
    address
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::{env, process};

    use super::*;

    fn status<T>(result: Result<T, Refusal>) -> u16 {
        result.map_or_else(|refusal| refusal.status, |_| 200)
    }

    /// The files of a folder of this very package.
    fn files(folder: &str) -> Files {
        Files::new(Path::new(folder)).expect("a folder")
    }

    /// A temporary folder, removed when dropped. In it are the folder `root`, with
    /// two pages, and `root-b`, with a secret.
    struct Place(PathBuf);

    impl Place {
        fn new() -> Place {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            let place = Place(
                env::temp_dir().join(format!("files-{}-{next}", process::id())),
            );
            for file in ["root/index.html", "root/sub/page.txt", "root-b/secret.txt"]
            {
                let path = place.0.join(file);
                let folder = path.parent().expect("a file in a folder");
                fs::create_dir_all(folder).expect("a temporary folder");
                fs::write(path, "x").expect("a temporary file");
            }
            place
        }

        fn files(&self) -> Files {
            Files::new(&self.0.join("root")).expect("a folder")
        }

        /// Makes a link in `root`, by its path there, that leads to `target` in the
        /// whole place.
        #[cfg(unix)]
        fn link(&self, path: &str, target: &str) {
            let link = self.0.join("root").join(path);
            std::os::unix::fs::symlink(self.0.join(target), link)
                .expect("a symbolic link");
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            // What cannot be removed stays in the temporary directory, which the
            // system empties.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn head(response: &Response) -> String {
        let mut out = Vec::new();
        response.append_to(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn decode_leaves_other_characters_alone() {
        assert_eq!(decode(""), Ok(String::new()));
        assert_eq!(decode("a+b~c.txt").as_deref(), Ok("a+b~c.txt"));
    }

    #[test]
    fn decode_makes_one_byte_of_a_percent_sign_and_two_digits() {
        assert_eq!(decode("a%20b").as_deref(), Ok("a b"));
        assert_eq!(decode("%2e%2E").as_deref(), Ok(".."));
        assert_eq!(decode("%C5%BC%c3%b3").as_deref(), Ok("żó"));
    }

    #[test]
    fn decode_decodes_once() {
        assert_eq!(decode("100%25").as_deref(), Ok("100%"));
        assert_eq!(decode("%2541").as_deref(), Ok("%41"));
    }

    #[test]
    fn decode_refuses_what_is_malformed() {
        for segment in ["%", "a%4", "%zz", "%4g", "%+1", "% 1", "%é"] {
            let outcome = decode(segment);
            let shown = format!("decode({segment:?}) is {outcome:?}");
            assert_eq!(status(outcome), 400, "{shown}");
        }
    }

    #[test]
    fn decode_refuses_nul_and_what_is_not_utf_8() {
        for (segment, wanted) in [("a%00b", 400), ("%ff%fe", 404), ("%c0%ae", 404)] {
            let outcome = decode(segment);
            let shown = format!("decode({segment:?}) is {outcome:?}");
            assert_eq!(status(outcome), wanted, "{shown}");
        }
    }

    #[test]
    fn is_ordinary_accepts_one_name() {
        for name in ["a.txt", "..a", "a..", "a b", "%2e", ".profile", "żółw"] {
            assert!(is_ordinary(name), "{name:?} is one name, and was refused");
        }
    }

    #[test]
    fn is_ordinary_refuses_what_leads_elsewhere() {
        for name in [
            "..", ".", "", "a/b", "a/", "/", "/etc", "../a", "a/.", "./a",
        ] {
            assert!(!is_ordinary(name), "{name:?} was taken for one name");
        }
    }

    #[test]
    #[cfg(unix)]
    fn is_ordinary_accepts_what_means_nothing_here() {
        for name in ["a:b", r"a\b"] {
            assert!(is_ordinary(name), "{name:?} is one name here");
        }
    }

    #[test]
    #[cfg(windows)]
    fn is_ordinary_refuses_drives_streams_and_backslashes() {
        for name in ["C:", "C:a", "a.txt::$DATA", r"a\b", r"\\host", r"..\a"] {
            assert!(!is_ordinary(name), "{name:?} was taken for one name");
        }
    }

    #[test]
    fn names_splits_before_anything_else() {
        let wanted = ["a b", "c"].map(str::to_owned);
        assert_eq!(names("/a%20b/c"), Ok(wanted.to_vec()));
        assert_eq!(names("//a%20b/./c/"), Ok(wanted.to_vec()));
    }

    #[test]
    fn names_are_none_for_the_root() {
        for path in ["/", "//", "/./", "/%2e"] {
            assert_eq!(names(path), Ok(Vec::new()), "names({path:?})");
        }
    }

    #[test]
    fn names_refuses_what_leads_elsewhere() {
        for path in ["/..", "/a/../b", "/%2e%2e/a", "/.%2E", "/a%2fb", "/%2fetc"] {
            let outcome = names(path);
            let shown = format!("names({path:?}) is {outcome:?}");
            assert_eq!(status(outcome), 404, "{shown}");
        }
    }

    #[test]
    fn inside_returns_what_is_below_the_root() {
        let files = files("src");
        let path = files.root.join("main.rs");
        assert_eq!(files.inside(&path), Ok(path));
    }

    #[test]
    fn inside_refuses_what_is_outside_or_not_there() {
        let files = files("src");
        for path in ["../Cargo.toml", "..", "nowhere"] {
            let outcome = files.inside(&files.root.join(path));
            assert_eq!(status(outcome), 404, "{path:?}, seen from the root");
        }
    }

    #[test]
    fn inside_refuses_a_folder_whose_name_begins_as_that_of_the_root() {
        let place = Place::new();
        let files = place.files();
        let outcome = files.inside(&files.root.join("../root-b/secret.txt"));
        assert_eq!(status(outcome), 404, "root-b is not root");
    }

    #[test]
    #[cfg(unix)]
    fn inside_refuses_links_that_lead_out() {
        let place = Place::new();
        place.link("file", "root-b/secret.txt");
        place.link("folder", "root-b");
        place.link("sub/up", "");
        let files = place.files();
        for path in [
            "file",
            "folder",
            "folder/secret.txt",
            "sub/up/root-b/secret.txt",
        ] {
            let outcome = files.inside(&files.root.join(path));
            assert_eq!(status(outcome), 404, "{path:?} leads out of the root");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_open_file_tells_where_it_lies() {
        let file = |name: &str| File::open(name).expect("a file");
        assert!(files("src").holds(&file("src/main.rs")));
        assert!(!files("src").holds(&file("Cargo.toml")));
    }

    #[test]
    fn find_finds_a_file() {
        let place = Place::new();
        let files = place.files();
        let path = files.root.join("sub").join("page.txt");
        assert_eq!(files.find("/sub/page.txt?q=1"), Ok(Found::File(path)));
    }

    #[test]
    fn find_adds_the_index_to_a_folder() {
        let place = Place::new();
        let files = place.files();
        let path = files.root.join("index.html");
        assert_eq!(files.find("/?q=1"), Ok(Found::File(path)));
    }

    #[test]
    fn find_gives_a_folder_its_own_address_and_keeps_the_query() {
        let place = Place::new();
        let found = place.files().find("/sub?q=1");
        assert_eq!(found, Ok(Found::Folder("/sub/?q=1".to_owned())));
    }

    #[test]
    fn find_refuses_the_rest() {
        let place = Place::new();
        let files = place.files();
        // This folder has no index.html, and a file is no folder.
        for target in [
            "/nowhere",
            "/sub/",
            "/index.html/",
            "/../root-b/secret.txt",
            "/..%2froot-b/secret.txt",
        ] {
            assert_eq!(status(files.find(target)), 404, "find({target:?})");
        }
    }

    #[test]
    #[cfg(unix)]
    fn find_refuses_an_index_that_leads_out() {
        let place = Place::new();
        place.link("sub/index.html", "root-b/secret.txt");
        let outcome = place.files().find("/sub/");
        assert_eq!(status(outcome), 404, "index.html is a link out of the root");
    }

    #[test]
    fn respond_serves_an_index_as_a_page() {
        let head = head(&Place::new().files().respond("/"));
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Type: text/html"), "{head}");
    }

    #[test]
    fn a_target_is_a_path_or_a_url() {
        assert_eq!(path_and_query("/a?b?c"), Ok(("/a", "?b?c")));
        assert_eq!(path_and_query("http://host/a?b"), Ok(("/a", "?b")));
        assert_eq!(path_and_query("HTTPS://host:1"), Ok(("/", "")));
        assert_eq!(path_and_query("http://host?/a"), Ok(("/", "?/a")));
        for target in ["a", "*", "", "host:1", "http:///a", "file://host/a"] {
            assert_eq!(status(path_and_query(target)), 400, "{target:?}");
        }
    }

    #[test]
    fn an_address_is_encoded() {
        let names = ["a b\r\nC: d", "é"].map(str::to_owned);
        assert_eq!(address(&names, "?q"), "/a%20b%0D%0AC%3A%20d/%C3%A9/?q");
    }

    #[test]
    fn an_ending_decides_the_type() {
        for (name, wanted) in [
            ("a.b.html", "text/html; charset=utf-8"),
            ("A.XML", "application/xml"),
            ("a.webp", "image/webp"),
            ("a.woff", "font/woff"),
            ("README", "application/octet-stream"),
            (".html", "application/octet-stream"),
        ] {
            assert_eq!(content_type(Path::new(name)), wanted, "{name}");
        }
    }

    #[test]
    fn an_error_becomes_a_status_code() {
        for (kind, wanted) in [
            (ErrorKind::NotFound, 404),
            (ErrorKind::PermissionDenied, 403),
            (ErrorKind::Other, 500),
        ] {
            assert_eq!(refuse(kind.into()).status, wanted, "{kind:?}");
        }
    }
}
