use super::*;

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
