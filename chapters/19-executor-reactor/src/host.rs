//! What a Host field and the host of a URL may be.

use std::net::Ipv6Addr;

/// Whether these bytes are a host, perhaps with a port (RFC 9110, section 7.2):
///
/// uri-host [ ":" port ], with an empty host allowed
pub fn is_host(bytes: &[u8]) -> bool {
    let end = match bytes {
        // The colons of an address in brackets aren't the one before the port.
        [b'[', ..] => bytes.iter().position(|b| *b == b']').map_or(0, |at| at + 1),
        _ => bytes.iter().position(|b| *b == b':').unwrap_or(bytes.len()),
    };
    let (host, port) = bytes.split_at(end);
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_port && (is_name(host) || is_literal(host))
}

/// reg-name = *( unreserved / pct-encoded / sub-delims ) (RFC 3986, section 3.2.2).
/// An IPv4 address is one as well.
fn is_name(mut host: &[u8]) -> bool {
    loop {
        host = match host {
            [] => return true,
            [b'%', high, low, rest @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                rest
            }
            [byte, rest @ ..] if is_plain(*byte) => rest,
            _ => return false,
        };
    }
}

/// IP-literal = "[" ( IPv6address / IPvFuture ) "]" (RFC 3986, section 3.2.2).
fn is_literal(host: &[u8]) -> bool {
    let Some(inside) = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]"))
    else {
        return false;
    };
    match inside {
        [b'v' | b'V', future @ ..] => {
            let digits = future.iter().take_while(|b| b.is_ascii_hexdigit()).count();
            let is_address = |byte: &u8| is_plain(*byte) || *byte == b':';
            matches!(future[digits..], [b'.', _, ..])
                && digits > 0
                && future[digits + 1..].iter().all(is_address)
        }
        _ => {
            str::from_utf8(inside).is_ok_and(|host| host.parse::<Ipv6Addr>().is_ok())
        }
    }
}

/// unreserved / sub-delims (RFC 3986, sections 2.2 and 2.3)
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests;
