//! The root that a server of files must not leave: by no target, and by no link.

use crate::{Check, Program, Random, Site, curl};

/// What a target that leads outside may be answered with. A redirect to a path
/// without dots is as good as a refusal.
const NOT_SERVED: &[u16] = &[400, 403, 404, 301, 302, 307, 308];

/// Why what is outside the root comes out.
const LEFT: &str = "the path was followed out of the root. Decode first, then refuse \
                    each \"..\"; don't join a name that begins with a slash; then \
                    canonicalize() and see whether the path still starts with the \
                    root, by components and not as text.";

/// Ways to a file outside the root, `secret.txt` in the folder above or beside it.
const WAYS_OUT: &str = "
    /../secret.txt /sub/../../secret.txt /./../secret.txt //../secret.txt
    /%2e%2e/secret.txt /.%2e/secret.txt /%2E./secret.txt /sub/%2e%2e/%2e%2e/secret.txt
    /..%2fsecret.txt /%2e%2e%2fsecret.txt /sub%2f..%2f..%2fsecret.txt
    /..%00/secret.txt /..%5csecret.txt /..\\secret.txt /sub/..%5c..%5csecret.txt
    /../src-b/secret.txt /%252e%252e/secret.txt /..;/secret.txt
    http://a/../secret.txt ../secret.txt
    /....//secret.txt /..././secret.txt /%2e%2e%2e%2e%2f%2fsecret.txt
    /%c0%ae%c0%ae/secret.txt /..%c0%afsecret.txt /%3f/../../secret.txt";

/// Ways out and back in. `ROOT` means the name of the root.
const WAYS_BACK: &str = "
    /../ROOT/index.html /%2e%2e/ROOT/index.html /sub/../../ROOT/index.html
    /..%2fROOT%2findex.html /../ROOT/";

impl Check {
    /// Checks that no target leads to a file outside the root, or out of the root and
    /// back in.
    #[track_caller]
    pub fn serves_nothing_outside_the_root(self) {
        let check = self.with_options("--root book/src");
        let site = Site::new();
        let secret = Random::default().word(40);
        let outside = site.outside("secret.txt", &secret);
        site.outside("src-b/secret.txt", &secret);
        site.outside("site-b/secret.txt", &secret);
        site.file("index.html", "home")
            .file("sub/index.html", "sub");
        let server = check.start(&["--root", &site.arg()]);
        let made = "mkdir -p book/src/sub book/src-b\n\
                    echo secret | tee book/secret.txt >book/src-b/secret.txt\n\
                    {get}\n\
                    rm -r book/secret.txt book/src-b book/src/sub";
        for target in WAYS_OUT.split_whitespace() {
            let target = target.replace("src-b", "site-b");
            let by_hand =
                made.replace("{get}", &curl(&target.replace("site-b", "src-b")));
            must_not_serve(&server, &target, &secret, &by_hand);
        }
        // By hand, a file that every Unix has will do.
        let targets = absolute(&outside.display().to_string());
        for (target, by_hand) in targets.iter().zip(absolute("/etc/passwd")) {
            must_not_serve(&server, target, &secret, &curl(&by_hand));
        }

        for way in WAYS_BACK.split_whitespace() {
            let by_hand = curl(&way.replace("ROOT", "src"));
            must_not_find(&server, &way.replace("ROOT", "site"), &by_hand);
        }
        let index = site.root().join("index.html").display().to_string();
        let by_hand =
            "curl -i http://{addr}/$(echo $PWD/book/src/index.html | sed s,/,%2f,g)";
        must_not_find(&server, &format!("/{}", index.replace('/', "%2f")), by_hand);
    }

