use std::net::TcpListener;

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
