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

// ANCHOR: next_answer
/// Reads a request and answers it. `None` means that the client is done.
async fn next_answer(
    connection: &mut Connection,
    app: &App,
) -> Result<Option<(Response, Persistence)>, Failure> {
    let Some(len) = connection.read_head().await? else {
        return Ok(None);
    };
    let request = Request::parse(connection.head(len))?;
    let content = Content::of(&request)?;
    let (response, persistence) = (
        Box::pin(respond(app, app.route(&request))),
        request.persistence(),
    );
    if request.expects_continue() && !content.is_complete() {
        // The client would send the content when told to; nothing here wants it.
        let response = connection.while_here(response).await?;
        return Ok(Some((response, Persistence::Close)));
    }
    connection.consume(len);
    connection.skip(content).await?;
    let response = connection.while_here(response).await?;
    Ok(Some((response, persistence)))
}
// ANCHOR_END: next_answer

/// Has the app answer. A handler that panics is answered with 500.
async fn respond(app: &App, route: Route) -> Response {
    catch_unwind(app.respond(route)).await.unwrap_or_else(|_| {
        Refusal::new(500, "the handler of this request failed").into()
    })
}
