//! What is served: a function from request to response.

use crate::request::{Method, Request, Version};
use crate::response::Response;

/// Answers with what was understood of the request, a line for each part of it.
pub fn respond(request: &Request) -> Response {
    let method = match request.method() {
        Method::Get => "GET",
        Method::Head => "HEAD",
        _ => return Response::new(405).with_field("Allow", "GET, HEAD"),
    };
    let version = match request.version() {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
    };
    let target = request.target();
    let mut body =
        format!("method {method}\ntarget {target}\nversion {version}\n").into_bytes();
    for (name, value) in request.fields() {
        body.extend_from_slice(name.to_ascii_lowercase().as_bytes());
        body.extend_from_slice(b": ");
        body.extend_from_slice(value);
        body.push(b'\n');
    }
    Response::new(200)
        .with_field("Content-Type", "text/plain; charset=utf-8")
        .with_body(body)
}
