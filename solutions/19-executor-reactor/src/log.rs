//! One line on stderr.

use std::io::{self, Write};

/// Writes a line to stderr. If that fails, there's nowhere left to say so.
pub fn log(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
