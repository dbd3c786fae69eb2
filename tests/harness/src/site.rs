//! A temporary folder of files to serve.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::machine::while_descriptors_are_short;

/// A temporary folder, removed when dropped.
///
/// # Panics
///
/// Its methods panic if the machine refuses a file: the program under test isn't to
/// blame for that.
pub struct Site {
    outer: PathBuf,
}

impl Default for Site {
    fn default() -> Site {
        Site::new()
    }
}

impl Site {
    /// Makes an empty folder, and a parent folder around it for files that must not
    /// be served.
    pub fn new() -> Site {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("course-site-{}-{next}", std::process::id());
        let outer = std::env::temp_dir().join(name);
        let site = Site { outer };
        fs::create_dir_all(site.root()).expect("a folder in the temporary directory");
        site
    }

    /// The folder to serve.
    pub fn root(&self) -> PathBuf {
        self.outer.join("site")
    }

    /// [`Site::root`] as a command-line argument.
    pub fn arg(&self) -> String {
        self.root().display().to_string()
    }

    /// Writes a file at `path`, relative to the root, with the folders it needs.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Site {
        write(&self.root().join(path), content.as_ref());
        self
    }

    /// Makes a file of `len` bytes that ends in `end`, without writing what comes
    /// before.
    pub fn large_file(&self, path: &str, len: u64, end: &[u8]) -> &Site {
        let path = self.root().join(path);
        let file = while_descriptors_are_short(&mut || fs::File::create(&path))
            .expect("a file to serve");
        let mut file = &file;
        file.seek(SeekFrom::Start(len - end.len() as u64))
            .and_then(|_| file.write_all(end))
            .expect("a large file to serve");
        self
    }

    /// Makes a file longer.
    pub fn append(&self, path: &str, content: impl AsRef<[u8]>) -> &Site {
        let path = self.root().join(path);
        let file = fs::OpenOptions::new().append(true).open(path);
        file.and_then(|mut file| file.write_all(content.as_ref()))
            .expect("a longer file");
        self
    }

    /// Makes a symbolic link at `path`, relative to the root, that leads to `target`.
    #[cfg(unix)]
    pub fn link(&self, path: &str, target: &Path) -> &Site {
        std::os::unix::fs::symlink(target, self.root().join(path))
            .expect("a symbolic link");
        self
    }

    /// Writes a file next to the root: one that no request may read.
    pub fn outside(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.outer.join(path);
        write(&path, content.as_ref());
        path
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What can't be removed stays in the temporary directory, which the system
        // empties.
        let _ = fs::remove_dir_all(&self.outer);
    }
}

fn write(path: &Path, content: &[u8]) {
    let folder = path.parent().expect("a file in a folder");
    fs::create_dir_all(folder).expect("a folder for the file");
    while_descriptors_are_short(&mut || fs::write(path, content))
        .expect("a file to serve");
}
