use super::*;

fn formatted(response: &Response) -> String {
    let mut out = Vec::new();
    response.append_to(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn an_empty_response_is_a_status_line_a_length_and_a_blank_line() {
    let text = formatted(&Response::new(200));
    assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn the_space_before_an_empty_reason_phrase_stays() {
    let text = formatted(&Response::new(299));
    assert_eq!(text, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn the_length_counts_bytes() {
    let text = formatted(&Response::new(200).with_body("né"));
    assert!(text.contains("Content-Length: 3\r\n"), "{text:?}");
    assert!(text.ends_with("\r\n\r\nné"), "{text:?}");
}

#[test]
fn a_value_cannot_begin_another_field() {
    let text = formatted(&Response::new(200).with_field("A", "b\r\nC: d"));
    assert!(text.contains("\r\nA: b  C: d\r\n"), "{text:?}");
}

#[test]
fn what_is_in_out_already_stays() {
    let mut out = b"before".to_vec();
    Response::new(200).append_to(&mut out);
    let text = String::from_utf8_lossy(&out);
    assert!(text.starts_with("beforeHTTP/1.1 200 OK\r\n"), "{text:?}");
}
