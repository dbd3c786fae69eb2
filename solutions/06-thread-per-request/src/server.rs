//! Who runs conversations: here, a thread for each of them.

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use crate::app::App;
use crate::connection::Connection;
use crate::conversation::converse;
use crate::log::log;

// ANCHOR: serve
/// Says where the listener listens, then serves each client on a thread of its own,
/// forever.
///
/// # Errors
///
/// Returns an error if stdout can't be written to.
pub fn serve(listener: &TcpListener, app: &Arc<App>) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    for connection in listener.incoming() {
        match connection {
            Ok(stream) => {
                let app = Arc::clone(app);
                let job = move || {
                    // One client's failure is no reason to leave the others.
                    if let Err(error) = converse(Connection::new(stream), &app) {
                        log(&format!("a connection failed: {error}"));
                    }
                };
                // If the system has no thread to spare, the stream is dropped with
                // the job.
                if let Err(error) = thread::Builder::new().spawn(job) {
                    log(&format!("no thread for a connection: {error}"));
                }
            }
            Err(error) => log(&format!("cannot accept a connection: {error}")),
        }
    }
    Ok(())
}
// ANCHOR_END: serve
