use std::net::TcpListener;
#[cfg(target_os = "linux")]
use std::time::Instant;

use super::*;

/// Not everyone listens at 127.0.0.1, and Linux has some more addresses of its own.
const HERE: &str = if cfg!(target_os = "linux") {
    "127.0.0.2:0"
} else {
    "127.0.0.1:0"
};
/// No test may take longer: what has not come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

#[test]
fn the_flag_is_set_when_accept_returns() {
    // Often, because it's a matter of luck where the order is the wrong one.
    for _ in 0..200 {
        let listener = TcpListener::bind(HERE).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let stop = Arc::new(Stop::new(addr));
        let (tell, told) = mpsc::channel();
        let asks = Arc::clone(&stop);
        thread::spawn(move || {
            let accepted = listener.accept().is_ok();
            tell.send(accepted && asks.has_begun())
        });
        stop.begin();
        let begun = told.recv_timeout(DEADLINE);
        let begun = begun.expect(
            "accept returns: connect to the address where the server listens",
        );
        assert!(
            begun,
            "accept has returned, and the flag isn't set: set it first, and connect \
             only then"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_flag_is_set_before_anything_that_takes_time() {
    // Where too many clients wait to be accepted, a new one waits as well.
    let listener = TcpListener::bind(HERE).expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let moment = Duration::from_millis(20);
    let mut others = Vec::new();
    let why = loop {
        match TcpStream::connect_timeout(&addr, moment) {
            Ok(other) => others.push(other),
            Err(error) => break error,
        }
    };
    if why.kind() != io::ErrorKind::TimedOut {
        eprintln!("not tested: {why}");
        return;
    }
    let is_first = |_| {
        let stop = Arc::new(Stop::new(addr));
        let asked = Arc::clone(&stop);
        let begins = thread::spawn(move || asked.begin());
        let until = Instant::now() + DEADLINE;
        while !stop.has_begun() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        let seen = Instant::now();
        while !begins.is_finished() && seen.elapsed() < moment {
            thread::sleep(Duration::from_millis(1));
        }
        !begins.is_finished()
    };
    // A machine with much else to do may not let us look in time.
    assert!(
        (0..20).any(is_first),
        "where connecting takes long, the flag is set only after it: set it first"
    );
    drop((listener, others));
}

#[test]
fn all_addresses_are_reached_at_localhost() {
    for (listens, reached) in [
        ("0.0.0.0:7878", "127.0.0.1:7878"),
        ("[::]:7878", "[::1]:7878"),
        // Every other address is reached as it is.
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("192.0.2.7:7878", "192.0.2.7:7878"),
        ("[2001:db8::7]:7878", "[2001:db8::7]:7878"),
    ] {
        let addr = listens.parse().expect("an address");
        assert_eq!(reachable(addr).to_string(), reached, "from {listens}");
    }
}
