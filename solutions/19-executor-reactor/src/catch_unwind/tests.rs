use std::future::pending;
use std::task::{Context, Waker};

use super::*;

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_outcome_is_passed_on() {
    let Poll::Ready(Ok(7)) = poll_once(catch_unwind(async { 7 })) else {
        panic!("a future that's ready at once");
    };
}

#[test]
fn a_panic_is_an_error() {
    let panics = async { panic!("as it was asked to") };
    let Poll::Ready(Err::<(), _>(panic)) = poll_once(catch_unwind(panics)) else {
        panic!("a future that panics");
    };
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as it was asked to"));
}

#[test]
fn what_waits_is_waited_for() {
    assert!(poll_once(catch_unwind(pending::<()>())).is_pending());
}
