use super::*;

fn formatted(response: &Response) -> String {
    let mut out = Vec::new();
    response.append_head(Persistence::Persist, &mut out);
    out.extend_from_slice(response.body());
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
fn a_refusal_says_what_it_is_and_why() {
    for status in [400, 405, 414, 431, 501, 505] {
        let text = formatted(&Refusal::new(status, "no reason").into());
        let (status_line, _) = text.split_once("\r\n").expect(&text);
        assert!(status_line.len() > "HTTP/1.1 400 ".len(), "{text:?}");
        assert!(text.contains("no reason"), "{text:?}");
    }
}

#[test]
fn the_length_counts_bytes() {
    let text = formatted(&Response::new(200).with_body("né"));
    assert!(text.contains("Content-Length: 3\r\n"), "{text:?}");
    assert!(text.ends_with("\r\n\r\nné"), "{text:?}");
}

#[test]
fn the_last_answer_says_so() {
    let mut out = Vec::new();
    Response::new(200).append_head(Persistence::Close, &mut out);
    let text = String::from_utf8_lossy(&out);
    assert!(text.ends_with("\r\nConnection: close\r\n\r\n"), "{text:?}");
}

#[test]
fn a_value_cannot_begin_another_field() {
    let text = formatted(&Response::new(200).with_field("A", "b\r\nC: d"));
    assert!(text.contains("\r\nA: b  C: d\r\n"), "{text:?}");
}
