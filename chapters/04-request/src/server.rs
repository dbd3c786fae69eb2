//! Who runs conversations: here, one after the other.

use std::io::{self, Write};
use std::net::TcpListener;

use crate::connection::Connection;
use crate::conversation::converse;
use crate::log::log;

/// Says where the listener listens, then serves one client after the other forever.
///
/// # Errors
///
/// Returns an error if stdout can't be written to.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    for connection in listener.incoming() {
        match connection {
            Ok(stream) => {
                // One client's failure is no reason to leave the others.
                if let Err(error) = converse(Connection::new(stream)) {
                    log(&format!("a connection failed: {error}"));
                }
            }
            Err(error) => log(&format!("cannot accept a connection: {error}")),
        }
    }
    Ok(())
}
