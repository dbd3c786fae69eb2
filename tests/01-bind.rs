//! Milestone of chapter 01: the program binds an address, says which, and accepts
//! connections. If it can't, it says why in one sentence and ends with exit code 1.

use std::net::{Ipv4Addr, TcpListener};

use harness::predicates::prelude::*;
use harness::{Likely, Run, after, check};

const LOOP_ENDED: &str = "the loop over connections has ended: a return, a break, or \
                          a ? in it carried one connection's trouble out of the \
                          loop. The program must go on accepting, whatever happens.";

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
        "the cause is missing: explain(&error) has words for it.",
    );
}

#[test]
fn check_03_not_an_address() {
    after(check_02_an_address_in_use);
    for addr in ["nowhere", "127.0.0.1:99999", "127.0.0.1:port"] {
        let check = check!("what isn't an address is refused in words")
            .read("when-bind-fails")
            .by_hand(&format!(
                "cargo run -p {{package}} -- {addr}; echo \"exit code $?\""
            ));
        let run = check.run(&[addr]);
        refused(&run, addr);
        run.stderr(
            "say what an address looks like",
            in_any_case(&["address", "port", "socket"]),
            "the cause is missing: explain(&error) has words for it.",
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
            "the tests run as root, and the program can't be run as another user",
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
            "root",
        ]),
        "the cause is missing: explain(&error) has words for it.",
    );
    run.stderr(
        "say which ports need it",
        in_any_case(&["1024", "1023"]),
        "these may be the system's words, {error}, which don't tell a person that \
         ports from 1024 on would do. Print explain(&error) instead.",
    );
}

#[test]
fn check_05_an_address_of_another_machine() {
    after(check_02_an_address_in_use);
    let check =
        check!("an address that this machine doesn't have is refused in words")
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
        "the cause is missing: explain(&error) has words for it.",
    );
}

