//! Who runs conversations: here, a thread for each of them.

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use crate::app::App;
use crate::connection::Connection;
use crate::conversation::converse;
use crate::log::log;

/// Says where the listener listens, then serves one client after the other forever.
///
/// # Errors
///
/// Returns an error if stdout can't be written to.
pub fn serve(listener: &TcpListener, app: &App) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    for connection in listener.incoming() {
        match connection {
            Ok(stream) => {
                todo!(
                    "(1 of 2) call converse on a thread of its own, log its error \
                     there, wait for nothing, and go on if there is no thread"
                )
            }
            Err(error) => log(&format!("cannot accept a connection: {error}")),
        }
    }
    Ok(())
}
