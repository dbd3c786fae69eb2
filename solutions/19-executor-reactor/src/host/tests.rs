use super::*;

#[test]
fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
    for host in [
        "",
        "a",
        "a.example:80",
        "127.0.0.1:7878",
        "a:",
        ":80",
        "%41-._~!$&'()*+,;=",
        "[::1]",
        "[::1]:80",
        "[::1]:",
        "[::ffff:192.0.2.7]",
        "[v7.a:b]:1",
    ] {
        assert!(is_host(host.as_bytes()), "{host:?} is a host");
    }
}

#[test]
fn everything_else_is_refused() {
    for host in [
        "a:80:80",
        "a:b",
        "a:80x",
        "a b",
        "a/b",
        "a@b",
        "a?b",
        "a\"",
        "[::1",
        "::1",
        "[]",
        "[::1]80",
        "[::1]x:80",
        "[::1%1]",
        "[g::1]",
        "[127.0.0.1]",
        "a[::1]",
        "[v.a]",
        "[v7.]",
        "[v7a]",
        "[vx.a]",
        "%",
        "%4",
        "%4g",
        "%:80",
        "é",
    ] {
        assert!(!is_host(host.as_bytes()), "{host:?} is no host");
    }
}
