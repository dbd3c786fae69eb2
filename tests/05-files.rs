//! Milestone of chapter 05: the files below `--root DIR` are served, each with its
//! media type, and nothing outside that folder, whatever a target says.

use harness::predicates::prelude::*;
use harness::{Check, LARGE, Likely, Program, Random, Reply, Site, after, curl, get};

harness::gaps![
    "percent-decoding",
    "no-way-out",
    "no-way-out",
    "no-way-out",
    "folders",
    "large-files",
];

const REDIRECTS: &[u16] = &[301, 302, 307, 308];

/// The server of this site.
fn start(check: &Check, site: &Site) -> Program {
    check.start(&["--root", &site.arg()])
}

/// Checks that a file is served, with this content.
#[track_caller]
fn is_served(reply: &Reply, content: &[u8]) {
    const LIKELY: &str = "the content must be the file's bytes, as they are now, not \
                          text made of them.";
    const LOST: &str = "the file is there: is the target's path looked up below the \
                        root, and its content read as bytes, not as text?";
    reply.status(&[200], LOST).body(content, LIKELY);
}

#[test]
fn check_01_a_file_is_served() {
    let check = check!("a file below the root is served as it is")
        .read("from-target-to-file")
        .with_options("--root book/src");
    let mut random = Random::default();
    let (name, content) = (random.word(9), random.bytes(3001));
    let site = Site::new();
    site.file(&name, &content).file("sub/deep/file", "deep");
    site.file("empty", "");
    let server = start(&check, &site);
    let by_hand = format!(
        "head -c 3001 /dev/urandom >book/src/{name}\n\
         curl -s http://{{addr}}/{name} | cmp - book/src/{name} && echo same\n\
         rm book/src/{name}"
    );
    let target = format!("/{name}");
    is_served(&server.get_reply_as(&target, &by_hand), &content);
    let deep = "mkdir -p book/src/sub/deep; echo x >book/src/sub/deep/file\n\
                {get}\n\
                rm -r book/src/sub";
    is_served(&server.get_reply_as("/sub/deep/file", deep), b"deep");
    let empty = "touch book/src/empty; {get}; rm book/src/empty";
    is_served(&server.get_reply_as("/empty", empty), b"");
    check.step("change the first file");
    site.file(&name, "changed");
    is_served(&server.get_reply_as(&target, &by_hand), b"changed");
}

#[test]
fn check_02_what_is_not_there() {
    after(check_01_a_file_is_served);
    let check = check!("what isn't there is answered with 404")
        .read("when-there-is-nothing")
        .with_options("--root book/src");
    let site = Site::new();
    site.file("index.html", "home")
        .file("introduction.md", "content")
        .file("figures/05-root.svg", "content");
    let server = start(&check, &site);
    const NO_FILE: &str = "each error of the file system must become a status code: \
                           also that of a name that is too long, and of a file that \
                           is used like a folder. Nothing else comes in its place.";
    for target in ["/nowhere", "/introduction.md/more", "/figures/nowhere"] {
        let reply = server.get_made("index.html", target);
        reply.status(&[404], NO_FILE);
    }
    let long = "curl -i http://{addr}/$(printf %05000d 0)";
    let target = format!("/{}", "0".repeat(5000));
    server.get_reply_as(&target, long).status(&[404], NO_FILE);
    for end in ["/", "/.", "/%2e"] {
        server.get_reply(&format!("/introduction.md{end}")).status(
            &[404],
            "a path that ends in a slash, or in a segment that decodes to a dot, \
             means a folder, and this is a file.",
        );
    }
    server.get_reply("/figures/").status(
        &[404, 403],
        "a folder without an index.html has no page to show.",
    );
    for target in ["/<script>x", "/%3Cscript%3Ex"] {
        let reply = server.get_reply(target);
        reply.status(&[404, 400, 403], NO_FILE).without(
            "the root's path",
            &site.arg(),
            "a stranger needn't learn where the root is. Say what is wrong in words \
             of your own.",
        );
        let kind = reply.answer.field("Content-Type");
        if kind.is_some_and(|kind| kind.starts_with("text/html")) {
            reply.without(
                "a script from the target",
                "<script>",
                "a page that repeats what it was asked for runs the scripts of \
                 whoever made the link. Say that there is nothing, and no more.",
            );
        }
    }
    server.must_still_run();
}

