//! Who runs conversations: here, one thread with a loop.

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;

use crate::app::App;
use crate::event_loop::EventLoop;
use crate::options::Options;
use crate::stop::{self, Stop};

/// Says where the listener listens, then serves its clients until the server is asked
/// to stop.
///
/// # Errors
///
/// Returns an error if stdout can't be written to, if nothing could stop the server,
/// or if the listener can't be told not to wait.
pub fn serve(
    listener: TcpListener,
    app: &Arc<App>,
    options: &Options,
) -> io::Result<()> {
    let addr = listener.local_addr()?;
    let stop = Arc::new(Stop::new()?);
    stop::watch(&stop, options.until_eof, options.grace)?;
    let (limit, patience) = (options.connections, options.patience);
    let event_loop = EventLoop::new(listener, app, stop, limit, patience)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{addr}")?;
    stdout.flush()?;
    event_loop.run()
}
