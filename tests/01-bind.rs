//! Milestone of chapter 01: the program binds an address, says which, and accepts
//! connections. Where it cannot, it says why in one sentence and ends with exit code
//! 1.

use std::net::TcpListener;

use harness::predicates::prelude::*;
use harness::{Likely, Run, after, check};

#[test]
fn check_01_a_wrong_command_line() {
    let check = check!("a wrong command line is answered with the usage")
        .read("the-command-line")
        .by_hand("cargo run -p {package} -- --no-such-option; echo \"exit code $?\"");
    for args in [&["--no-such-option"][..], &["127.0.0.1:0", "127.0.0.1:0"]] {
        let run = check.run(args);
        run.code(
            2,
            "by convention, exit code 2 means that the command line is wrong.",
        );
        run.stderr(
            "show the usage",
            in_any_case(&["usage"]),
            "the starter has these lines; they should stay.",
        );
    }
}

#[test]
fn check_02_an_address_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("an address").to_string();
    let check = check!("an address in use is refused in words")
        .read("when-bind-fails")
        .by_hand(
            "cargo run -p {package}\n\
             # then, in a second terminal:\n\
             cargo run -p {package}; echo \"exit code $?\"",
        );
    let run = check.run(&[&addr]);
    refused(&run, &addr);
    run.stderr(
        "say that the address is in use",
        in_any_case(&["in use", "already", "taken", "only one usage"]),
        "the cause is missing: look at error.kind(), here ErrorKind::AddrInUse.",
    );
}

#[test]
fn check_03_not_an_address() {
    after(check_02_an_address_in_use);
    let check = check!("what is not an address is refused in words")
        .read("when-bind-fails")
        .by_hand("cargo run -p {package} -- nowhere; echo \"exit code $?\"");
    for addr in ["nowhere", "127.0.0.1:99999", "127.0.0.1:port"] {
        let run = check.run(&[addr]);
        refused(&run, addr);
        run.stderr(
            "say what an address looks like",
            in_any_case(&["address", "port", "socket"]),
            "the cause is missing: look at error.kind(), here ErrorKind::InvalidInput.",
        );
    }
}

#[test]
fn check_04_a_privileged_port() {
    after(check_02_an_address_in_use);
    let check = check!("a port that needs privileges is refused in words")
        .read("when-bind-fails")
        .by_hand("cargo run -p {package} -- 127.0.0.1:81; echo \"exit code $?\"");
    let addr = "127.0.0.1:81";
    if !refuses_low_ports() {
        return check.pass_over("everybody may bind low ports here");
    }
    let Some(run) = check.run_unprivileged(&[addr]) else {
        return check.pass_over(
            "the tests run as root, and the program cannot be run as another",
        );
    };
    refused(&run, addr);
    run.stderr(
        "say that permission is missing",
        in_any_case(&[
            "permission",
            "denied",
            "privilege",
            "not allowed",
            "administrator",
        ]),
        "the cause is missing: look at error.kind(), here ErrorKind::PermissionDenied.",
    );
    run.stderr(
        "say which ports need it",
        in_any_case(&["1024", "1023"]),
        "a person who reads \"permission denied\" cannot know that ports from 1024 on would do. \
         These may be the system's words, {error}: the function explain(&error) has better ones.",
    );
}

#[test]
fn check_05_an_address_of_another_machine() {
    after(check_02_an_address_in_use);
    let check =
        check!("an address that this machine does not have is refused in words")
            .read("when-bind-fails")
            .by_hand(
                "cargo run -p {package} -- 192.0.2.1:7878; echo \"exit code $?\"",
            );
    // 192.0.2.0/24 is reserved for examples (RFC 5737): no machine should have it.
    let addr = "192.0.2.1:7878";
    if TcpListener::bind(addr).is_ok() {
        return check.pass_over("this machine lets programs bind any address");
    }
    let run = check.run(&[addr]);
    refused(&run, addr);
    run.stderr(
        "say what is wrong with the address",
        in_any_case(&[
            "interface",
            "assign",
            "available",
            "machine",
            "address",
            "valid",
            "local",
        ]),
        "the cause is missing: look at error.kind(), here ErrorKind::AddrNotAvailable.",
    );
}