    /// Checks that no symbolic link leads out of the root, and that the root itself
    /// may be one.
    #[cfg(unix)]
    #[track_caller]
    pub fn follows_no_link_out_of_the_root(self) {
        let check = self.with_options("--root book/src");
        let site = Site::new();
        let secret = Random::default().word(40);
        let outside = site.outside("secret.txt", &secret);
        site.outside("src-b/index.html", &secret);
        site.file("folder/other", "x")
            .link("link.txt", &outside)
            .link("relative.txt", "../secret.txt".as_ref())
            .link("twice.txt", "link.txt".as_ref())
            .link("up", "..".as_ref())
            .link("beside", "../src-b".as_ref())
            .link("folder/index.html", &outside)
            .link("loop", "loop".as_ref())
            .link("entrance", &site.root())
            .file("home/index.html", "home");
        let server = check.start(&["--root", &site.arg()]);
        for (made, target) in [
            ("ln -s $PWD/../secret.txt link.txt", "/link.txt"),
            ("ln -s ../secret.txt relative.txt", "/relative.txt"),
            ("ln -s ../secret.txt a; ln -s a twice.txt", "/twice.txt"),
            ("ln -s .. up", "/up/secret.txt"),
            ("ln -s ../src-b beside", "/beside/index.html"),
            ("ln -s ../src-b beside", "/beside/"),
            (
                "ln -s ../../secret.txt i; mkdir folder; mv i folder/index.html",
                "/folder/",
            ),
            ("ln -s loop loop", "/loop"),
            ("ln -s . entrance", "/entrance/../secret.txt"),
        ] {
            must_not_serve(&server, target, &secret, &with_a_link(made));
        }
        for (made, target) in [
            ("ln -s ../src-b beside", "/beside"),
            ("ln -s .. up", "/up/src-b"),
        ] {
            server.get_reply_as(target, &with_a_link(made)).status(
                &[403, 404],
                "this link leads to a folder outside, and a redirect to its slash \
                 tells that there is one. Ask first where a path really is, and then \
                 what it is.",
            );
        }
        let entrance = site.root().join("entrance").display().to_string();
        let server = check.start(&["--root", &entrance]);
        let by_hand = "ln -s src book/entrance\n\
                       cargo run -p chapter05 -- 127.0.0.1:7879 \
                       --root book/entrance &\n\
                       sleep 1; curl -i http://127.0.0.1:7879/introduction.md\n\
                       kill %1; rm book/entrance";
        server.get_reply_as("/home/", by_hand).body(
            "home",
            "here the root itself was given as a link. Compare with its real path: \
             canonicalize() it once, at the start.",
        );
    }
}

/// Asks for a target that leads outside, and checks that the secret there doesn't
/// come.
#[track_caller]
fn must_not_serve(server: &Program, target: &str, secret: &str, by_hand: &str) {
    let reply = server.get_reply_as(target, by_hand);
    let what = "a secret from outside the root";
    reply.without(what, secret, LEFT).status(
        NOT_SERVED,
        "nothing inside the root has this name, so there's nothing to serve, neither \
         from outside nor in its place.",
    );
}

/// Asks for the home page by a way that leads out of the root and back in.
#[track_caller]
fn must_not_find(server: &Program, target: &str, by_hand: &str) {
    let by_hand =
        format!("echo x >book/src/index.html\n{by_hand}\nrm book/src/index.html");
    server.get_reply_as(target, &by_hand).status(
        NOT_SERVED,
        "this target leads out of the root and back in, and so tells a stranger what \
         our folder is called. After decoding, each segment must be one ordinary \
         name: not \"..\", nothing with a slash, not a path of its own.",
    );
}

/// What it takes by hand to get a target when this command has made a link.
#[cfg(unix)]
fn with_a_link(made: &str) -> String {
    let link = made.rsplit(' ').next().unwrap_or_default();
    let removed = link.split('/').next().unwrap_or_default();
    format!(
        "mkdir book/src-b; cd book/src\n\
         echo secret | tee ../secret.txt >../src-b/index.html\n\
         {made}\n\
         {{get}}\n\
         rm -r {removed} ../secret.txt ../src-b; cd -"
    )
}

/// Targets that name a file by its absolute path.
fn absolute(path: &str) -> Vec<String> {
    let encoded = path.replace('/', "%2f");
    vec![
        format!("/{path}"),
        path.to_owned(),
        encoded.clone(),
        format!("/{encoded}"),
        format!("/%2f{}", &path[1..]),
        format!("/sub/{path}"),
        format!("file://{path}"),
        format!("http://a/{path}"),
    ]
}
