//! What is served: a function from request to response.

use crate::http::{Method, Request, Response, Version};

/// Answers with what was understood of the request, a line for each part of it.
pub fn respond(request: &Request) -> Response {
    let method = match request.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        _ => return Response::new(405).with_field("Allow", "GET, HEAD"),
    };
    let version = match request.version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
    };
    let request_line = format!(
        "method {method}\ntarget {}\nversion {version}\n",
        request.target
    );
    let mut body = request_line.into_bytes();
    for (name, value) in request.fields() {
        body.extend_from_slice(name.to_ascii_lowercase().as_bytes());
        body.extend_from_slice(b": ");
        body.extend_from_slice(value);
        body.push(b'\n');
    }
    let response = Response::new(200)
        .with_field("Content-Type", "text/plain; charset=utf-8")
        .with_body(body);
    match request.method {
        Method::Head => response.without_content(),
        _ => response,
    }
}
