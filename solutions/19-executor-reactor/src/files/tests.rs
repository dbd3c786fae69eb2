use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, process};

use super::*;
use crate::request::Persistence;

fn status<T>(result: Result<T, Refusal>) -> u16 {
    result.map_or_else(|refusal| refusal.status, |_| 200)
}

/// What the target leads to.
fn find(files: &Files, target: &str) -> Result<Found, Refusal> {
    files.find(&Target::parse(target)?)
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
        let place =
            Place(env::temp_dir().join(format!("files-{}-{next}", process::id())));
        for file in ["root/index.html", "root/sub/page.txt", "root-b/secret.txt"] {
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
    response.append_head(Persistence::Persist, "", &mut out);
    String::from_utf8_lossy(&out).into_owned()
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
    assert_eq!(find(&files, "/sub/page.txt?q=1"), Ok(Found::File(path)));
}

#[test]
fn find_adds_the_index_to_a_folder() {
    let place = Place::new();
    let files = place.files();
    let path = files.root.join("index.html");
    assert_eq!(find(&files, "/?q=1"), Ok(Found::File(path)));
}

#[test]
fn find_gives_a_folder_its_own_address_and_keeps_the_query() {
    let place = Place::new();
    let found = find(&place.files(), "/sub?q=1");
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
        "/index.html/.",
        "/index.html/%2E",
        "/../root-b/secret.txt",
        "/..%2froot-b/secret.txt",
    ] {
        assert_eq!(status(find(&files, target)), 404, "find({target:?})");
    }
}

#[test]
#[cfg(unix)]
fn find_refuses_an_index_that_leads_out() {
    let place = Place::new();
    place.link("sub/index.html", "root-b/secret.txt");
    let outcome = find(&place.files(), "/sub/");
    assert_eq!(status(outcome), 404, "index.html is a link out of the root");
}

#[test]
#[cfg(windows)]
fn find_takes_no_device_for_a_file() {
    let place = Place::new();
    let files = place.files();
    for target in [
        "/NUL",
        "/con.html",
        "/COM1",
        "/index.html%20",
        "/sub./page.txt",
    ] {
        assert_eq!(status(find(&files, target)), 404, "find({target:?})");
    }
}

#[test]
fn respond_serves_an_index_as_a_page() {
    let target = Target::parse("/").expect("a target");
    let response = Place::new().files().respond(&target);
    let head = head(&response.expect("a page"));
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\nContent-Type: text/html"), "{head}");
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