/// An ending on each line, and the media types that fit it.
const TYPES: &str = "html text/html;charset=utf-8
                     css text/css text/css;charset=utf-8
                     js text/javascript text/javascript;charset=utf-8 \
                     application/javascript application/javascript;charset=utf-8
                     json application/json
                     svg image/svg+xml
                     png image/png
                     jpg image/jpeg
                     gif image/gif
                     ico image/x-icon image/vnd.microsoft.icon
                     woff2 font/woff2
                     txt text/plain;charset=utf-8
                     wasm application/wasm
                     pdf application/pdf
                     HTML text/html;charset=utf-8";

/// A media type, spelled in one way.
fn plain(media_type: &str) -> String {
    media_type.to_ascii_lowercase().replace([' ', '"'], "")
}

#[test]
fn check_03_media_types() {
    after(check_01_a_file_is_served);
    let check = check!("each file has the media type of its ending")
        .read("media-types")
        .with_options("--root book/src");
    let site = Site::new();
    let server = start(&check, &site);
    for line in TYPES.lines() {
        let (ending, wanted) = line.trim().split_once(' ').expect("a type");
        let file = format!("in.{ending}/a.b.{ending}");
        site.file(&file, "x");
        let by_hand = format!(
            "mkdir book/src/in.{ending}; echo x >book/src/{file}\n\
             {{get}}\n\
             rm -r book/src/in.{ending}"
        );
        let reply = server.get_reply_as(&format!("/{file}"), &by_hand);
        reply.status(&[200], "the file is there.").field(
            "Content-Type",
            &wanted.replace(' ', " or "),
            |value| wanted.split(' ').any(|wanted| wanted == plain(value)),
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
            .with_options("--root book/src");
    let site = Site::new();
    let page = Random::default().word(30);
    site.file("index.html", format!("<p>{page}"))
        .file("a b%/c/index.html", &page)
        .file("odd/index.html/file", "x");
    let server = start(&check, &site);
    for target in ["/", "/?q=1"] {
        let reply = server.get_made("index.html", target);
        reply
            .status(
                &[200],
                "the root folder has an index.html. It's the path that ends in a \
                 slash, without the query; a redirect from there leads to itself.",
            )
            .body(format!("<p>{page}"), "this isn't the root's index.html.")
            .field(
                "Content-Type",
                "text/html; charset=utf-8",
                |value| plain(value) == "text/html;charset=utf-8",
                "the type is that of the file that is sent, index.html. The folder's \
                 name has no ending.",
            );
    }
    let made = "mkdir -p 'book/src/a b%/c'; echo x >'book/src/a b%/c/index.html'\n\
                {get}\n\
                rm -r 'book/src/a b%'";
    for target in ["/a%20b%25/c/", "/a%20b%25/c/?q=1"] {
        server
            .get_reply_as(target, made)
            .status(&[200], "this folder has an index.html.")
            .body(&page, "this isn't the folder's index.html.");
    }
    for query in ["?q=1", "?q=/?"] {
        let reply = server.get_reply_as(&format!("/a%20b%25/c{query}"), made);
        reply
            .status(
                REDIRECTS,
                "without the slash, links in the folder's page would count from the \
                 folder above: send the browser to the right address.",
            )
            .field(
                "Location",
                &format!("/a%20b%25/c/{query}"),
                |value| {
                    // From the root or from the folder above: both lead there.
                    let path = path_of(value, &server);
                    let rest = path.strip_prefix("/a%20b%25/").unwrap_or(path);
                    rest.trim_start_matches("./") == format!("c/{query}")
                },
                "the address is the same path with a slash, still percent-encoded; \
                 the query goes along, after the slash.",
            );
    }
    let odd = "mkdir -p book/src/odd/index.html\n{get}\nrm -r book/src/odd";
    server.get_reply_as("/odd/", odd).status(
        &[404, 403],
        "here index.html is a folder: it isn't a page to show, and a redirect would \
         lead to itself.",
    );
}

/// A Location without the address of this server.
fn path_of<'a>(location: &'a str, server: &Program) -> &'a str {
    location
        .strip_prefix(&format!("http://{}", server.addr()))
        .or(location.strip_prefix("http://a"))
        .unwrap_or(location)
}

