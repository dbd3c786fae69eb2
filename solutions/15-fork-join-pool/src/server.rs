//! Who runs conversations: here, the threads of a pool.

use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::app::App;
use crate::connection::Connection;
use crate::conversation::converse;
use crate::log::log;
use crate::options::Options;
use crate::pool::{Full, ThreadPool};
use crate::stop::{self, Stop};
use crate::usher::Usher;

/// How long to wait after a failed accept.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// How long to wait at most, if the next ones fail as well.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where clients come in: the pool serves them, or they are turned away.
struct Reception<'a> {
    app: &'a Arc<App>,
    pool: &'a ThreadPool,
    stop: Arc<Stop>,
    patience: Duration,
    usher: Usher,
}

impl Reception<'_> {
    /// Has the pool serve a client, or turns it away if too many others wait already.
    fn take_in(&self, stream: TcpStream) {
        let stream = Arc::new(stream);
        let job = {
            let (stream, app) = (Arc::clone(&stream), Arc::clone(self.app));
            let (client, patience) = (Stop::admit(&self.stop), self.patience);
            move || {
                let outcome = Connection::new(stream, patience, client)
                    .and_then(|connection| converse(connection, &app));
                // One client's failure is no reason to leave the others.
                if let Err(error) = outcome {
                    log(&format!("a connection failed: {error}"));
                }
            }
        };
        if self.pool.execute(job) == Err(Full) {
            self.usher.turn_away(stream);
        }
    }
}

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
    let usher = Usher::new()?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{addr}")?;
    stdout.flush()?;

    let reception = Reception {
        app,
        pool,
        stop: Arc::clone(&stop),
        patience: options.patience,
        usher,
    };
    let mut pause = FIRST_PAUSE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                pause = FIRST_PAUSE;
                reception.take_in(stream);
            }
            // Stopping has begun, and everyone whom the kernel had connected is
            // taken. The listener is dropped here, and the kernel refuses the clients
            // that come now.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
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
            // Clients that the kernel has connected may have sent their requests:
            // they are taken, and no others are awaited.
            listener.set_nonblocking(true)?;
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