#[test]
fn check_06_says_where_it_listens() {
    after(check_02_an_address_in_use);
    let check = check!("the first line on stdout says where the program listens")
        .read("say-where-you-listen")
        .by_hand("nc -v 127.0.0.1 {port} < /dev/null; echo \"exit code $?\"");
    let server = check.start(&[]);
    if server.addr().port() == 7878 {
        check.fail(
            "The program says that it listens on port 7878, but port 0 was asked for.",
            "the address in the line, or the one given to bind(), stands fixed in the source. Bind \
             addr, and ask the listener where it listens, with local_addr().",
        );
    }
    server.connect();
}

#[test]
fn check_07_closes_each_connection_in_order() {
    after(check_06_says_where_it_listens);
    let check = check!("each client is accepted, and its connection closed in order")
        .read("accept")
        .by_hand("nc 127.0.0.1 {port} < /dev/null; echo closed");
    let server = check.start(&[]);
    for _ in 0..5 {
        server.connect().expect_end(Likely {
            silent: "the program never accepts: the kernel completes connections by itself and \
                     keeps them in the backlog until accept() takes them. Or it keeps the stream \
                     instead of dropping it.",
            reset: "this client waited in the backlog, and nobody accepted it: the loop over \
                    connections has ended.",
            differs: "in this chapter the server says nothing: accept, and drop the stream.",
            ..Likely::default()
        });
    }
    server.must_still_run();
}

#[test]
fn check_08_clients_need_not_take_turns() {
    after(check_07_closes_each_connection_in_order);
    let check = check!("clients that connect together are all served").read("accept");
    let server = check.start(&[]);
    let clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for mut client in clients.into_iter().rev() {
        client.expect_end(Likely::always(
            "the loop over connections has ended too early.",
        ));
    }
}

/// Whether this machine keeps low ports from people without privileges: Linux says
/// so, macOS refuses them for addresses other than the wildcard, and Windows never
/// does.
fn refuses_low_ports() -> bool {
    if cfg!(windows) {
        return false;
    }
    let first =
        std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    first.map_or(true, |first| {
        first.trim().parse().is_ok_and(|first: u16| first > 81)
    })
}

/// What holds whenever the program cannot listen.
#[track_caller]
fn refused(run: &Run, addr: &str) {
    run.code(
        1,
        "main must return ExitCode::FAILURE, or ExitCode::from(1). A panic would be 101.",
    );
    run.stderr(
        "say anything",
        predicate::function(|text: &str| !text.trim().is_empty()),
        "messages for people go to stderr, with eprintln!(). Who reads the output of a program \
         (stdout) with another program does not want them there.",
    );
    run.stderr(
        "speak in words",
        predicate::function(|text: &str| !text.contains("kind: ") && !text.contains("Custom {")),
        "this is the form for programmers, {error:?}. Print the error with {error}. A main that \
         returns Err prints it in the form for programmers too.",
    );
    run.stdout(
        "stay without a listening line",
        predicate::str::contains("listening").not(),
        "the line is printed before bind has succeeded.",
    );
    run.stderr(
        "name the address that was asked for",
        predicate::str::contains(addr),
        "with several servers at work, a person needs to know which address it was.",
    );
    run.stderr(
        "consist of one sentence on one line",
        predicate::function(|text: &str| text.trim().lines().count() == 1),
        "say it once, and let the sentence stand alone on stderr.",
    );
}

fn in_any_case(words: &'static [&str]) -> impl Predicate<str> {
    predicate::function(|text: &str| {
        let text = text.to_lowercase();
        words.iter().any(|word| text.contains(word))
    })
}
