//! What is served: a function from request to response.

use crate::files::Files;
use crate::http::{Method, Refusal, Request, Response};

// ANCHOR: app
/// The site: everything that a request can be about.
pub struct App {
    files: Files,
}

impl App {
    /// A site of these files.
    pub fn new(files: Files) -> App {
        App { files }
    }

    /// Answers a request.
    pub fn respond(&self, request: &Request) -> Response {
        let response = match request.method {
            Method::Get | Method::Head => self.files.respond(request.target),
            _ => Response::from(Refusal::new(405, "this resource can only be read"))
                .with_field("Allow", "GET, HEAD"),
        };
        match request.method {
            Method::Head => response.without_content(),
            _ => response,
        }
    }
}
// ANCHOR_END: app
