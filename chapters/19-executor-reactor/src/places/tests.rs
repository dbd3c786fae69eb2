use std::pin::pin;
use std::task::Context;

use crate::counting::counting;

use super::*;

fn poll(places: &Places, waker: &Waker) -> Poll<()> {
    pin!(places.one_is_left()).poll(&mut Context::from_waker(waker))
}

#[test]
fn beyond_the_limit_clients_are_turned_away() {
    let places = Places::new(2);
    let take = || Places::take(&places);
    let mut served: Vec<_> = (0..2).filter_map(|_| take()).collect();
    assert!(served.iter().all(|place| !place.is_turned_away));
    let turned_away: Vec<_> = (0..MAX_TURNED_AWAY).filter_map(|_| take()).collect();
    assert_eq!(turned_away.len(), MAX_TURNED_AWAY);
    assert!(turned_away.iter().all(|place| place.is_turned_away));
    assert!(take().is_none(), "these are too many");
    served.pop();
    assert!(take().is_some_and(|place| !place.is_turned_away));
}

#[test]
fn who_waits_for_a_place_hears_of_it_once() {
    let places = Places::new(1);
    let (count, waker) = counting();
    let place = Places::take(&places);
    assert_eq!(poll(&places, &waker), Poll::Pending);
    drop(place);
    assert_eq!(count.get(), 1);
    assert_eq!(poll(&places, &waker), Poll::Ready(()));
    assert_eq!(poll(&places, &waker), Poll::Pending, "no one else has left");
    drop(Places::take(&places));
    assert_eq!(poll(&places, &waker), Poll::Ready(()));
}
