use crate::sys::{Interest, Poller};

use super::*;

/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

#[test]
fn clients_are_counted_until_they_are_dropped() {
    let stop = Arc::new(Stop::new().expect("a notifier"));
    let clients = [(); 3].map(|()| Stop::admit(&stop));
    assert_eq!(stop.clients.load(Ordering::Relaxed), 3);
    drop(clients);
    assert_eq!(stop.clients.load(Ordering::Relaxed), 0);
}

#[test]
fn who_asks_is_heard() {
    let stop = Stop::new().expect("a notifier");
    assert!(!stop.has_begun());
    stop.begin();
    assert!(stop.has_begun());
}

#[test]
fn begin_rings_once_the_flag_is_set() {
    Stop::new().expect("a notifier").begin();
    // The one who hears it looks at the flag, and then waits for the next ring.
    for _ in 0..200 {
        let stop = Arc::new(Stop::new().expect("a notifier"));
        let poller = Poller::new().expect("a poller");
        poller
            .register(stop.bell(), 1, Interest::READ)
            .expect("room");
        let asks = Arc::clone(&stop);
        let asker = thread::spawn(move || asks.begin());
        let mut events = Vec::new();
        poller.wait(&mut events, Some(DEADLINE)).expect("a wait");
        let has_begun = stop.has_begun();
        asker.join().expect("no panic");
        assert!(
            !events.is_empty(),
            "begin doesn't wake the loop: ring the bell"
        );
        assert!(
            has_begun,
            "the bell has rung, and the flag isn't set: set it first"
        );
    }
}
