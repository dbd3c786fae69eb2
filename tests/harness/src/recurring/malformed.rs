//! Requests that chapter 04 refuses, and every later chapter after it.

/// Requests that must get 400, and what is wrong with each.
pub fn malformed_requests() -> Vec<(String, &'static str)> {
    let lines = [
        ("\0\u{1}\u{2}", "the request line isn't text at all."),
        ("GET", "the request line is one word; it needs three."),
        ("GET  HTTP/1.1", "the target is empty."),
        (
            "GET /",
            "HTTP/0.9 had no version; since then a request line has three words.",
        ),
        (
            "GET / a HTTP/1.1",
            "a space inside the target makes four words.",
        ),
        ("GET / HTTP/1.1 a", "there is a fourth word."),
        (
            "G(T / HTTP/1.1",
            "a method is a token, and no parenthesis can be in a token.",
        ),
        ("GET / http/1.1", "the version is written in capitals."),
        (
            "GET / HTTP/1",
            "a version has two digits with a point between them.",
        ),
        (
            "GET / HTTP/1.x",
            "a version has two digits with a point between them, and x isn't one.",
        ),
        (
            "GET / HTTP/1.10",
            "a version has two digits with a point between them; this has three.",
        ),
        (
            "GET /\u{7f} HTTP/1.1",
            "a control character can't be in a target.",
        ),
    ];
    const PORT: &str = "a host is a name or an address, and perhaps a colon and a \
                        port, which is digits (RFC 9112, section 3.2). is_host(), \
                        which is given, knows that.";
    let fields = [
        ("Host a", "a field line needs a colon."),
        (
            "Host : a",
            "white space between name and colon must be refused (RFC 9112, section \
             5.1): one server trims it and another takes \"Host \" for another name, \
             and that difference is a hole.",
        ),
        (": a\r\nHost: a", "a field name can't be empty."),
        (
            "Host: a\r\nX(: a",
            "a field name is a token, and no parenthesis can be in a token.",
        ),
        (
            "Host: a\r\n b",
            "a line that begins with white space once continued the line before. A \
             server refuses it, or puts a space in its place (RFC 9112, section \
             5.2), which no host can have.",
        ),
        (
            "X: a",
            "a 1.1 request without a Host field must be refused (RFC 9112, section \
             3.2).",
        ),
        (
            "Host: a\r\nhost: a",
            "a request with two Host fields must be refused (RFC 9112, section 3.2).",
        ),
        ("Host: a b", "a space can't be in a host."),
        ("Host: a:80:80", PORT),
        ("Host: a:b", PORT),
        ("Host: [::1", PORT),
    ];
    let lines = lines.map(|(line, why)| (format!("{line}\r\nHost: a\r\n\r\n"), why));
    let fields =
        fields.map(|(line, why)| (format!("GET / HTTP/1.1\r\n{line}\r\n\r\n"), why));
    lines.into_iter().chain(fields).collect()
}
