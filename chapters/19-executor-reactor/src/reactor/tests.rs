use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::task::Wake;

use crate::counting::{Count, counting};

use std::time::Duration;

use super::*;

/// Nothing takes longer: what hasn't come by then never comes.
const DEADLINE: Duration = Duration::from_secs(4);

/// A socket that a reactor watches, and the other end of its connection.
struct Watching {
    reactor: Rc<Reactor>,
    socket: Rc<TcpStream>,
    token: Token,
    client: TcpStream,
}

fn watching() -> Watching {
    let reactor = Reactor::new().expect("a reactor");
    let (socket, client) = connected();
    let token = reactor.register(Rc::clone(&socket) as _).expect("room");
    Watching {
        reactor,
        socket,
        token,
        client,
    }
}

/// Both ends of a connection.
fn connected() -> (Rc<TcpStream>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = TcpStream::connect(addr).expect("a connection");
    let (socket, _) = listener.accept().expect("a connection");
    socket.set_nonblocking(true).expect("a socket");
    (Rc::new(socket), client)
}

/// Waits, or only looks, and wakes who waits.
fn turn(reactor: &Reactor, may_sleep: bool) {
    reactor.wait(may_sleep).expect("a wait");
    reactor.wake_tasks();
}

impl Watching {
    fn poll(&self, direction: Direction, waker: &Waker) -> Poll<()> {
        let mut context = Context::from_waker(waker);
        let poll = self.reactor.poll_ready(self.token, direction, &mut context);
        poll.map(|watched| watched.expect("a socket that can be watched"))
    }

    fn poll_hung_up(&self, waker: &Waker) -> Poll<()> {
        let mut context = Context::from_waker(waker);
        self.reactor.poll_hung_up(self.token, &mut context)
    }

    /// Has the reactor look until this has been counted.
    fn turn_until(&self, count: &Count, times: usize) {
        let until = Instant::now() + DEADLINE;
        while count.get() < times {
            assert!(Instant::now() < until, "no one wakes who waits for this");
            turn(&self.reactor, false);
        }
    }

    /// What the poller reports now.
    fn reports(&self) -> usize {
        let mut events = Vec::new();
        let timeout = Some(Duration::from_millis(20));
        let look = self.reactor.poller.wait(&mut events, timeout);
        look.expect("a look");
        events.len()
    }
}

#[test]
fn poll_ready_leaves_word() {
    let watching = watching();
    for direction in [Direction::Read, Direction::Write] {
        let (count, waker) = counting();
        assert_eq!(watching.poll(direction, &waker), Poll::Pending);
        assert_eq!(count.get(), 0, "to wake itself would be to spin");
        drop(waker);
        assert_eq!(
            Arc::strong_count(&count),
            2,
            "{direction:?}: no one has its waker, so no one will wake it"
        );
    }
}

#[test]
fn poll_ready_keeps_the_waker_of_the_last_poll() {
    let watching = watching();
    let [first, last] = [counting(), counting()];
    for (_, waker) in [&first, &last] {
        assert_eq!(watching.poll(Direction::Read, waker), Poll::Pending);
    }
    let counts = [first.0, last.0].map(|count| Arc::strong_count(&count) - 1);
    // What's left is the waker in the test itself.
    assert_eq!(counts, [1, 2], "only the last one counts");
}

#[test]
fn poll_ready_has_each_direction_wait_by_itself() {
    let watching = watching();
    let [reader, writer] = [counting(), counting()];
    assert_eq!(watching.poll(Direction::Read, &reader.1), Poll::Pending);
    assert_eq!(watching.poll(Direction::Write, &writer.1), Poll::Pending);
    let counts = [reader.0, writer.0].map(|count| Arc::strong_count(&count) - 1);
    assert_eq!(counts, [2, 2], "one has taken the place of the other");
}

#[test]
fn poll_ready_has_the_socket_watched() {
    let watching = watching();
    assert_eq!(watching.reports(), 0, "no one waits for room to write");
    let (_, waker) = counting();
    assert_eq!(watching.poll(Direction::Write, &waker), Poll::Pending);
    assert_eq!(
        watching.reports(),
        1,
        "there is room to write, and the poller wasn't told to say so"
    );
}

#[test]
fn deal_with_wakes_who_waits_for_it() {
    let mut watching = watching();
    let [reader, writer] = [counting(), counting()];
    assert_eq!(watching.poll(Direction::Read, &reader.1), Poll::Pending);
    assert_eq!(watching.poll(Direction::Write, &writer.1), Poll::Pending);
    watching.turn_until(&writer.0, 1);
    assert_eq!(reader.0.get(), 0, "nothing has come yet");
    watching.client.write_all(b"x").expect("a write");
    watching.turn_until(&reader.0, 1);
    assert_eq!(
        writer.0.get(),
        1,
        "it has been woken once, and hasn't asked again"
    );
}

