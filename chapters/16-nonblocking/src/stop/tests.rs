use super::*;

#[test]
fn clients_are_counted_until_they_are_dropped() {
    let stop = Arc::new(Stop::default());
    let clients = [(); 3].map(|()| Stop::admit(&stop));
    assert_eq!(stop.clients.load(Ordering::Relaxed), 3);
    drop(clients);
    assert_eq!(stop.clients.load(Ordering::Relaxed), 0);
}

#[test]
fn who_asks_is_heard() {
    let stop = Stop::default();
    assert!(!stop.has_begun());
    stop.begin();
    assert!(stop.has_begun());
}
