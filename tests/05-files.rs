//! Milestone of chapter 05: the files below `--root DIR` are served, each with its
//! media type, and nothing outside that folder, whatever a target says.

use harness::predicates::prelude::*;
use harness::{Answer, Check, Client, Likely, Program, Random, Site, after, check};

const NO_ANSWER: Likely = Likely {
    silent: "the server is still busy. Does it wait for something that never comes, such as more of \
             a request that is complete?",
    closed: "the server closed without an answer: what cannot be served is answered with a status \
             code.",
    reset: "the answer was lost: the server closed while bytes that the client had sent were still \
            unread.",
    differs: r"a response is: status line, field lines, blank line, content.",
};

/// The server with a site, and what its reports should say.
fn start(check: &Check, site: &Site) -> Program {
    check.start(&["--root", &site.arg()])
}

/// Sends a request on a connection of its own, reads the answer, and leaves the
/// connection open.
#[track_caller]
fn ask(server: &Program, request: &str) -> (Client, Answer) {
    let mut client = server.connect();
    client.send(request);
    let answer = match request.starts_with("HEAD ") {
        true => client.answer_to_head(NO_ANSWER),
        false => client.answer(NO_ANSWER),
    };
    (client, answer)
}

/// Gets a target, and closes the connection: this server has one client at a time.
#[track_caller]
fn get(server: &Program, target: &str) -> (Client, Answer) {
    let (mut client, answer) =
        ask(server, &format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    client.hang_up();
    (client, answer)
}

#[test]
fn check_01_a_file_is_served() {
    let check = check!("a file below the root is served as it is")
        .read("from-target-to-file")
        .with_options("--root book/src")
        .by_hand("curl -i http://{addr}/introduction.md");
    let mut random = Random::default();
    let (name, content) = (random.word(9), random.bytes(3000));
    let site = Site::new();
    site.file(&name, &content)
        .file(&format!("sub/{name}/deep"), b"deep");
    let server = start(&check, &site);
    for (target, wanted) in [
        (format!("/{name}"), &content[..]),
        (format!("/sub/{name}/deep"), b"deep"),
    ] {
        let (client, answer) = get(&server, &target);
        client.expect_status(
            &answer,
            &[200],
            "the file is there: is the target's path looked up below the root?",
        );
        client.expect_body(
            &answer,
            wanted,
            "the content must be the file's bytes, not text made of them.",
        );
    }
}

#[test]
fn check_02_what_is_not_there() {
    after(check_01_a_file_is_served);
    let check = check!("what is not there is answered with 404")
        .read("when-there-is-nothing")
        .with_options("--root book/src")
        .by_hand("curl -i http://{addr}/nowhere\ncurl -i http://{addr}/introduction.md/more");
    let site = Site::new();
    site.file("file.txt", "content")
        .file("folder/other.txt", "content");
    let server = start(&check, &site);
    let long = format!("/{}", "x".repeat(5000));
    for target in [
        "/nowhere",
        "/file.txt/more",
        "/file.txt/",
        "/folder/nowhere",
        &long,
    ] {
        let (client, answer) = get(&server, target);
        client.expect_status(
            &answer,
            &[404],
            "each error of the file system must become a status code: also a name that is too long, \
             and a file that is used like a folder.",
        );
    }
    let (client, answer) = get(&server, "/folder/");
    client.expect_status(
        &answer,
        &[404, 403],
        "a folder without an index.html has no page to show.",
    );
    server.must_still_run();
}

#[test]
fn check_03_media_types() {
    after(check_01_a_file_is_served);
    let check = check!("each file has the media type of its ending")
        .read("media-types")
        .with_options("--root book/src")
        .by_hand("curl -sI http://{addr}/figures/NAME.svg");
    let types: &[(&str, &[&str])] = &[
        ("html", &["text/html; charset=utf-8"]),
        ("css", &["text/css", "text/css; charset=utf-8"]),
        (
            "js",
            &[
                "text/javascript",
                "text/javascript; charset=utf-8",
                "application/javascript",
                "application/javascript; charset=utf-8",
            ],
        ),
        ("json", &["application/json"]),
        ("svg", &["image/svg+xml"]),
        ("png", &["image/png"]),
        ("jpg", &["image/jpeg"]),
        ("gif", &["image/gif"]),
        ("ico", &["image/x-icon", "image/vnd.microsoft.icon"]),
        ("woff2", &["font/woff2"]),
        ("txt", &["text/plain; charset=utf-8"]),
        ("wasm", &["application/wasm"]),
        ("pdf", &["application/pdf"]),
        ("HTML", &["text/html; charset=utf-8"]),
    ];
    let site = Site::new();
    for (ending, _) in types {
        site.file(&format!("in.{ending}/a.b.{ending}"), "x");
    }
    let server = start(&check, &site);
    for (ending, wanted) in types {
        let (client, answer) = get(&server, &format!("/in.{ending}/a.b.{ending}"));
        client.expect_status(&answer, &[200], "the file is there.");
        client.expect_field(
            &answer,
            "Content-Type",
            wanted[0],
            |value| {
                let plain =
                    |text: &str| text.to_ascii_lowercase().replace([' ', '"'], "");
                wanted.iter().any(|wanted| plain(wanted) == plain(value))
            },
            "the type comes from what follows the last dot of the name, in any case.",
        );
    }
}

#[test]
fn check_04_folders() {
    after(check_02_what_is_not_there);
    let check =
        check!("a folder is its index.html, at an address that ends in a slash")
            .read("folders")
            .with_options("--root book/src")
            .by_hand("curl -i 'http://{addr}/figures?q=1'");
    let site = Site::new();
    let page = Random::default().word(30);
    site.file("index.html", format!("<p>{page}"))
        .file("a b/c/index.html", &page)
        .file("odd/index.html/file", "x");
    let server = start(&check, &site);
    let (client, answer) = get(&server, "/");
    client.expect_status(&answer, &[200], "the root folder has an index.html.");
    client.expect_body(
        &answer,
        format!("<p>{page}").as_bytes(),
        "this is not the root's index.html.",
    );
    client.expect_field(
        &answer,
        "Content-Type",
        "text/html; charset=utf-8",
        |value| {
            let plain = value.to_ascii_lowercase().replace([' ', '"'], "");
            plain == "text/html;charset=utf-8"
        },
        "the type is that of the file that is sent, index.html. The folder's name has no ending.",
    );
    let (client, answer) = get(&server, "/a%20b/c/");
    client.expect_status(&answer, &[200], "this folder has an index.html.");
    client.expect_body(
        &answer,
        page.as_bytes(),
        "this is not the folder's index.html.",
    );

    let (client, answer) = get(&server, "/a%20b/c?q=1");
    client.expect_status(
        &answer,
        &[301],
        "without the slash, links in the folder's page would count from the folder above: send the \
         browser to the right address.",
    );
    client.expect_field(
        &answer,
        "Location",
        "/a%20b/c/?q=1",
        |value| {
            // A whole URL, a path, or one that counts from the folder above: all lead
            // there.
            let path = value
                .strip_prefix(&format!("http://{}", server.addr()))
                .or(value.strip_prefix("http://a"))
                .unwrap_or(value);
            ["/a%20b/c/?q=1", "c/?q=1", "./c/?q=1"].contains(&path)
        },
        "the address is the same path with a slash, still percent-encoded; the query goes along, \
         behind it.",
    );
    let (client, answer) = get(&server, "/odd/");
    client.expect_status(
        &answer,
        &[404, 403],
        "here index.html is a folder: it is no page to show, and a redirect would lead to itself.",
    );
}

#[test]
fn check_05_redirects_lead_here() {
    after(check_04_folders);
    let check =
        check!("a redirect leads to this server, and its Location is one line")
            .read("folders")
            .with_options("--root book/src")
            .by_hand("curl -i --path-as-is http://{addr}//figures");
    let site = Site::new();
    site.file("example.com/a/index.html", "x");
    let server = start(&check, &site);
    for target in [
        "//example.com/a",
        "//example.com/..",
        "//example.com/a/..",
        "//example.com/%2e%2e",
        "//example.com/.",
        "/\\example.com/..",
        "/.//example.com/a",
    ] {
        let (client, answer) = get(&server, target);
        if !(300..400).contains(&answer.status()) {
            continue;
        }
        client.expect_field(
            &answer,
            "Location",
            "an address on this server",
            |value| {
                let path = value
                    .strip_prefix(&format!("http://{}", server.addr()))
                    .or(value.strip_prefix("http://a"))
                    .unwrap_or(value);
                let leads_away = ["//", "/\\", "\\"]
                    .iter()
                    .any(|begin| path.starts_with(begin));
                !leads_away && !path.contains("://")
            },
            "a Location that begins with // names another host: whoever writes such a link leads \
             your visitors away. Build it from the names that you found.",
        );
    }
    #[cfg(unix)]
    {
        let name = Random::default().word(8);
        site.file(&format!("{name}\r\nX-Injected: 1/index.html"), "x");
        let (client, answer) = get(&server, &format!("/{name}%0d%0aX-Injected:%201"));
        client.expect_status(
            &answer,
            &[301, 400, 404],
            "this is a folder with an odd name.",
        );
        let location = answer.field("Location").unwrap_or_default();
        if answer.status() == 301 || answer.field("X-Injected").is_some() {
            client.expect_field(
                &answer,
                "Location",
                &format!("/{name}%0D%0AX-Injected:%201/"),
                |_| {
                    let location = location.to_ascii_lowercase().replace("%3a", ":");
                    location.ends_with(&format!("{name}%0d%0ax-injected:%201/"))
                },
                "the name was decoded to be looked up; in a field it must be encoded again. A line \
                 end that a client brings in would begin a field of its own.",
            );
        }
    }
}

#[test]
fn check_06_percent_encoding() {
    after(check_02_what_is_not_there);
    let check = check!(
        "percent-encoded names are decoded, once; the query is no part of a name"
    )
    .read("percent-decoding")
    .with_options("--root book/src")
    .by_hand("curl -i 'http://{addr}/introduction%2Emd?q=1'");
    let site = Site::new();
    let names = [
        ("a b.txt", "/a%20b.txt"),
        ("żółw", "/%c5%bc%C3%B3%C5%82w"),
        ("a+b", "/a+b"),
        ("100%", "/100%25"),
        ("%41", "/%2541"),
        ("plain", "/%70lain?q=/../x"),
        ("dots..txt", "/dots..txt"),
        ("a=b&c;d", "/a=b&c;d"),
    ];
    for (name, _) in names {
        site.file(name, name);
    }
    // What some decoders make of "%+1".
    #[cfg(unix)]
    site.file("\u{1}", "x");
    let server = start(&check, &site);
    for (name, target) in names {
        let (client, answer) = get(&server, target);
        client.expect_status(
            &answer,
            &[200],
            "this file is there under its decoded name. A % and two hexadecimal digits, in either \
             case, are one byte; + is a plus; decoding happens once; ? begins the query.",
        );
        client.expect_body(&answer, name.as_bytes(), "this is another file.");
    }
    let (client, answer) = get(&server, "http://a/a%20b.txt?q=1");
    client.expect_status(
        &answer,
        &[200],
        "a target may be a whole URL; a server must accept that (RFC 9112, section 3.2.2).",
    );
    client.expect_body(&answer, b"a b.txt", "this is another file.");
    for target in [
        "/%",
        "/%4",
        "/%zz",
        "/%+1",
        "/%ff%fe",
        "/a%00.txt",
        "/plain%00",
    ] {
        let (client, answer) = get(&server, target);
        client.expect_status(
            &answer,
            &[400, 404],
            "this names no file: refuse it, without a panic. A % needs two hexadecimal digits, and \
             from_str_radix(\"+1\", 16) is 1.",
        );
    }
    server.must_still_run();
}

#[test]
fn check_07_no_way_out() {
    after(check_02_what_is_not_there);
    let check = check!("nothing outside the root is served, whatever the target says")
        .read("no-way-out")
        .with_options("--root book/src")
        .by_hand("curl -i --path-as-is http://{addr}/../book.toml\ncurl -i http://{addr}/%2e%2e/book.toml");
    let site = Site::new();
    let secret = Random::default().word(40);
    let outside = site.outside("secret.txt", &secret);
    site.outside("site-b/secret.txt", &secret);
    site.file("index.html", "home")
        .file("sub/index.html", "sub");
    let absolute = outside.display().to_string();
    let server = start(&check, &site);
    let mut targets: Vec<String> = [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/.%2e/secret.txt",
        "/%2E./secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/sub%2f..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/./../secret.txt",
        "//../secret.txt",
        "/../site-b/secret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/%252e%252e/secret.txt",
        "/..;/secret.txt",
        "http://a/../secret.txt",
        "../secret.txt",
        // For those who take "../" out, once.
        "/....//secret.txt",
        "/..././secret.txt",
        "/%2e%2e%2e%2e%2f%2fsecret.txt",
        // Other ways to write a dot and a slash: UTF-8 that is too long, Windows.
        "/%c0%ae%c0%ae/secret.txt",
        "/..%c0%afsecret.txt",
        "/sub/..%5c..%5csecret.txt",
        "/..%00/secret.txt",
        "/%3f/../../secret.txt",
        "/../site/../secret.txt",
    ]
    .map(str::to_owned)
    .to_vec();
    targets.push(format!("/{absolute}"));
    targets.push(absolute.clone());
    targets.push(absolute.replace('/', "%2f"));
    targets.push(format!("/%2f{}", &absolute[1..]));
    targets.push(format!("/sub/{absolute}"));
    targets.push(format!("file://{absolute}"));
    targets.push(format!("http://a/{absolute}"));
    for target in &targets {
        must_not_serve(&server, target, &secret);
    }
}

#[test]
#[cfg(unix)]
fn check_08_no_way_out_by_links() {
    after(check_07_no_way_out);
    let check = check!("a symbolic link out of the root is not followed")
        .read("no-way-out")
        .with_options("--root book/src")
        .by_hand(
            "mkdir book/src-b; echo secret >book/src-b/page; ln -s ../src-b book/src/beside\n\
             curl -i http://{addr}/beside/page; rm -r book/src/beside book/src-b",
        );
    let site = Site::new();
    let secret = Random::default().word(40);
    let outside = site.outside("secret.txt", &secret);
    let beside = site.outside("site-b/index.html", &secret);
    let beside = beside.parent().expect("a folder");
    site.file("folder/other", "x")
        .link("link.txt", &outside)
        .link("relative.txt", "../secret.txt".as_ref())
        .link("twice.txt", "link.txt".as_ref())
        .link("up", "..".as_ref())
        .link("beside", beside)
        .link("folder/index.html", &outside)
        .link("loop", "loop".as_ref())
        .link("entrance", &site.root())
        .file("home/index.html", "home");
    let server = start(&check, &site);
    for target in [
        "/link.txt",
        "/relative.txt",
        "/twice.txt",
        "/up/secret.txt",
        "/beside/index.html",
        "/beside",
        "/beside/",
        "/folder/",
        "/loop",
        "/entrance/../secret.txt",
    ] {
        must_not_serve(&server, target, &secret);
    }
    let entrance = site.root().join("entrance").display().to_string();
    let server = check.start(&["--root", &entrance]);
    let (client, answer) = get(&server, "/home/");
    client.expect_body(
        &answer,
        b"home",
        "here the root itself was given as a link. Compare with its real path: canonicalize() it \
         once, at the start.",
    );
}

#[test]
fn check_09_head_and_other_methods() {
    after(check_04_folders);
    let check = check!(
        "HEAD is answered like GET, without the content; other methods with 405"
    )
    .read("head")
    .with_options("--root book/src")
    .by_hand("curl -I http://{addr}/introduction.md");
    let site = Site::new();
    site.file("page.html", "x".repeat(1234));
    let server = start(&check, &site);
    for (target, status) in [("/page.html", 200), ("/nowhere", 404)] {
        let (_, full) = get(&server, target);
        let (mut client, answer) = ask(
            &server,
            &format!(
                "HEAD {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            ),
        );
        client.expect_status(
            &answer,
            &[status],
            "HEAD gets the status that GET would get.",
        );
        for name in ["Content-Length", "Content-Type"] {
            let wanted = full.field(name).unwrap_or_default();
            let found = answer.field(name);
            // A server may leave a field out that it would have to compute; it may
            // not invent one.
            if found.is_some_and(|found| found != wanted) {
                client.expect_field(
                    &answer,
                    name,
                    &format!("{wanted}, as for GET"),
                    |_| false,
                    "the fields of an answer to HEAD describe the content that GET would get.",
                );
            }
        }
        client.expect_end(Likely {
            differs: "the answer to HEAD ends with the blank line: no content, not even that of an \
                      error page.",
            ..NO_ANSWER
        });
    }
    let (mut client, answer) =
        ask(&server, "DELETE /page.html HTTP/1.1\r\nHost: a\r\n\r\n");
    client.expect_status(&answer, &[405], "files are only read here.");
    client.expect_field(
        &answer,
        "Allow",
        "GET, HEAD",
        |value| {
            let allows = |method| value.split(',').any(|one| one.trim() == method);
            allows("GET") && allows("HEAD") && !allows("DELETE")
        },
        "with 405 a server must say which methods it allows (RFC 9110, section 15.5.6).",
    );
    client.hang_up();
}

#[test]
fn check_10_a_large_file() {
    after(check_01_a_file_is_served);
    let check = check!("a large file arrives whole, and is not read into memory whole")
        .read("large-files")
        .with_options("--root .")
        .by_hand("truncate -s 1G big; curl -so copy http://{addr}/big; cmp big copy; rm big copy");
    const LEN: u64 = 24 << 20;
    let site = Site::new();
    site.large_file("large.bin", LEN, b"the end");
    let server = start(&check, &site);
    let mut client = server.connect();
    client.send("GET /large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = client.answer(Likely {
        closed: "the server closed before it had sent the whole file. A read brings a piece of it, as \
                 long as the buffer at most; go on until nothing is left.",
        ..NO_ANSWER
    });
    client.expect_status(&answer, &[200], "the file is there.");
    let body = answer.body();
    if body.len() as u64 != LEN || !body.ends_with(b"the end") {
        check.fail(
            format!("Of the file's {LEN} bytes, {} came, or others.", body.len()),
            "Content-Length must be the file's length, and every byte must follow.",
        );
    }
    client.expect_end(NO_ANSWER);
    match server.peak_memory() {
        Some(peak) if peak > LEN => check.fail(
            format!(
                "The program used {} MiB of memory for a file of 24 MiB.",
                peak >> 20
            ),
            "fs::read() brings the whole file into memory; with io::copy() a small buffer will do.",
        ),
        Some(_) => {}
        None => check.pass_over("only Linux tells here how much memory a program uses"),
    }
}

#[test]
fn check_11_clients_that_leave() {
    after(check_10_a_large_file);
    let check = check!(
        "a client that leaves in the middle of a file does not end the server"
    )
    .read("large-files");
    let site = Site::new();
    site.large_file("large.bin", 20 << 20, b"the end")
        .file("small", "small");
    let server = start(&check, &site);
    for _ in 0..3 {
        let mut client = server.connect();
        client.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        client.reset();
    }
    let (client, answer) = get(&server, "/small");
    client.expect_body(
        &answer,
        b"small",
        "one client's error must not hurt the next client.",
    );
    server.must_still_run();
}

#[test]
fn check_12_a_file_that_changes() {
    after(check_10_a_large_file);
    let check =
        check!("a file that changes its length while it is sent confuses no client")
            .read("large-files");
    const LEN: u64 = 24 << 20;
    const SECOND: &str = "the second answer";
    let site = Site::new();
    site.large_file("shrinks", LEN, b"the end")
        .large_file("grows", LEN, b"the end")
        .file("second", SECOND);
    let server = start(&check, &site);
    let begin = |name: &str| {
        let mut client = server.connect();
        client.send(format!(
            "GET /{name} HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n"
        ));
        // Now the server is in the middle: the buffers on the way are smaller than
        // the file.
        client.read_some(1);
        client
    };

    let mut client = begin("grows");
    check.step("make the file longer while it is on its way");
    site.append("grows", "more");
    for len in [LEN, SECOND.len() as u64] {
        let answer = client.answer(Likely::always(
            "the length was promised before: no more bytes than that may follow, take(len), or the \
             client takes the rest for the next answer.",
        ));
        if answer.body().len() as u64 != len {
            check.fail(
                format!("{} bytes came instead of {len}.", answer.body().len()),
                "the length was promised before, by the length that the file had then.",
            );
        }
    }
    client.hang_up();

    let mut client = begin("shrinks");
    check.step("make the file shorter while it is on its way");
    site.large_file("shrinks", 1 << 20, b"the end");
    let received = client.read_to_end(Likely {
        silent: "the promised length can no longer be kept; the client waits for the rest as long as \
                 the connection is open.",
        ..NO_ANSWER
    });
    let len = received.len() as u64;
    let tail = &received[received.len().saturating_sub(1000)..];
    // Who made up for what was missing may go on to the second request.
    if len < LEN && String::from_utf8_lossy(tail).contains(SECOND) {
        check.fail(
            format!("Content-Length promised {LEN} bytes; after fewer the second answer came."),
            "the client takes the second answer for a part of the file. io::copy() returns how many \
             bytes there were: where they are too few, nothing but closing is left.",
        );
    }
    let (client, answer) = get(&server, "/second");
    client.expect_body(
        &answer,
        SECOND.as_bytes(),
        "one client's failure is no reason to leave the others.",
    );
    server.must_still_run();
}

#[test]
#[cfg(unix)]
fn check_13_what_is_no_file() {
    after(check_02_what_is_not_there);
    let check = check!("what is neither a file nor a folder is not opened")
        .read("when-there-is-nothing")
        .with_options("--root book/src")
        .by_hand(
            "mkfifo book/src/pipe; curl -i http://{addr}/pipe; rm book/src/pipe",
        );
    let site = Site::new();
    site.file("file", "x");
    let pipe = site.root().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return check.pass_over("there is no mkfifo");
    }
    let server = start(&check, &site);
    let mut client = server.connect();
    client.send("GET /pipe HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer(Likely {
        silent: "opening a named pipe waits until somebody writes to it. Look whether the path is a \
                 file, metadata().is_file(), before opening it.",
        ..NO_ANSWER
    });
    client.expect_status(&answer, &[404, 403], "a named pipe is no file to serve.");
}

