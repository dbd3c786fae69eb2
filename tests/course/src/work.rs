//! Small things that the checks of the book share: folders of chapters and scratch
//! space.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, io, process, thread};

use crate::Result;
use crate::layout::cannot;

/// What is in a folder, in order; nothing if there is no such folder.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let reader = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        reader => reader.map_err(|e| cannot("read", folder, &e))?,
    };
    let mut paths: Vec<PathBuf> =
        reader.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// The files that end in `ending`, in all folders in `folder`, in order.
pub fn files_of_chapters(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for chapter in entries(folder)? {
        if chapter.is_dir() {
            found.extend(entries(&chapter)?);
        }
    }
    found.retain(|file| file.extension().is_some_and(|end| end == ending));
    Ok(found)
}

/// How many things to do at once.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

/// A folder of our own under the system's temporary one, removed when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes a fresh, empty folder.
    pub fn new(purpose: &str) -> Result<Scratch> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("course-{purpose}-{}-{n}", process::id());
        let path = env::temp_dir().join(name);
        match fs::create_dir(&path) {
            Ok(()) => Ok(Scratch(path)),
            // Left behind by a process that had the same number.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                Scratch::new(purpose)
            }
            Err(e) => Err(cannot("make", &path, &e)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}
