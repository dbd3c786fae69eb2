use super::*;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// The response as it goes over the wire.
fn formatted(response: Response) -> String {
    let mut out = Vec::new();
    response.append_head(Persistence::Persist, DATE, &mut out);
    if let Body::Bytes(bytes) = response.into_body() {
        out.extend(bytes);
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn an_empty_response_is_a_status_line_a_length_and_a_blank_line() {
    let text = formatted(Response::new(200));
    assert_eq!(
        text,
        format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: {DATE}\r\n\r\n")
    );
}

#[test]
fn the_space_before_an_empty_reason_phrase_stays() {
    let text = formatted(Response::new(299));
    assert_eq!(
        text,
        format!("HTTP/1.1 299 \r\nContent-Length: 0\r\nDate: {DATE}\r\n\r\n")
    );
}

#[test]
fn a_refusal_says_what_it_is_and_why() {
    for status in [400, 405, 414, 431, 501, 505] {
        let text = formatted(Refusal::new(status, "no reason").into());
        let (status_line, _) = text.split_once("\r\n").expect(&text);
        assert!(status_line.len() > "HTTP/1.1 400 ".len(), "{text:?}");
        assert!(text.contains("no reason"), "{text:?}");
    }
}

#[test]
fn the_length_counts_bytes() {
    let text = formatted(Response::new(200).with_body("né"));
    assert!(text.contains("Content-Length: 3\r\n"), "{text:?}");
    assert!(text.ends_with("\r\n\r\nné"), "{text:?}");
}

#[test]
fn an_answer_says_what_becomes_of_the_connection() {
    for (persistence, end) in [
        (Persistence::Close, "GMT\r\nConnection: close\r\n\r\n"),
        (
            Persistence::KeepAlive,
            "GMT\r\nConnection: keep-alive\r\n\r\n",
        ),
        (Persistence::Persist, "GMT\r\n\r\n"),
    ] {
        let mut out = Vec::new();
        Response::new(200).append_head(persistence, DATE, &mut out);
        let text = String::from_utf8_lossy(&out);
        assert!(text.ends_with(end), "{persistence:?}: {text:?}");
    }
}

#[test]
fn a_value_cannot_begin_another_field() {
    let text = formatted(Response::new(200).with_field("A", "b\r\nC: d"));
    assert!(text.contains("\r\nA: b  C: d\r\n"), "{text:?}");
}
