//! One client's requests and answers, one after the other.

use std::io;

use crate::app;
use crate::connection::Connection;
use crate::refusal::Failure;
use crate::request::{Persistence, Request};
use crate::response::Response;

/// Answers the requests that a client sends, until none is left over.
///
/// # Errors
///
/// Returns the error of a failed read or write, such as a reset connection.
pub fn converse(mut connection: Connection) -> io::Result<()> {
    loop {
        let (response, persistence) = match next_answer(&mut connection) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(()),
            Err(Failure::Refused(refusal)) => (refusal.into(), Persistence::Close),
            Err(Failure::Lost(error)) => return Err(error),
        };
        if !connection.send(&response, persistence)? {
            connection.finish();
            return Ok(());
        }
    }
}

/// Reads a request and answers it. `None` means that the client is done.
fn next_answer(
    connection: &mut Connection,
) -> Result<Option<(Response, Persistence)>, Failure> {
    let Some(len) = connection.read_head()? else {
        return Ok(None);
    };
    let request = Request::parse(connection.head(len))?;
    let answer = (app::respond(&request), request.persistence());
    connection.consume(len);
    Ok(Some(answer))
}