#[test]
fn check_06_says_where_it_listens() {
    after(check_02_an_address_in_use);
    let check = check!("the first line on stdout says where the program listens")
        .read("say-where-you-listen")
        .by_hand("nc -v 127.0.0.1 {port} < /dev/null; echo \"exit code $?\"");
    let server = check.start(&[]);
    let addr = server.addr();
    if addr.port() == 7878 || addr.ip() != Ipv4Addr::LOCALHOST {
        check.fail(
            format!(
                "The program says that it listens on {addr}, but it was asked to \
                 take any free port of 127.0.0.1."
            ),
            "the address in the line, or the one that bind() was given, is a fixed \
             one. Bind addr, and ask the listener where it listens, with \
             local_addr().",
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
    let differs =
        "in this chapter the server says nothing: accept, and drop the stream.";
    // A server that reads first is content with a client that has sent its last byte.
    server.connect().half_close().expect_end(Likely {
        silent: "the program never accepts: the kernel completes connections by \
                 itself and keeps them in the backlog until accept() takes them. Or \
                 it accepts, and keeps the stream instead of dropping it.",
        reset: LOOP_ENDED,
        differs,
        ..Likely::default()
    });
    for _ in 0..4 {
        server.connect().expect_end(Likely {
            silent: "one client was served, and this one, which sends nothing, \
                     wasn't. The program reads before it closes, and waits for bytes \
                     that never come; or it waits for something else, or has stopped \
                     accepting.",
            reset: LOOP_ENDED,
            differs,
            ..Likely::default()
        });
    }
    server.must_still_run_after(LOOP_ENDED);
}

#[test]
fn check_08_clients_need_not_take_turns() {
    after(check_07_closes_each_connection_in_order);
    let check = check!("clients that connect together are all served")
        .read("accept")
        .by_hand(
            "for i in $(seq 20); do nc 127.0.0.1 {port} < /dev/null & done; \
                  wait",
        );
    let server = check.start(&[]);
    let before = server.open_descriptors().unwrap_or_default();
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in clients.iter_mut().rev() {
        client.expect_end(Likely::always(LOOP_ENDED));
    }
    server.must_hold_fewer_descriptors_than(
        before + clients.len(),
        "shutdown() ends a stream, but doesn't close it: dropping the stream does. \
         Streams that are kept, in a Vec for instance, hold a descriptor each, and a \
         program can have only so many.",
    );
}

#[test]
fn check_09_a_client_that_is_gone() {
    after(check_07_closes_each_connection_in_order);
    let likely = "the client was gone when its connection was accepted. Whatever is \
                  asked of such a stream, as by peer_addr() or shutdown(), may \
                  return an error. It must not end the loop: log it, and go on with \
                  the next connection.";
    let check = check!("a client that is gone before it's accepted ends nothing")
        .read("accept")
        .if_it_ends(likely)
        .by_hand(
            "# press Ctrl-Z in the first terminal; then connect, and reset:\n\
             python3 -c 'from socket import *\n\
             s = create_connection((\"127.0.0.1\", {port}))\n\
             s.setsockopt(SOL_SOCKET, SO_LINGER, b\"\\1\\0\\0\\0\\0\\0\\0\\0\")'\n\
             # type fg in the first terminal: the program must go on",
        );
    let server = check.start(&[]);
    let Some(mut next) = server.connect_behind_one_that_is_gone() else {
        return check.pass_over("no client can be made to vanish in time here");
    };
    next.expect_end(Likely::always(likely));
    server.must_still_run_after(likely);
}

#[test]
fn check_10_when_accept_fails() {
    after(check_07_closes_each_connection_in_order);
    let check = check!("when accept fails, the program goes on accepting")
        .read("accept")
        .by_hand(
            "cargo build -p {package}\n\
             sh -c 'ulimit -n 4; exec target/debug/{package}'\n\
             # accept() fails each time, and the program must go on until Ctrl-C",
        );
    let likely = "accept() failed, because the program could open no more files or \
                  sockets, and that error ended the loop: with ?, unwrap(), break or \
                  return. One failed accept is no reason to stop: log it, and go on.";
    let server = check.start(&[]);
    let Some(mut client) = server.connect_without_descriptors() else {
        return check.pass_over("no program can be left without descriptors here");
    };
    server.must_still_run_after(likely);
    client.expect_end(Likely::always(likely));
    server.connect().expect_end(Likely::always(likely));
    server.must_still_run_after(likely);
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

/// What holds whenever the program can't listen.
#[track_caller]
fn refused(run: &Run, addr: &str) {
    run.code(
        1,
        "return ExitCode::FAILURE from main, or ExitCode::from(1). A panic would be \
         101.",
    );
    run.stderr(
        "say anything",
        predicate::function(|text: &str| !text.trim().is_empty()),
        "messages for people go to stderr, with eprintln!(). What goes to stdout may \
         be read by another program, which has no use for them.",
    );
    run.stderr(
        "speak in words",
        predicate::function(|text: &str| {
            !text.contains("kind: ") && !text.contains("Custom {")
        }),
        "this is the form for programmers, {error:?}. Print explain(&error), which \
         has words for people. (A main that returns Err prints the form for \
         programmers too.)",
    );
    run.stdout(
        "stay without a listening line",
        predicate::str::contains("listening").not(),
        "the line is printed before bind has succeeded.",
    );
    run.stderr(
        "name the address that was asked for",
        predicate::str::contains(addr),
        "print addr in the sentence too: if you run several servers, you need to \
         know which address it was.",
    );
    run.stderr(
        "consist of one sentence on one line",
        predicate::function(|text: &str| text.trim().lines().count() == 1),
        "say it once, and print nothing else on stderr.",
    );
}

fn in_any_case(words: &'static [&str]) -> impl Predicate<str> {
    predicate::function(|text: &str| {
        let text = text.to_lowercase();
        words.iter().any(|word| text.contains(word))
    })
}