#[test]
fn deal_with_makes_ready_once() {
    let mut watching = watching();
    let (count, waker) = counting();
    watching.client.write_all(b"xyz").expect("a write");
    for times in 1..=3 {
        assert_eq!(
            watching.poll(Direction::Read, &waker),
            Poll::Pending,
            "what was woken has looked, and now it waits for the next event"
        );
        watching.turn_until(&count, times);
        assert_eq!(watching.poll(Direction::Read, &waker), Poll::Ready(()));
        // The rest is reported again.
        let mut byte = [0];
        (&*watching.socket).read_exact(&mut byte).expect("a byte");
    }
}

#[test]
fn deal_with_tells_the_poller_when_no_one_waits() {
    let mut watching = watching();
    watching.client.write_all(b"x").expect("a write");
    // The first report finds no one, and is the last.
    turn(&watching.reactor, true);
    assert_eq!(
        watching.reports(),
        0,
        "it's reported again and again, and no one wants to know: the loop spins"
    );
    // From here on someone does.
    let (count, waker) = counting();
    assert_eq!(watching.poll(Direction::Read, &waker), Poll::Pending);
    watching.turn_until(&count, 1);
}

#[test]
#[cfg_attr(windows, ignore = "Wine reports no hang-up when both ends have closed")]
fn deal_with_a_hang_up_wakes_all_who_wait() {
    let watching = watching();
    let wakers = [(); 3].map(|()| counting());
    (&*watching.socket).write_all(b"x").expect("a write");
    watching.client.set_nonblocking(false).expect("a socket");
    let mut byte = [0];
    watching.client.peek(&mut byte).expect("a byte");
    assert_eq!(watching.poll(Direction::Read, &wakers[0].1), Poll::Pending);
    assert_eq!(watching.poll_hung_up(&wakers[2].1), Poll::Pending);
    // Both ends close: to each the connection is over then.
    watching.client.shutdown(Shutdown::Both).expect("a socket");
    watching.socket.shutdown(Shutdown::Both).expect("a socket");
    watching.turn_until(&wakers[0].0, 1);
    watching.turn_until(&wakers[2].0, 1);
    assert_eq!(watching.poll_hung_up(&wakers[2].1), Poll::Ready(()));
    for _ in 0..2 {
        let read = watching.poll(Direction::Read, &wakers[0].1);
        assert_eq!(read, Poll::Ready(()), "a call won't wait any more");
        let write = watching.poll(Direction::Write, &wakers[1].1);
        assert_eq!(write, Poll::Ready(()), "a call won't wait any more");
    }
    assert_eq!(
        watching.reports(),
        0,
        "a hang-up can't be switched off: the poller has to forget the socket"
    );
}

#[test]
fn deal_with_old_news_leaves_others_alone() {
    let watching = watching();
    let (count, waker) = counting();
    let news = Event {
        token: watching.token.into(),
        readable: true,
        writable: true,
        hangup: true,
    };
    watching.reactor.remove(watching.token);
    let (socket, _client) = connected();
    let token = watching.reactor.register(socket as _).expect("room");
    let mut context = Context::from_waker(&waker);
    let read = watching.reactor;
    let poll = read.poll_ready(token, Direction::Read, &mut context);
    assert!(poll.is_pending());
    read.deal_with(&news);
    assert_eq!(
        count.get(),
        0,
        "the socket that this was about has been closed"
    );
    let poll = read.poll_ready(token, Direction::Read, &mut context);
    assert!(poll.is_pending());
}

#[test]
fn deal_with_borrows_nothing_while_it_wakes() {
    /// A waker that looks at the reactor of its thread.
    struct Looks(u64, Count);
    impl Wake for Looks {
        fn wake(self: Arc<Self>) {
            let token = Token::from(self.0);
            Reactor::current().forget(token, Direction::Read);
            Waker::from(Arc::new(Count::default())).wake();
        }
    }
    let mut watching = watching();
    let _entered = Reactor::enter(&watching.reactor);
    let looks = Arc::new(Looks(watching.token.into(), Count::default()));
    let waker = Waker::from(Arc::clone(&looks));
    assert_eq!(watching.poll(Direction::Read, &waker), Poll::Pending);
    watching.client.write_all(b"x").expect("a write");
    turn(&watching.reactor, true);
    assert_eq!(
        watching.poll(Direction::Read, Waker::noop()),
        Poll::Ready(())
    );
    assert_eq!(looks.1.get(), 0);
}

#[test]
fn wait_sleeps_until_the_next_timer() {
    let watching = watching();
    let (count, waker) = counting();
    let until = Instant::now() + Duration::from_millis(20);
    let timer = watching.reactor.timers().name(until);
    watching.reactor.timers().set(timer, &waker);
    turn(&watching.reactor, true);
    assert!(Instant::now() >= until, "it has all the time until then");
    assert_eq!(count.get(), 1);
}

#[test]
fn wait_ends_when_the_alarm_rings() {
    let reactor = Reactor::new().expect("a reactor");
    for _ in 0..3 {
        let alarm = Arc::clone(reactor.alarm());
        let other = std::thread::spawn(move || alarm.notify());
        turn(&reactor, true);
        other.join().expect("no panic");
    }
}
