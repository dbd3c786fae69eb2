//! Who runs conversations: here, tasks of one thread.

use std::io::{self, Write};
use std::net;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::connection::Connection;
use crate::conversation::converse;
use crate::door::Door;
use crate::executor::{run, spawn};
use crate::log::log;
use crate::net::TcpStream;
use crate::options::Options;
use crate::places::{Place, Places};
use crate::refusal::Refusal;
use crate::select::{Either, select};
use crate::stop::{self, Stop, Subscription};

const BUSY: Refusal = Refusal::new(503, "the server is busy");

/// Says where the listener listens, then serves its clients until the server is asked
/// to stop.
///
/// # Errors
///
/// Returns an error if stdout can't be written to, if nothing could stop the server,
/// or if the system can't wait for clients.
pub fn serve(
    listener: net::TcpListener,
    app: &Arc<App>,
    options: &Options,
) -> io::Result<()> {
    let addr = listener.local_addr()?;
    let stop = Arc::new(Stop::default());
    stop::watch(&stop, options.until_eof, options.grace)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{addr}")?;
    stdout.flush()?;
    let reception = Reception {
        app: Arc::clone(app),
        places: Places::new(options.connections),
        patience: options.patience,
        stop,
    };
    run(async move {
        if let Err(error) = reception.open(listener).await {
            log(&format!("cannot accept clients: {error}"));
        }
    })
}

/// Where clients come in, and what they find.
struct Reception {
    app: Arc<App>,
    places: Arc<Places>,
    patience: Duration,
    stop: Arc<Stop>,
}

impl Reception {
    /// Takes clients in until the server is to stop.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't watch the listener.
    async fn open(&self, listener: net::TcpListener) -> io::Result<()> {
        let mut door = Door::new(listener, &self.places)?;
        let mut stopping = Subscription::new(&self.stop);
        loop {
            match select(pin!(stopping.begun()), pin!(door.accept())).await {
                Either::First(()) => break,
                Either::Second(stream) => self.take_in(stream?),
            }
        }
        // Those that the kernel had connected are let in. It refuses the clients that
        // come once the door is dropped.
        while let Some(stream) = door.look_outside().await {
            self.take_in(stream);
        }
        Ok(())
    }

    /// Has a task serve a client, or turn it away if there are too many others.
    fn take_in(&self, stream: net::TcpStream) {
        let Some(place) = Places::take(&self.places) else {
            return;
        };
        let client = Stop::admit(&self.stop);
        match TcpStream::new(stream) {
            Ok(stream) => {
                let connection = Connection::new(stream, self.patience, client);
                let app = Arc::clone(&self.app);
                spawn(attend_to(Box::new(connection), place, app));
            }
            Err(error) => log(&format!("a connection failed: {error}")),
        }
    }
}

/// Serves one client, or tells it that the server is busy.
async fn attend_to(mut connection: Box<Connection>, place: Place, app: Arc<App>) {
    let outcome = if place.is_turned_away {
        Box::pin(connection.turn_away(BUSY)).await
    } else {
        converse(connection, &app).await
    };
    // One client's failure is no reason to leave the others.
    if let Err(error) = outcome {
        log(&format!("a connection failed: {error}"));
    }
}
