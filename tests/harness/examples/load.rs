//! Loads every file of a folder from a server with reqwest, and compares what comes.
//!
//! `cargo run -p harness --example load -- http://127.0.0.1:7878 book/book`

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::blocking::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [server, folder] = args.as_slice() else {
        return Err("usage: load http://ADDR FOLDER".into());
    };
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()?;
    let folder = Path::new(folder);
    let mut files = Vec::new();
    find(folder, &mut files)?;
    for file in &files {
        let wanted = fs::read(file)?;
        compare(&client, &address(server, folder, file)?, &wanted)?;
        // A folder's page is also what the folder's address gives, with its slash or
        // without.
        if file.file_name() == Some("index.html".as_ref()) {
            let parent = file.parent().unwrap_or(folder);
            compare(&client, &address(server, folder, parent)?, &wanted)?;
        }
    }
    println!("reqwest loaded {} files as they are", files.len());
    Ok(())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The URL of a file or folder.
fn address(
    server: &str,
    folder: &Path,
    file: &Path,
) -> Result<String, Box<dyn Error>> {
    let mut url = server.to_owned();
    for name in file.strip_prefix(folder)? {
        let name = name.to_str().ok_or("a file's name is not UTF-8")?;
        url.push('/');
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    url.push(char::from(byte));
                }
                _ => url.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    Ok(url)
}

fn compare(client: &Client, url: &str, wanted: &[u8]) -> Result<(), Box<dyn Error>> {
    let response = client.get(url).send()?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("{url}: {status}").into());
    }
    if response.bytes()? != wanted {
        return Err(format!("{url}: other bytes came than the file has").into());
    }
    Ok(())
}
