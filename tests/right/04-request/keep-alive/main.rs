//! A thread for each connection, which stays open for the next request, and content
//! is read and thrown away. Half a head is left without an answer; a request line may
//! have spare white space; control characters in values become spaces.

use std::env;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process;
use std::thread;
use std::time::Duration;

const LIMIT: usize = 100_000;
const LINE_LIMIT: usize = 16_000;

/// A status code, and lines for the head.
type Refused = (u16, &'static str);

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let addr = match args.as_slice() {
        [] => "127.0.0.1:7878",
        [addr] if !addr.starts_with('-') => addr,
        _ => {
            eprintln!("usage: [ADDR]");
            process::exit(2);
        }
    };
    let listener = TcpListener::bind(addr).unwrap_or_else(|error| {
        eprintln!("no listener at {addr}: {error}");
        process::exit(1);
    });
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) = serve(stream) {
                eprintln!("{error}");
            }
        });
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut input = Vec::new();
    loop {
        let end = loop {
            while input.starts_with(b"\r\n") {
                input.drain(..2);
            }
            if let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
                break Ok(end + 4);
            }
            let in_line = !input.contains(&b'\n');
            if in_line && input.len() > LINE_LIMIT {
                break Err(414);
            }
            if input.len() > LIMIT {
                break Err(431);
            }
            if fill(&mut stream, &mut input)? == 0 {
                return Ok(());
            }
        };
        let understood = match end {
            Ok(end) => {
                let head: Vec<u8> = input.drain(..end).collect();
                understand(&head[..end - 2])
            }
            Err(status) => Err((status, "")),
        };
        let Understood {
            text,
            head_only,
            close,
            length,
        } = match understood {
            Ok(understood) => understood,
            Err((status, fields)) => {
                // Whatever follows cannot be trusted, so this is the last answer.
                let head = format!(
                    "HTTP/1.1 {status} Sorry\r\n{fields}Connection: close\r\nContent-Length: 0\r\n\r\n"
                );
                stream.write_all(head.as_bytes())?;
                return finish(stream);
            }
        };
        let connection = if close { "Connection: close\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 200 Fine\r\nContent-Length: {}\r\n{connection}\r\n",
            text.len()
        );
        stream.write_all(head.as_bytes())?;
        if !head_only {
            stream.write_all(&text)?;
        }
        if close {
            return finish(stream);
        }
        while input.len() < length {
            if fill(&mut stream, &mut input)? == 0 {
                return Ok(());
            }
        }
        input.drain(..length);
    }
}

fn fill(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; 1000];
    let read = stream.read(&mut buffer)?;
    input.extend(&buffer[..read]);
    Ok(read)
}

fn finish(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    io::copy(&mut stream, &mut io::sink())?;
    Ok(())
}

struct Understood {
    text: Vec<u8>,
    head_only: bool,
    close: bool,
    length: usize,
}

fn understand(head: &[u8]) -> Result<Understood, Refused> {
    let bad = || (400, "");
    let mut lines = head.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r\n").ok_or_else(bad)?;
        Ok(line
            .iter()
            .map(|byte| {
                if matches!(byte, 0 | b'\r') {
                    b' '
                } else {
                    *byte
                }
            })
            .collect::<Vec<u8>>())
    });
    let line = lines.next().ok_or_else(bad)??;
    let line = str::from_utf8(&line).map_err(|_| bad())?;
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad());
    };
    let (major, minor) = version
        .strip_prefix("HTTP/")
        .and_then(|numbers| numbers.split_once('.'))
        .ok_or_else(bad)?;
    for digit in [major, minor] {
        if digit.len() != 1 || !digit.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
    }
    if !method.bytes().all(is_tchar)
        || target.bytes().any(|byte| byte.is_ascii_control())
    {
        return Err(bad());
    }
    if major != "1" {
        return Err((505, ""));
    }
    let head_only = match method {
        "GET" => false,
        "HEAD" => true,
        "POST" | "PUT" | "DELETE" | "PATCH" => {
            return Err((405, "Allow: GET\r\n"));
        }
        _ => return Err((501, "")),
    };
    let minor = if minor == "0" { "0" } else { "1" };
    let mut text =
        format!("method {method}\ntarget {target}\nversion HTTP/1.{minor}\n")
            .into_bytes();
    let (mut hosts, mut close, mut length) = (0, minor == "0", 0);
    for line in lines {
        let line = line?;
        let colon = line.iter().position(|byte| *byte == b':').ok_or_else(bad)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || !name.iter().copied().all(is_tchar) {
            return Err(bad());
        }
        let name = name.to_ascii_lowercase();
        let as_text = String::from_utf8_lossy(value).to_ascii_lowercase();
        match name.as_slice() {
            b"host" if !is_host(value) => return Err(bad()),
            b"host" => hosts += 1,
            b"connection" => {
                close |= as_text.split(',').any(|option| option.trim() == "close")
            }
            b"content-length" => length = as_text.parse().map_err(|_| bad())?,
            b"transfer-encoding" => return Err((501, "")),
            _ => {}
        }
        text.extend([&name, b": ".as_slice(), value, b"\n"].concat());
    }
    if hosts > 1 || (hosts == 0 && minor == "1") {
        return Err(bad());
    }
    Ok(Understood {
        text,
        head_only,
        close,
        length,
    })
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A name or an address, and perhaps a port.
fn is_host(value: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(value) else {
        return false;
    };
    let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port)))
            if address.parse::<std::net::Ipv6Addr>().is_ok() =>
        {
            ("", port)
        }
        Some(_) => return false,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte)
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    host.bytes().all(allowed)
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}
