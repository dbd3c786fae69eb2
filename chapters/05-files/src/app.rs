//! What is served: a function from request to response.

use crate::files::Files;
use crate::refusal::Refusal;
use crate::request::{Method, Request};
use crate::response::Response;
use crate::target_path::Target;

/// The site: everything that a request can be about.
#[derive(Debug)]
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
        match request.method() {
            Method::Get | Method::Head => {
                self.get(request).unwrap_or_else(Response::from)
            }
            _ => Response::from(Refusal::new(405, "this resource can only be read"))
                .with_field("Allow", "GET, HEAD"),
        }
    }

    /// Answers a request that wants to read something.
    fn get(&self, request: &Request) -> Result<Response, Refusal> {
        let target = Target::parse(request.target())?;
        self.files.respond(&target)
    }
}
