//! One client's requests and answers, one after the other.

use std::io;
use std::panic::catch_unwind;

use crate::app::App;
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
pub fn converse(mut connection: Connection, app: &App) -> io::Result<()> {
    loop {
        let (response, persistence) = match next_answer(&mut connection, app) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(()),
            Err(Failure::Refused(refusal)) => (refusal.into(), Persistence::Close),
            Err(Failure::Lost(error)) => return Err(error),
        };
        let sent = connection.send(response, persistence);
        if !matches!(sent, Ok(true)) {
            // Even if a file has failed halfway: the answers before it are finished,
            // and still have to arrive.
            let finished = connection.finish();
            return sent.and(finished);
        }
    }
}

/// Reads a request and answers it. `None` means that the client is done.
fn next_answer(
    connection: &mut Connection,
    app: &App,
) -> Result<Option<(Response, Persistence)>, Failure> {
    let Some(len) = connection.read_head()? else {
        return Ok(None);
    };
    let request = Request::parse(connection.head(len))?;
    let content = Content::of(&request)?;
    let (response, persistence) = (respond(app, &request), request.persistence());
    if request.expects_continue() && !content.is_complete() {
        // The client would send the content when told to; nothing here wants it.
        return Ok(Some((response, Persistence::Close)));
    }
    connection.consume(len);
    connection.skip(content)?;
    Ok(Some((response, persistence)))
}

/// Has the app answer. A handler that panics is answered with 500.
fn respond(app: &App, request: &Request) -> Response {
    catch_unwind(|| app.respond(request)).unwrap_or_else(|_| {
        Refusal::new(500, "the handler of this request failed").into()
    })
}
