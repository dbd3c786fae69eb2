//! Who runs conversations: here, the threads of a pool.

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;

use crate::app::App;
use crate::connection::Connection;
use crate::conversation::converse;
use crate::log::log;
use crate::pool::ThreadPool;

/// Says where the listener listens, then has the pool serve its clients forever.
///
/// # Errors
///
/// Returns an error if stdout can't be written to.
pub fn serve(
    listener: &TcpListener,
    app: &Arc<App>,
    pool: &ThreadPool,
) -> io::Result<()> {
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
                pool.execute(job);
            }
            Err(error) => log(&format!("cannot accept a connection: {error}")),
        }
    }
    Ok(())
}
