use std::cell::Cell;
use std::future::poll_fn;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::sleep::Sleep;

use super::*;

/// No test may take longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

fn executor() -> Rc<Executor> {
    let reactor = Reactor::new().expect("a reactor");
    Rc::new(Executor::new(reactor))
}

/// Takes the tasks that have been woken.
fn woken(executor: &Executor) -> Vec<Token> {
    let mut tokens = Vec::new();
    executor.woken.take(&mut tokens);
    tokens
}

/// Polls the tasks that have been woken, once, and returns how many they were.
fn poll_woken(executor: &Executor) -> usize {
    let tokens = woken(executor);
    for token in &tokens {
        executor.poll(*token);
    }
    tokens.len()
}

/// A future that waits for nothing, counts its polls, and is ready at the last one.
/// It panics if it's polled again.
fn countdown(polls: &Rc<Cell<u32>>, last: u32) -> impl Future<Output = ()> + use<> {
    let polls = Rc::clone(polls);
    poll_fn(move |_| {
        assert!(polls.get() < last, "polled after it was ready");
        polls.set(polls.get() + 1);
        if polls.get() < last {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
}

/// Sets a flag, or does something else, when it's dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Has a task woken once, before it goes on.
async fn give_way() {
    let mut was_polled = false;
    poll_fn(|context| {
        if was_polled {
            return Poll::Ready(());
        }
        was_polled = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs an executor on a thread of its own, so that a test that never ends fails.
fn run_there(first: impl FnOnce() -> TaskFuture + Send + 'static) {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let outcome = run(first());
        let _ = tell.send(());
        outcome
    });
    if told.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("run doesn't come to an end");
    }
    match thread.join() {
        Ok(outcome) => outcome.expect("a reactor that can wait"),
        // So that the message of a gap is seen.
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[test]
fn poll_polls_a_task_once() {
    let (executor, polls) = (executor(), Rc::default());
    executor.add(Box::pin(countdown(&polls, 3)));
    let tokens = woken(&executor);
    assert_eq!(
        tokens.len(),
        1,
        "a new task is polled as if it had been woken"
    );
    for times in 1..=2 {
        executor.poll(tokens[0]);
        assert_eq!(
            polls.get(),
            times,
            "a task is polled once, and then others are"
        );
        assert_eq!(executor.tasks.borrow().len(), 1, "it isn't ready yet");
    }
    executor.poll(tokens[0]);
    assert_eq!(executor.tasks.borrow().len(), 0, "it's done");
}

#[test]
fn poll_leaves_a_task_alone_that_is_done() {
    let (executor, polls) = (executor(), Rc::default());
    executor.add(Box::pin(countdown(&polls, 1)));
    let tokens = woken(&executor);
    let waker = {
        let mut tasks = executor.tasks.borrow_mut();
        let task = tasks.get_mut(tokens[0]).expect("a task");
        Arc::clone(&task.waker)
    };
    executor.poll(tokens[0]);
    // Someone has kept a waker, and uses it when the task is done.
    waker.wake();
    poll_woken(&executor);
    executor.poll(tokens[0]);
    assert_eq!(polls.get(), 1);
}

#[test]
fn poll_leaves_a_task_alone_that_has_the_place_of_another() {
    let (executor, [old, new]) = (executor(), [Rc::default(), Rc::default()]);
    executor.add(Box::pin(countdown(&old, 1)));
    let old_token = woken(&executor)[0];
    executor.poll(old_token);
    executor.add(Box::pin(countdown(&new, 9)));
    executor.poll(old_token);
    assert_eq!(new.get(), 0, "this wake-up was for the task before it");
    assert_eq!(poll_woken(&executor), 1);
    assert_eq!(new.get(), 1);
}

#[test]
fn poll_hears_of_wakes_that_come_while_it_polls() {
    let executor = executor();
    let ends = Rc::new(Cell::new(false));
    let flag = Rc::clone(&ends);
    executor.add(Box::pin(async move {
        give_way().await;
        give_way().await;
        flag.set(true);
    }));
    for _ in 0..3 {
        assert_eq!(
            poll_woken(&executor),
            1,
            "a task that's woken while it's polled is on the list afterwards"
        );
    }
    assert!(ends.get());
    assert_eq!(poll_woken(&executor), 0);
}

#[test]
fn poll_borrows_nothing_while_a_task_adds_another() {
    let (executor, polls) = (executor(), Rc::default());
    let (inside, counts) = (Rc::clone(&executor), Rc::clone(&polls));
    executor.add(Box::pin(async move {
        inside.add(Box::pin(countdown(&counts, 1)));
    }));
    poll_woken(&executor);
    assert_eq!(polls.get(), 0, "a task that's spawned is polled later");
    assert_eq!(
        poll_woken(&executor),
        1,
        "the one that was added inside is polled next"
    );
    assert_eq!(polls.get(), 1);
}

#[test]
fn poll_borrows_nothing_while_a_task_is_dropped() {
    let (executor, polls) = (executor(), Rc::default());
    let (inside, counts) = (Rc::clone(&executor), Rc::clone(&polls));
    let adds = move || inside.add(Box::pin(countdown(&counts, 1)));
    let last_wish = OnDrop(adds);
    executor.add(Box::pin(async move {
        let _last_wish = last_wish;
        // So that the future itself still owns it when it's ready.
        poll_fn(|_| Poll::Ready(())).await;
    }));
    let mut last_wish = OnDrop({
        let (inside, counts) = (Rc::clone(&executor), Rc::clone(&polls));
        move || inside.add(Box::pin(countdown(&counts, 2)))
    });
    executor.add(Box::pin(poll_fn(move |_| {
        let _owned = &mut last_wish;
        Poll::Ready(())
    })));
    assert_eq!(poll_woken(&executor), 2);
    assert_eq!(executor.tasks.borrow().len(), 2, "both were added");
}

#[test]
fn poll_outlives_a_task_that_panics() {
    let (executor, polls) = (executor(), Rc::default());
    let dropped = Rc::new(Cell::new(false));
    let flag = Rc::clone(&dropped);
    let owned = OnDrop(move || flag.set(true));
    executor.add(Box::pin(async move {
        let _owned = owned;
        panic!("a task panics, as it was asked to");
    }));
    executor.add(Box::pin(countdown(&polls, 1)));
    assert_eq!(poll_woken(&executor), 2);
    assert!(dropped.get(), "whatever it owned is given back");
    assert_eq!(polls.get(), 1);
    let left = executor.tasks.borrow().len();
    assert_eq!(left, 0, "run waits for a task that has panicked");
}

#[test]
fn poll_outlives_a_task_that_panics_when_it_is_dropped() {
    let (executor, polls) = (executor(), Rc::default());
    let mut bomb = OnDrop(|| {
        // A second panic at the same time would end the program.
        if !thread::panicking() {
            panic!("a destructor panics, as it was asked to");
        }
    });
    executor.add(Box::pin(poll_fn(move |_| {
        let _owned = &mut bomb;
        Poll::Ready(())
    })));
    executor.add(Box::pin(countdown(&polls, 1)));
    assert_eq!(poll_woken(&executor), 2);
    assert_eq!(
        polls.get(),
        1,
        "one task's end is no reason to leave the others"
    );
    assert_eq!(executor.tasks.borrow().len(), 0);
}

#[test]
fn run_ends_when_all_tasks_are_done() {
    let (tell, told) = mpsc::channel();
    run_there(|| {
        Box::pin(async move {
            let inner = tell.clone();
            spawn(async move {
                give_way().await;
                spawn(async move { inner.send("third").expect("a test") });
                tell.send("second").expect("a test");
            });
        })
    });
    assert_eq!(told.iter().collect::<Vec<_>>(), ["second", "third"]);
}

#[test]
fn run_polls_only_those_that_were_woken() {
    run_there(|| {
        let polls: Rc<Cell<u32>> = Rc::default();
        Box::pin(async move {
            let counts = Rc::clone(&polls);
            spawn(async move {
                let mut sleep = Box::pin(Sleep::new(Duration::from_millis(40)));
                poll_fn(|context| {
                    counts.set(counts.get() + 1);
                    sleep.as_mut().poll(context)
                })
                .await;
                // When it's new, and when it's woken.
                assert_eq!(counts.get(), 2, "polled although no one has woken it");
            });
            for _ in 0..100 {
                give_way().await;
            }
            assert!(polls.get() <= 1, "polled when someone else was woken");
        })
    });
}

#[test]
fn run_waits_for_another_thread() {
    let (done, is_done) = mpsc::channel();
    run_there(move || {
        let (tell, told) = mpsc::channel::<Waker>();
        let other = thread::spawn(move || told.into_iter().for_each(Waker::wake));
        Box::pin(async move {
            for _ in 0..100 {
                let mut tell = Some(tell.clone());
                poll_fn(|context| match tell.take() {
                    Some(tell) => {
                        tell.send(context.waker().clone()).expect("a thread");
                        Poll::Pending
                    }
                    None => Poll::Ready(()),
                })
                .await;
            }
            drop(tell);
            other.join().expect("no panic");
            done.send(()).expect("a test");
        })
    });
    assert_eq!(is_done.recv(), Ok(()), "run ended, and a task still waits");
}

#[test]
fn run_looks_at_the_reactor_although_a_task_is_always_woken() {
    run_there(|| {
        let is_over = Rc::new(Cell::new(false));
        Box::pin(async move {
            let flag = Rc::clone(&is_over);
            spawn(async move {
                Sleep::new(Duration::from_millis(1)).await;
                flag.set(true);
            });
            // It never lets go of the executor by itself.
            while !is_over.get() {
                give_way().await;
            }
        })
    });
}

#[test]
fn run_goes_on_after_a_panic() {
    let (tell, told) = mpsc::channel();
    run_there(|| {
        Box::pin(async move {
            spawn(async { panic!("a task panics, as it was asked to") });
            give_way().await;
            tell.send(()).expect("a test");
        })
    });
    assert_eq!(told.recv(), Ok(()), "the other task was lost with it");
}

#[test]
fn run_is_not_for_tasks() {
    let (tell, told) = mpsc::channel();
    run_there(|| {
        Box::pin(async move {
            let inner = AssertUnwindSafe(|| run(async {}));
            tell.send(catch_unwind(inner).is_err()).expect("a test");
        })
    });
    assert_eq!(told.recv(), Ok(true), "it would block all others");
}
