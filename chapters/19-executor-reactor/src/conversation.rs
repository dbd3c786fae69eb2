//! One client's requests and answers, one after the other.

use std::io;

use crate::app::{App, Route};
use crate::catch_unwind::catch_unwind;
use crate::connection::Connection;
use crate::content::Content;
use crate::refusal::{Failure, Refusal};
use crate::request::{Persistence, Request};
use crate::response::Response;

/// Answers the requests that a client sends, until none is left over.
///
/// # Errors
///
/// Returns the error of a failed read or write, such as a reset connection.
pub async fn converse(mut connection: Box<Connection>, app: &App) -> io::Result<()> {
    loop {
        let (response, persistence) = match next_answer(&mut connection, app).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(()),
            Err(Failure::Refused(refusal)) => (refusal.into(), Persistence::Close),
            Err(Failure::Lost(error)) => return Err(error),
        };
        let sent = connection.send(response, persistence).await;
        if !matches!(sent, Ok(true)) {
            // Even if a file has failed halfway: the answers before it are finished,
            // and still have to arrive.
            let finished = connection.finish().await;
            return sent.and(finished);
        }
    }
}

/// Reads a request and answers it. `None` means that the client is done.
async fn next_answer(
    connection: &mut Connection,
    app: &App,
) -> Result<Option<(Response, Persistence)>, Failure> {
    todo!("(8 of 8) chapter 13's lines, each wait with .await")
}

/// Has the app answer. A handler that panics is answered with 500.
async fn respond(app: &App, route: Route) -> Response {
    catch_unwind(app.respond(route)).await.unwrap_or_else(|_| {
        Refusal::new(500, "the handler of this request failed").into()
    })
}