#[test]
fn check_14_still_a_strict_parser() {
    after(check_01_a_file_is_served);
    let check = check!("requests are still parsed and refused as in chapter 04")
        .read("what-stays");
    let site = Site::new();
    site.file("one", "1").file("two", "2");
    let server = start(&check, &site);
    const SAME: &str = "chapter 04's milestone tells more: cargo test -p chapter04.";
    let cases = [
        ("GET /one HTTP/1.1\r\n\r\n", 400),
        ("GET /one HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("BREW /one HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("GET /one HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    ];
    for (request, status) in cases {
        let (client, answer) = ask(&server, request);
        client.expect_status(&answer, &[status], SAME);
    }
    let mut client = server.connect();
    client.send(
        "GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    for wanted in [b"1", b"2"] {
        let answer = client.answer(Likely::always(SAME));
        client.expect_body(&answer, wanted, SAME);
    }
    client.hang_up();
    let mut client = server.connect();
    client.send(
        "GET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    let answer = client.answer(Likely::always(SAME));
    client.expect_body(&answer, b"1", SAME);
    client.expect_end(Likely::always(
        "the client said that its first request is the last one: close after the answer (RFC 9112, \
         section 9.6).",
    ));
}

#[test]
fn check_15_a_real_client() {
    after(check_04_folders);
    let check = check!("a real HTTP client gets the pages")
        .read("use-it")
        .with_options("--root book/book")
        .by_hand("curl -v http://{addr}/");
    let site = Site::new();
    let page = Random::default().word(20);
    site.file("index.html", &page);
    let server = start(&check, &site);
    let fetched = server.get("/");
    if fetched.status != 200 || fetched.body != page.as_bytes() {
        check.fail(
            "reqwest got another answer than the raw client.",
            "see the earlier checks.",
        );
    }
    if server.get("/nowhere").status != 404 {
        check.fail(
            "reqwest got no 404 for what is not there.",
            "see the earlier checks.",
        );
    }
}

#[test]
fn check_16_a_wrong_command_line() {
    after(check_01_a_file_is_served);
    let check =
        check!("a folder that is not there, or a wrong option, is refused in words")
            .read("the-command-line")
            .by_hand(
                "cargo run -p chapter05 -- --root /nowhere; echo \"exit code $?\"",
            );
    let run = check.run(&["127.0.0.1:0", "--root", "no-such-folder"]);
    run.code(
        1,
        "a root that cannot be served stops the program from starting: exit code 1.",
    );
    run.stderr(
        "name the folder",
        predicate::str::contains("no-such-folder"),
        "say which folder it was.",
    );
    let site = Site::new();
    site.file("file", "x");
    let file = site.root().join("file").display().to_string();
    let run = check.run(&["127.0.0.1:0", "--root", &file]);
    run.code(
        1,
        "a root that is a file cannot be served: look at the start, not at the first request.",
    );
    for args in [
        &["127.0.0.1:0", "--root"][..],
        &["--no-such-option"],
        &["a:1", "b:2"],
    ] {
        let run = check.run(args);
        run.code(
            2,
            "by convention, exit code 2 means that the command line is wrong.",
        );
        run.stderr(
            "show the usage",
            predicate::str::contains("usage").or(predicate::str::contains("Usage")),
            "the starter has these lines; they should stay.",
        );
    }
}

#[test]
fn check_17_starts_as_before() {
    after(check_01_a_file_is_served);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}

/// Asks for a target that leads outside, and checks that the secret there does not
/// come.
#[track_caller]
fn must_not_serve(server: &Program, target: &str, secret: &str) {
    let (client, answer) = get(server, target);
    const LIKELY: &str = "the path was followed out of the root. Decode first, then refuse each \
                          \"..\"; do not join what begins with a slash; then canonicalize() and see \
                          whether the path still starts with the root, by components and not as text.";
    client.expect_body_without(&answer, secret.as_bytes(), LIKELY);
    // A redirect to a path without dots is as good as a refusal.
    client.expect_status(&answer, &[400, 403, 404, 301, 307, 308], LIKELY);
}
