//! Who runs conversations: here, the threads of a pool.

use std::io::{self, ErrorKind, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::app::App;
use crate::connection::Connection;
use crate::conversation::converse;
use crate::log::log;
use crate::pool::ThreadPool;

/// How long to wait after a failed accept.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// How long to wait at most, if the next ones fail as well.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Says where the listener listens, then has the pool serve its clients forever.
///
/// # Errors
///
/// Returns an error if stdout can't be written to.
pub fn serve(
    listener: &TcpListener,
    app: &Arc<App>,
    pool: &ThreadPool,
    patience: Duration,
) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    // ANCHOR: accept
    let mut pause = FIRST_PAUSE;
    for connection in listener.incoming() {
        match connection {
            Ok(stream) => {
                pause = FIRST_PAUSE;
                let app = Arc::clone(app);
                let job = move || {
                    // One client's failure is no reason to leave the others.
                    if let Err(error) =
                        converse(Connection::new(stream, patience), &app)
                    {
                        log(&format!("a connection failed: {error}"));
                    }
                };
                pool.execute(job);
            }
            // This client left while it was waiting: the next one is there.
            Err(error) if has_left(&error) => {}
            // Something is used up, file descriptors perhaps. Trying again at once
            // would burn a core until something is given back.
            Err(error) => {
                log(&format!("cannot accept a connection: {error}"));
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    // ANCHOR_END: accept
    Ok(())
}

/// Whether accepting failed because the client left while it waited. Windows calls
/// that `ConnectionReset`, other systems `ConnectionAborted`.
fn has_left(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}
