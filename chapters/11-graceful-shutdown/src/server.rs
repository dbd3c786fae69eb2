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
use crate::options::Options;
use crate::pool::ThreadPool;
use crate::stop::{self, Stop};

/// How long to wait after a failed accept.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// How long to wait at most, if the next ones fail as well.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Says where the listener listens, then has the pool serve its clients until the
/// server is asked to stop.
///
/// # Errors
///
/// Returns an error if stdout can't be written to, or if nothing could stop the
/// server.
pub fn serve(
    listener: TcpListener,
    app: &Arc<App>,
    pool: &ThreadPool,
    options: &Options,
) -> io::Result<()> {
    let addr = listener.local_addr()?;
    let stop = Arc::new(Stop::new(addr));
    stop::watch(&stop, options.until_eof, options.grace)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{addr}")?;
    stdout.flush()?;

    let mut pause = FIRST_PAUSE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                pause = FIRST_PAUSE;
                let (app, client) = (Arc::clone(app), Stop::admit(&stop));
                let patience = options.patience;
                let job = move || {
                    let outcome = Connection::new(stream, patience, client)
                        .and_then(|connection| converse(connection, &app));
                    // One client's failure is no reason to leave the others.
                    if let Err(error) = outcome {
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
        if stop.has_begun() {
            todo!(
                "(3 of 6) take the clients that the kernel has connected already, \
                 then return; the loop above can do it, with a listener that doesn't \
                 wait"
            )
        }
    }
}

/// Whether accepting failed because the client left while it waited. Windows calls
/// that `ConnectionReset`, other systems `ConnectionAborted`.
fn has_left(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}