#[test]
fn check_05_redirects_lead_here() {
    after(check_04_folders);
    let check =
        check!("a redirect leads to this server, and its Location is one line")
            .read("folders")
            .with_options("--root book/src");
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
        let made = "mkdir -p book/src/example.com/a\n{get}\n\
                    rm -r book/src/example.com";
        let reply = server.get_reply_as(target, made);
        if !(300..400).contains(&reply.answer.status()) {
            continue;
        }
        reply.field(
            "Location",
            "an address on this server",
            |value| {
                let path = path_of(value, &server);
                let leads_away = ["//", "/\\", "\\"].map(|b| path.starts_with(b));
                !leads_away.contains(&true) && !path.contains("://")
            },
            "a Location that begins with // names another host: whoever writes such \
             a link leads your visitors away. Build it from the names that you \
             found.",
        );
    }
    if cfg!(windows) {
        return;
    }
    let name = Random::default().word(8);
    site.file(&format!("{name}\r\nX-Injected: 1/index.html"), "x");
    let made = format!(
        "bash -c \"mkdir book/src/{name}$'\\r\\n'X-Injected:\\ 1\"\n\
         {{get}}\n\
         rm -r book/src/{name}*"
    );
    let target = format!("/{name}%0d%0aX-Injected:%201");
    let reply = server.get_reply_as(&target, &made);
    let odd = [REDIRECTS, &[400, 404]].concat();
    reply.status(&odd, "this is a folder with an odd name.");
    if reply.answer.status() < 400 || reply.answer.field("X-Injected").is_some() {
        let wanted = format!("/{name}%0D%0AX-Injected:%201/");
        reply.field(
            "Location",
            &wanted,
            |value| {
                let value = value.to_ascii_lowercase().replace("%3a", ":");
                value.ends_with(&wanted[1..].to_ascii_lowercase())
                    && reply.answer.field("X-Injected").is_none()
            },
            "the name was decoded to be looked up; in a field it must be encoded \
             again. A line end that a client brings in would begin a field of its \
             own.",
        );
    }
}

