use std::fmt;
use std::pin::pin;
use std::sync::Mutex;

use crate::counting::counting;

use super::*;

/// Something that happens after the next look at the flag.
#[derive(Default)]
pub struct Surprise(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl fmt::Debug for Surprise {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Surprise")
    }
}

impl Stop {
    /// What another thread could do between two steps of a task.
    pub(super) fn after_a_look(&self) {
        let happens = self.after_a_look.0.lock().expect("a lock").take();
        if let Some(happens) = happens {
            happens();
        }
    }
}

fn poll(future: impl Future<Output = ()>, waker: &Waker) -> Poll<()> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn clients_are_counted_until_they_are_dropped() {
    let stop = Arc::new(Stop::default());
    let clients = [(); 3].map(|()| Stop::admit(&stop));
    assert_eq!(stop.clients.load(Ordering::Relaxed), 3);
    drop(clients);
    assert_eq!(stop.clients.load(Ordering::Relaxed), 0);
}

#[test]
fn begin_wakes_all_who_wait_for_it() {
    let stop = Arc::new(Stop::default());
    let mut subscriptions = [(); 3].map(|()| Subscription::new(&stop));
    let wakers = [(); 3].map(|()| counting());
    for (subscription, (_, waker)) in subscriptions.iter_mut().zip(&wakers) {
        assert_eq!(poll(subscription.begun(), waker), Poll::Pending);
    }
    assert!(!stop.has_begun());
    stop.begin();
    assert!(stop.has_begun());
    assert_eq!(wakers.each_ref().map(|(count, _)| count.get()), [1, 1, 1]);
    for (subscription, (_, waker)) in subscriptions.iter_mut().zip(&wakers) {
        assert_eq!(poll(subscription.begun(), waker), Poll::Ready(()));
    }
}

#[test]
fn a_stop_that_begins_after_the_look_wakes_too() {
    let stop = Arc::new(Stop::default());
    let (mut subscription, (count, waker)) = (Subscription::new(&stop), counting());
    let begins = Arc::clone(&stop);
    let begin = move || begins.begin();
    *stop.after_a_look.0.lock().expect("a lock") = Some(Box::new(begin));
    assert_eq!(poll(subscription.begun(), &waker), Poll::Pending);
    assert!(stop.has_begun(), "the test has begun it after the look");
    assert_eq!(count.get(), 1, "first leave the waker, then look");
}

#[test]
fn begin_wakes_the_waker_of_the_last_poll() {
    let stop = Arc::new(Stop::default());
    let mut subscription = Subscription::new(&stop);
    let [first, last] = [counting(), counting()];
    assert_eq!(poll(subscription.begun(), &first.1), Poll::Pending);
    assert_eq!(poll(subscription.begun(), &last.1), Poll::Pending);
    stop.begin();
    assert_eq!([first.0.get(), last.0.get()], [0, 1]);
}

#[test]
fn drop_of_a_client_leaves_no_waker_behind() {
    let stop = Arc::new(Stop::default());
    let (mut client, (count, waker)) = (Stop::admit(&stop), counting());
    assert_eq!(poll(client.stopping(), &waker), Poll::Pending);
    drop((client, waker));
    assert_eq!(Arc::strong_count(&count), 1, "someone still has its waker");
    stop.begin();
    assert_eq!(count.get(), 0);
}

#[test]
fn stopping_is_awaited_once() {
    let stop = Arc::new(Stop::default());
    let mut client = Stop::admit(&stop);
    stop.begin();
    let (_, waker) = counting();
    assert_eq!(
        poll(client.stopping(), &waker),
        Poll::Pending,
        "it has begun"
    );
    assert!(client.is_stopping());
}
