//! One line on stderr.

use std::io::{self, Write};

/// Writes a line to stderr.
pub fn log(message: &str) {
    // If stderr itself is gone, there's no one left to tell.
    let _ = writeln!(io::stderr(), "{message}");
}