#[test]
fn check_06_percent_encoding() {
    after(check_02_what_is_not_there);
    let check = check!(
        "percent-encoded names are decoded, once; the query is no part of a name"
    )
    .read("percent-decoding")
    .with_options("--root book/src");
    let site = Site::new();
    let server = start(&check, &site);
    let mut files = vec![
        ("a b.txt", "/a%20b.txt"),
        ("żółw", "/%c5%bc%C3%B3%C5%82w"),
        ("a+b", "/a+b"),
        ("100%", "/100%25"),
        ("%41", "/%2541"),
        ("plain", "/%70lain?q=/../x"),
        ("dots..txt", "/dots..txt"),
        ("a=b&c;d", "/a=b&c;d"),
        ("a#b", "/a%23b"),
    ];
    if cfg!(unix) {
        files.push(("a?b", "/a%3Fb"));
    }
    for (name, target) in files {
        site.file(name, name);
        let reply = server.get_made(name, target);
        reply
            .status(
                &[200],
                "this file is there under its decoded name. A % and two hexadecimal \
                 digits, in either case, are one byte; + is a plus; decoding happens \
                 once; ? begins the query, and %3F doesn't.",
            )
            .body(name, "this is another file.");
    }
    let url = server.get_made("a b.txt", "http://a:80/%61%20b.txt?q=1");
    url.status(
        &[200],
        "a target may be a whole URL; a server must accept that (RFC 9112, section \
         3.2.2).",
    )
    .body("a b.txt", "this is another file.");

    // The files that careless decoders make of these targets are all there.
    let mut malformed = vec![
        ("%", "/%"),
        ("%4", "/%4"),
        ("%zz", "/%zz"),
        ("100%", "/100%"),
        ("plain", "/%plain"),
        ("plain", "/plain%00"),
        ("\u{fffd}", "/%ff"),
        ("ÿ", "/%ff"),
        ("plain", "/plain%FF"),
    ];
    if cfg!(unix) {
        malformed.extend([("\u{1}", "/%+1"), ("\u{4}", "/%4")]);
    }
    for (name, target) in malformed {
        site.file(name, "x");
        server.get_made(name, target).status(
            &[400, 404],
            "this names no file: refuse it, without a panic and without a guess. A % \
             needs two hexadecimal digits, and from_str_radix(\"+1\", 16) is 1; \
             bytes that aren't UTF-8 don't name anything here.",
        );
    }
    site.file("sub/page", "x");
    let made = "mkdir book/src/sub; echo x >book/src/sub/page\n\
                {get}\n\
                rm -r book/src/sub";
    server.get_reply_as("/sub%2Fpage", made).status(
        &[400, 403, 404],
        "split at the slashes first, and decode each segment afterwards: %2F is a \
         part of one name, and doesn't separate two (RFC 3986, section 2.4).",
    );
    server.must_still_run();
}

#[test]
fn check_07_no_way_out() {
    after(check_02_what_is_not_there);
    check!("nothing outside the root is served, whatever the target says")
        .read("no-way-out")
        .serves_nothing_outside_the_root();
}

#[test]
#[cfg(unix)]
fn check_08_no_way_out_by_links() {
    after(check_07_no_way_out);
    check!("a symbolic link out of the root is not followed")
        .read("no-way-out")
        .follows_no_link_out_of_the_root();
}

#[test]
fn check_09_head_and_other_methods() {
    after(check_04_folders);
    let check = check!(
        "HEAD is answered like GET, without the content; other methods with 405"
    )
    .read("head")
    .with_options("--root book/src");
    let site = Site::new();
    let content = "x".repeat(1234);
    site.file("introduction.md", &content);
    let server = start(&check, &site);
    for (rest, status) in [
        ("/introduction.md HTTP/1.1\r\nHost: a", 200),
        ("/nowhere HTTP/1.1\r\nHost: a", 404),
        ("/introduction.md HTTP/1.1", 400),
        ("/introduction.md HTTP/3.0\r\nHost: a", 505),
    ] {
        let rest = format!("{rest}\r\nConnection: close\r\n\r\n");
        let full = server.send_request(&format!("GET {rest}")).answer;
        let reply = server.send_request(&format!("HEAD {rest}"));
        reply.status(&[status], "HEAD gets the status that GET would get.");
        for name in ["Content-Length", "Content-Type"] {
            let wanted = full.field(name).unwrap_or_default();
            // A server may leave a field out that it would have to compute; it must
            // not invent one.
            if reply
                .answer
                .field(name)
                .is_some_and(|found| found != wanted)
            {
                reply.field(
                    name,
                    &format!("{wanted}, as for GET"),
                    |_| false,
                    "the fields of an answer to HEAD describe the content that GET \
                     would get.",
                );
            }
        }
        reply.must_be_last(
            "the answer to HEAD ends with the blank line: no content, not even that \
             of an error page.",
        );
    }
    let two =
        get("/introduction.md").replace("GET", "HEAD") + &get("/introduction.md");
    const ONE: &str =
        "HEAD concerns one request: the next one is answered too, with its content.";
    server.send_request(&two).next(ONE).body(content, ONE);
    let delete = get("/introduction.md").replace("GET", "DELETE");
    let reply = server.send_request(&delete);
    reply.status(&[405], "files are only read here.").field(
        "Allow",
        "GET, HEAD",
        |value| {
            let allows = |method| value.split(',').any(|one| one.trim() == method);
            allows("GET") && allows("HEAD") && !allows("DELETE")
        },
        "with 405 a server must say which methods it allows (RFC 9110, section \
         15.5.6).",
    );
}

