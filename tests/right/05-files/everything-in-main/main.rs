//! One file without a type of its own: a thread for each connection, which stays open
//! until the client closes it; a reader with a buffer; field names in lower case, a
//! Date, no reason phrase.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::thread;
use std::time::Duration;

fn main() {
    let mut addr = None;
    let mut root = PathBuf::from(".");
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--root" {
            match args.next() {
                Some(folder) => root = folder.into(),
                None => usage(),
            }
        } else if arg.starts_with('-') || addr.is_some() {
            usage();
        } else {
            addr = Some(arg);
        }
    }
    let addr = addr.unwrap_or("127.0.0.1:7878".into());
    let real = match fs::canonicalize(&root) {
        Ok(real) if real.is_dir() => real,
        _ => {
            eprintln!("there is no folder {}", root.display());
            exit(1);
        }
    };
    let listener = match TcpListener::bind(&addr) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {addr}: {error}");
            exit(1);
        }
    };
    println!("listening on http://{}", listener.local_addr().unwrap());
    for stream in listener.incoming().flatten() {
        let real = real.clone();
        thread::spawn(move || {
            let _ = serve(&stream, &real);
            // What is on its way has to arrive: wait until the client closes too.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
            let _ = io::copy(&mut &stream, &mut io::sink());
        });
    }
}

fn usage() -> ! {
    eprintln!("Usage: server [ADDR] [--root DIR]");
    exit(2);
}

fn serve(stream: &TcpStream, root: &Path) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            reader.by_ref().take(16_000).read_until(b'\n', &mut line)?;
            if line.is_empty() || lines.len() > 200 {
                return Ok(());
            }
            match line.strip_suffix(b"\r\n") {
                Some(b"") if lines.is_empty() => {}
                Some(b"") => break,
                Some(text) => lines.push(String::from_utf8_lossy(text).into_owned()),
                None => return fail(stream, false, 400),
            }
        }
        let close = lines
            .iter()
            .any(|line| line.eq_ignore_ascii_case("connection: close"));
        let words: Vec<&str> = lines[0].split(' ').collect();
        let [method, target, version] = words[..] else {
            return fail(stream, false, 400);
        };
        let names = lines[1..]
            .iter()
            .map(|line| line.split_once(':').map_or("", |(name, _)| name));
        let well_formed = names
            .clone()
            .all(|name| !name.is_empty() && !name.contains(' '));
        let hosts = names
            .filter(|name| name.eq_ignore_ascii_case("host"))
            .count();
        let head = method == "HEAD";
        if !well_formed || hosts != 1 {
            return fail(stream, head, 400);
        }
        if !version.starts_with("HTTP/1.") {
            return fail(stream, head, 505);
        }
        match method {
            "GET" | "HEAD" => match answer(stream, root, target, head) {
                Ok(()) => {}
                Err(Refused::Status(status)) => fail(stream, head, status)?,
                Err(Refused::Client(error)) => return Err(error),
            },
            "POST" | "PUT" | "DELETE" | "OPTIONS" | "TRACE" | "CONNECT" | "PATCH" => {
                return fail(stream, head, 405);
            }
            _ => return fail(stream, head, 501),
        }
        if close {
            return Ok(());
        }
    }
}

enum Refused {
    Status(u16),
    Client(io::Error),
}

fn answer(
    mut stream: &TcpStream,
    root: &Path,
    target: &str,
    head: bool,
) -> Result<(), Refused> {
    let without_host = match target.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => target,
    };
    let (path, query) = match without_host.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (without_host, String::new()),
    };
    if !path.starts_with('/') {
        return Err(Refused::Status(400));
    }
    let mut file = root.to_owned();
    for segment in path.split('/') {
        let name = decode(segment).ok_or(Refused::Status(400))?;
        if name.contains(['/', '\0', '\\']) {
            return Err(Refused::Status(400));
        }
        if name == ".." {
            return Err(Refused::Status(403));
        }
        file.push(name);
    }
    let missing = |_| Refused::Status(404);
    let mut real = fs::canonicalize(&file).map_err(missing)?;
    if !real.starts_with(root) {
        return Err(Refused::Status(403));
    }
    if real.is_dir() {
        if !path.ends_with('/') {
            let path = path.trim_start_matches(['/', '\\']);
            let sent = write!(
                stream,
                "HTTP/1.1 301 \r\ncontent-length: 0\r\nlocation: /{path}/{query}\r\n\r\n"
            );
            return sent.map_err(Refused::Client);
        }
        file.push("index.html");
        real = fs::canonicalize(&file).map_err(missing)?;
    } else if path.ends_with('/') {
        return Err(Refused::Status(404));
    }
    if !real.starts_with(root) || !real.is_file() {
        return Err(Refused::Status(404));
    }
    let mut open = File::open(&real).map_err(missing)?;
    let mut left = open.metadata().map_err(missing)?.len();
    let sent = write!(
        stream,
        "HTTP/1.1 200 \r\ndate: Tue, 15 Nov 1994 08:12:31 GMT\r\ncontent-type: {}\r\n\
         content-length: {left}\r\n\r\n",
        kind(&file)
    );
    sent.map_err(Refused::Client)?;
    let mut buffer = vec![0; 16 * 1024];
    while left > 0 && !head {
        let most = buffer.len().min(left as usize);
        let read = open.read(&mut buffer[..most]).map_err(Refused::Client)?;
        if read == 0 {
            return Err(Refused::Client(io::ErrorKind::UnexpectedEof.into()));
        }
        stream.write_all(&buffer[..read]).map_err(Refused::Client)?;
        left -= read as u64;
    }
    Ok(())
}

fn decode(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

fn kind(file: &Path) -> &'static str {
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    match ending.to_lowercase().as_str() {
        "html" => "text/html;charset=UTF-8",
        "css" => "text/css",
        "js" => "text/javascript",
        "txt" => "text/plain; charset=UTF-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "gif" => "image/gif",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

fn fail(mut stream: &TcpStream, head: bool, status: u16) -> io::Result<()> {
    let page = format!("{status}\n");
    write!(
        stream,
        "HTTP/1.1 {status} \r\nallow: HEAD,GET\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{}",
        page.len(),
        if head { "" } else { &page }
    )
}
