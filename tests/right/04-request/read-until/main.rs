//! All in one file: BufReader and read_until, strings and vectors. The answers have a
//! Date, names in lower case, and no reason phrase.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process;
use std::time::{Duration, Instant};

const LONGEST_LINE: u64 = 10_000;
const LONGEST_HEAD: usize = 65_536;
const METHODS: [&str; 7] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

struct Request {
    method: String,
    target: String,
    minor: u8,
    fields: Vec<(String, Vec<u8>)>,
}

/// A request, or the status code of the refusal.
type Parsed = Result<Request, u16>;

fn main() {
    let mut args = env::args().skip(1);
    let addr = args.next().unwrap_or("127.0.0.1:7878".to_owned());
    if addr.starts_with("--") || args.next().is_some() {
        eprintln!("usage: give an address, or nothing");
        process::exit(2);
    }
    let listener = match TcpListener::bind(&addr) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("{addr}: {error}");
            process::exit(1);
        }
    };
    println!("listening on http://{}", listener.local_addr().unwrap());
    for stream in listener.incoming() {
        if let Err(error) = stream.and_then(serve) {
            eprintln!("{error}");
        }
    }
}

fn serve(stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(parsed) = read_request(&mut reader)? {
        let last =
            parsed.as_ref().map_or(true, is_last) || reader.buffer().is_empty();
        let answer = answer(&parsed, last);
        reader.get_mut().write_all(&answer)?;
        if last {
            break;
        }
    }
    reader.get_ref().shutdown(Shutdown::Write)?;
    // A client that dribbles is borne for a while, too.
    let start = Instant::now();
    reader
        .get_ref()
        .set_read_timeout(Some(Duration::from_millis(700)))?;
    while start.elapsed() < Duration::from_secs(1) && reader.read(&mut [0; 500])? > 0
    {
    }
    Ok(())
}

/// A line without its end; or whether it is too long, where it has none.
fn read_line(reader: &mut BufReader<TcpStream>) -> io::Result<Result<Vec<u8>, bool>> {
    let mut line = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    Ok(match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(line.to_vec()),
        None => Err(line.len() as u64 == LONGEST_LINE),
    })
}

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Parsed>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let first = loop {
        match read_line(reader)? {
            Ok(line) if line.is_empty() => {}
            Ok(line) => break line,
            Err(true) => return Ok(Some(Err(414))),
            Err(false) => return Ok(Some(Err(400))),
        }
    };
    let mut lines = Vec::new();
    let mut size = 0;
    loop {
        match read_line(reader)? {
            Ok(line) if line.is_empty() => return Ok(Some(parse(first, lines))),
            Ok(line) => {
                size += line.len();
                lines.push(line);
            }
            Err(true) => return Ok(Some(Err(431))),
            Err(false) => return Ok(Some(Err(400))),
        }
        if size > LONGEST_HEAD {
            return Ok(Some(Err(431)));
        }
    }
}

fn parse(first: Vec<u8>, lines: Vec<Vec<u8>>) -> Parsed {
    let first = String::from_utf8(first).map_err(|_| 400_u16)?;
    let words: Vec<&str> = first.split(' ').collect();
    let &[method, target, version] = words.as_slice() else {
        return Err(400);
    };
    if target.is_empty() {
        return Err(400);
    }
    if !method.bytes().all(is_tchar) || !target.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(400);
    }
    if !METHODS.contains(&method) {
        return Err(501);
    }
    let minor = match version.strip_prefix("HTTP/").ok_or(400_u16)?.as_bytes() {
        [b'1', b'.', minor @ b'0'..=b'9'] => minor - b'0',
        [b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(505),
        _ => return Err(400),
    };
    let mut fields = Vec::new();
    for line in lines {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let name = halves.next().unwrap_or_default();
        let value = halves.next().ok_or(400_u16)?;
        let bad_value = value.iter().any(|byte| matches!(byte, b'\0' | b'\r'));
        if name.is_empty() || !name.iter().copied().all(is_tchar) || bad_value {
            return Err(400);
        }
        let name = String::from_utf8_lossy(name).to_lowercase();
        fields.push((name, value.trim_ascii().to_vec()));
    }
    let hosts: Vec<_> = fields.iter().filter(|(name, _)| name == "host").collect();
    match hosts.as_slice() {
        [] if minor == 0 => {}
        [(_, host)] if is_host(host) => {}
        _ => return Err(400),
    }
    Ok(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        minor,
        fields,
    })
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_last(request: &Request) -> bool {
    request.minor == 0
        || request.fields.iter().any(|(name, value)| {
            let value = String::from_utf8_lossy(value).to_lowercase();
            match name.as_str() {
                "connection" => {
                    value.split(',').any(|option| option.trim() == "close")
                }
                "content-length" => value != "0",
                "transfer-encoding" => true,
                _ => false,
            }
        })
}

fn answer(parsed: &Parsed, last: bool) -> Vec<u8> {
    let mut extra = "";
    let mut with_content = true;
    let (status, body) = match parsed {
        Err(status) => (*status, Vec::new()),
        Ok(request) if !["GET", "HEAD"].contains(&request.method.as_str()) => {
            extra = "allow: HEAD,GET\r\n";
            (405, Vec::new())
        }
        Ok(request) => {
            with_content = request.method == "GET";
            let minor = request.minor.min(1);
            let mut text = format!(
                "method {}\ntarget {}\nversion HTTP/1.{minor}\n",
                request.method, request.target
            )
            .into_bytes();
            for (name, value) in &request.fields {
                text.extend(name.bytes());
                text.extend(b": ");
                text.extend(value);
                text.push(b'\n');
            }
            (200, text)
        }
    };
    let close = if last { "connection: close\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status} \r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: {}\r\n{extra}{close}\r\n",
        body.len()
    );
    let mut answer = head.into_bytes();
    if with_content {
        answer.extend(body);
    }
    answer
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