#[test]
fn check_10_a_large_file() {
    after(check_01_a_file_is_served);
    let check = check!("a large file arrives whole, and isn't held in memory whole")
        .read("large-files")
        .with_options("--root book/src")
        .by_hand(
            "head -c 25178169 /dev/urandom >book/src/big\n\
             curl -so copy http://{addr}/big; cmp book/src/big copy && echo same\n\
             grep VmHWM /proc/$(pgrep -n {package})/status\n\
             rm book/src/big copy",
        );
    let site = Site::new();
    let content = Random::default().bytes(300_007);
    site.large_file("large.bin", LARGE, b"the end")
        .file("random.bin", &content);
    let server = start(&check, &site);
    let likely = Likely {
        closed: "the server closed before it had sent the whole file. A read brings \
                 a piece of it, as long as the buffer at most: go on until nothing \
                 is left. write() may take a part of a piece, write_all() takes all.",
        ..Likely::default()
    };
    let most = "of a buffer, only what the last read() has filled is to be sent, and \
                all of it: write() may take a part, write_all() takes all.";
    for (name, len) in [("random.bin", content.len() as u64), ("large.bin", LARGE)] {
        let mut client = server.connect();
        client.send(format!(
            "GET /{name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        ));
        if len == LARGE {
            client.read_some(1);
            // The write that waits for room then ends early.
            server.stop_and_continue();
        }
        let answer = client.answer(likely);
        client.expect_status(&answer, &[200], "the file is there.");
        let body = answer.body();
        let is_same = match len == LARGE {
            true => body.len() as u64 == LARGE && body.ends_with(b"the end"),
            false => body == content,
        };
        if !is_same {
            let came = body.len();
            check.fail(
                format!("Of the file's {len} bytes, {came} came, or others."),
                format!("Content-Length must be the file's length, and {most}"),
            );
        }
        client.by_hand(
            "head -c 300007 /dev/urandom >book/src/b\n\
             printf 'GET /b HTTP/1.0\\r\\n\\r\\n' | nc -N 127.0.0.1 {port} | wc -c\n\
             rm book/src/b  # a head and 300007 bytes",
        );
        client.expect_end(Likely {
            differs: most,
            ..likely
        });
    }
    match server.peak_memory() {
        Some(peak) if peak > LARGE => check.fail(
            format!(
                "The program used {} MiB of memory for a file of 24 MiB.",
                peak >> 20
            ),
            "fs::read() brings the whole file into memory; with io::copy() a small \
             buffer will do.",
        ),
        Some(_) => {}
        None => check.pass_over("only Linux tells how much memory a program uses"),
    }
}

#[test]
fn check_11_clients_that_leave() {
    after(check_10_a_large_file);
    let check = check!("a client that leaves in the middle does not end the server")
        .read("large-files")
        .with_options("--root book/src")
        .by_hand(
            "for n in 1 2 3; do bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}\n\
             printf \"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET\" >&3\n\
             sleep 0.1'; done; truncate -s 100M book/src/big\n\
             curl -s http://{addr}/big | head -c 1; rm book/src/big\n\
             curl -i http://{addr}/introduction.md",
        );
    let site = Site::for_resets();
    start(&check, &site).survives_resets();
}

#[test]
fn check_12_a_file_that_changes() {
    after(check_10_a_large_file);
    let check =
        check!("a file that changes its length while it is sent confuses no client")
            .read("large-files")
            .with_options("--root book/src");
    check.keeps_to_the_promised_length();
    check.finished_answers_arrive();
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
    let mut client = server.ask("/pipe");
    let answer = client.answer(Likely {
        silent: "opening a named pipe waits until something writes to it. Look \
                 whether the path is a file, with is_file(), before opening it.",
        ..Likely::default()
    });
    let likely = "a named pipe isn't a file to serve.";
    client.expect_status(&answer, &[404, 403], likely);
}

#[test]
fn check_14_still_a_strict_parser() {
    after(check_01_a_file_is_served);
    let check = check!("requests are still parsed and refused as in chapter 04")
        .read("what-stays")
        .with_options("--root book/src");
    check.refuses_as_in_chapter_04();
}

#[test]
fn check_15_a_real_client() {
    after(check_04_folders);
    let check = check!("a real HTTP client gets the pages")
        .read("use-it")
        .with_options("--root book/src")
        .by_hand("curl -v http://{addr}/introduction.md");
    let site = Site::with_a_home();
    let server = start(&check, &site);
    let fetched = server.get("/");
    if fetched.status != 200 || fetched.body != b"home" {
        check.fail(
            "reqwest got another answer than the raw client.",
            "see the earlier checks.",
        );
    }
    if server.get("/nowhere").status != 404 {
        check.fail("reqwest got no 404 for nothing.", "see the earlier checks.");
    }
}

#[test]
fn check_16_a_wrong_command_line() {
    after(check_01_a_file_is_served);
    let check =
        check!("a folder that is not there, or a wrong option, is refused in words")
            .read("the-command-line");
    let run = |args: &[&str]| {
        let typed = args.join(" ");
        let by_hand =
            format!("cargo run -p {{package}} -- {typed}; echo \"exit code $?\"");
        check.clone().by_hand(&by_hand).run(args)
    };
    let missing = run(&["127.0.0.1:0", "--root", "no-such-folder"]);
    missing
        .code(
            1,
            "a root that can't be served stops the program from starting: exit code \
             1.",
        )
        .stderr(
            "name the folder",
            predicate::str::contains("no-such-folder"),
            "say which folder it was.",
        );
    run(&["127.0.0.1:0", "--root", "Cargo.toml"]).code(
        1,
        "a root that is a file can't be served: look at the start, not at the first \
         request.",
    );
    for args in [
        &["127.0.0.1:0", "--root"][..],
        &["--no-such-option"],
        &["a:1", "b:2"],
    ] {
        run(args)
            .code(
                2,
                "by convention, exit code 2 means that the command line is wrong.",
            )
            .stderr(
                "show the usage",
                predicate::str::contains("usage")
                    .or(predicate::str::contains("Usage")),
                "the starter has these lines; they should stay.",
            );
    }
    for (options, target) in
        [(&["--root", "src"][..], "/main.rs"), (&[], "/src/main.rs")]
    {
        let by_hand = format!(
            "cargo build -p {{package}}; cd chapters/05-files\n\
             $OLDPWD/target/debug/{{package}} {} &\n\
             sleep 1; {}; kill %1; cd -",
            options.join(" "),
            curl(target)
        );
        let server = check.clone().by_hand(&by_hand).start(options);
        server.get_reply_as(target, &by_hand).status(
            &[200],
            "the root counts from the folder in which the program is started, and \
             without --root it's that folder itself. Here that's the one of the \
             package.",
        );
    }
}

#[test]
fn check_17_starts_as_before() {
    after(check_01_a_file_is_served);
    let check = check!("a program that cannot start says why, as in chapter 01");
    check.starts_as_in_chapter_01();
}
