//! The event loop: one thread that waits for all clients at once, and gives a turn to
//! each one to which something has happened.

use std::io;
use std::mem;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::buffers::Buffers;
use crate::connection::Connection;
use crate::conversation::Conversation;
use crate::date::Clock;
use crate::door::{Arrival, DOOR, Door};
use crate::guest::Guest;
use crate::log::log;
use crate::slots::{Slots, Token};
use crate::stop::Stop;
use crate::sys::{Event, Interest, Poller};
use crate::turn::{Outcome, Turn};
use crate::woken::{ConnectionWaker, Woken};

/// How many clients are accepted in one turn.
const MAX_ACCEPTED: usize = 64;
/// How many clients that were turned away keep their connections until they have read
/// why. More of them lose theirs at once, without an answer.
const MAX_TURNED_AWAY: usize = 64;

/// What the poller calls the bell that rings when the server is to stop.
const BELL: u64 = DOOR - 1;
/// What it calls the alarm that rings when someone is woken while the loop sleeps.
const ALARM: u64 = DOOR - 2;

/// All clients of the server, and the door for the next ones.
pub struct EventLoop<'a> {
    app: &'a Arc<App>,
    stop: Arc<Stop>,
    /// Those whose handlers can go on.
    woken: Arc<Woken>,
    stopping: bool,
    /// How long clients may take.
    patience: Duration,
    poller: Poller,
    /// `None` once no one else may come in.
    door: Option<Door>,
    /// How many clients are served at the same time.
    limit: usize,
    guests: Slots<Guest>,
    /// How many of them were turned away.
    turned_away: usize,
    spare: Vec<Buffers>,
    clock: Clock,
}

impl EventLoop<'_> {
    /// A loop that serves the clients of this listener: up to `limit` at the same
    /// time, each of which may take as long as `patience`.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener can't be told not to wait, or the system has
    /// no descriptors to spare.
    pub fn new(
        listener: TcpListener,
        app: &Arc<App>,
        stop: Arc<Stop>,
        limit: usize,
        patience: Duration,
    ) -> io::Result<EventLoop<'_>> {
        let poller = Poller::new()?;
        let door = Door::new(listener, &poller)?;
        poller.register(stop.bell(), BELL, Interest::READ)?;
        let woken = Arc::new(Woken::new()?);
        poller.register(woken.alarm(), ALARM, Interest::READ)?;
        Ok(EventLoop {
            app,
            stop,
            woken,
            stopping: false,
            patience,
            poller,
            door: Some(door),
            limit,
            guests: Slots::default(),
            turned_away: 0,
            spare: Vec::new(),
            clock: Clock::default(),
        })
    }

    // ANCHOR: run
    /// Serves until the server is asked to stop, and all that were here are served.
    ///
    /// # Errors
    ///
    /// Returns an error if the system can't wait for clients.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Vec::new();
        while self.door.is_some() || !self.guests.is_empty() {
            let timeout = self.timeout(Instant::now());
            self.poller.wait(&mut events, timeout)?;
            self.turn(&events, Instant::now());
        }
        Ok(())
    }
    // ANCHOR_END: run

    // ANCHOR: timeout
    /// How long to wait for an event; `None` if nothing else is to be done.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        if !self.woken.may_sleep() {
            return Some(Duration::ZERO);
        }
        let door = self.door.as_ref().and_then(|door| door.closed_until(now));
        let guests = self.guests.iter();
        let guests = guests.filter_map(|(_, guest)| guest.conversation.deadline());
        let timer = self.app.timers().next();
        until_nearest(guests.chain(door).chain(timer), now)
    }
    // ANCHOR_END: timeout

    // ANCHOR: turn
    /// Deals with what has happened, and with what is due.
    fn turn(&mut self, events: &[Event], now: Instant) {
        self.woken.end_sleep();
        // The date is lent to the turn, and the loop can't change what it has lent.
        let mut clock = mem::take(&mut self.clock);
        let mut turn = Turn {
            app: self.app,
            now,
            date: clock.date(),
            spare: mem::take(&mut self.spare),
        };
        for event in events {
            match event.token {
                DOOR => self.let_clients_in(&mut turn),
                BELL => self.hear_the_bell(turn.now),
                ALARM => self.woken.alarm().drain(),
                token => self.serve(Token::from(token), event.hangup, &mut turn),
            }
        }
        self.serve_whoever_is_late(&mut turn);
        self.serve_whoever_is_woken(&mut turn);
        if self.stopping {
            // Those that the kernel had connected are let in, and no others.
            self.let_clients_in(&mut turn);
        }
        if let Some(door) = &mut self.door
            && let Err(error) = door.watch(&self.poller, turn.now)
        {
            log(&format!("cannot watch the listener: {error}"));
        }
        self.spare = turn.spare;
        self.clock = clock;
    }
    // ANCHOR_END: turn

    // ANCHOR: serve
    /// Gives a client its turn.
    fn serve(&mut self, token: Token, hangup: bool, turn: &mut Turn) {
        let Some(guest) = self.guests.get_mut(token) else {
            // This client has left since that happened.
            return;
        };
        let outcome = guest.turn(token, hangup, &self.poller, turn);
        let outcome = outcome.unwrap_or_else(|error| {
            // One client's failure is no reason to leave the others.
            log(&format!("a connection failed: {error}"));
            Outcome::Over
        });
        if outcome == Outcome::Over {
            self.see_off(token, turn.now);
        }
    }
    // ANCHOR_END: serve

    /// Gives a turn to those whose time is up.
    fn serve_whoever_is_late(&mut self, turn: &mut Turn) {
        let guests = self.guests.iter();
        let late = guests.filter(|(_, guest)| guest.conversation.is_late(turn.now));
        let late: Vec<Token> = late.map(|(token, _)| token).collect();
        for token in late {
            self.serve(token, false, turn);
        }
    }

    // ANCHOR: woken
    /// Wakes those whose moment has come, and gives a turn to all who were woken.
    fn serve_whoever_is_woken(&mut self, turn: &mut Turn) {
        self.app.timers().wake_due(turn.now);
        // A handler that's polled here may wake another one, or itself. That's for
        // the next turn, before which the loop doesn't sleep.
        for token in self.woken.take() {
            self.serve(token, false, turn);
        }
    }
    // ANCHOR_END: woken

    /// Lets in clients that wait outside, but not all of them if they are many.
    fn let_clients_in(&mut self, turn: &mut Turn) {
        for _ in 0..MAX_ACCEPTED {
            let Some(door) = &mut self.door else {
                return;
            };
            match door.accept(turn.now) {
                Arrival::Client(stream) => self.take_in(stream, turn),
                Arrival::Closed => return,
                Arrival::Nobody => {
                    if self.stopping
                        && let Some(door) = self.door.take()
                    {
                        // The kernel refuses the clients that come now.
                        door.close(&self.poller);
                    }
                    return;
                }
            }
        }
    }

    /// Serves a client from now on, or turns it away if there are too many others.
    fn take_in(&mut self, stream: TcpStream, turn: &Turn) {
        let connection = match Connection::new(stream, self.patience) {
            Ok(connection) => connection,
            Err(error) => return log(&format!("a connection failed: {error}")),
        };
        let client = Stop::admit(&self.stop);
        let waker = ConnectionWaker::new(self.guests.next_token(), &self.woken);
        let mut conversation = Conversation::new(connection, client, waker, turn.now);
        if self.stopping {
            conversation.stop(turn.now);
        }
        let is_turned_away = self.guests.len() - self.turned_away >= self.limit;
        if is_turned_away {
            if self.turned_away >= MAX_TURNED_AWAY {
                return;
            }
            conversation.turn_away(turn.date, turn.now);
            self.turned_away += 1;
        }
        let guest = Guest::new(conversation, is_turned_away);
        let token = self.guests.insert(guest);
        let registered = match self.guests.get_mut(token) {
            Some(guest) => guest.register(token, &self.poller),
            None => Ok(()),
        };
        if let Err(error) = registered {
            log(&format!("a connection failed: {error}"));
            self.see_off(token, turn.now);
        }
    }

    /// Forgets a client. Its connection is closed here.
    fn see_off(&mut self, token: Token, now: Instant) {
        if let Some(guest) = self.guests.remove(token) {
            // An error means that the socket isn't watched, and that is what's
            // wanted.
            let _ = self.poller.remove(guest.conversation.socket());
            self.turned_away -= usize::from(guest.is_turned_away);
        }
        if let Some(door) = &mut self.door {
            door.may_open(now);
        }
    }

    // ANCHOR: bell
    /// Begins to stop, if that's what the bell has rung for.
    fn hear_the_bell(&mut self, now: Instant) {
        self.stop.bell().drain();
        if self.stopping || !self.stop.has_begun() {
            return;
        }
        self.stopping = true;
        for guest in self.guests.values_mut() {
            guest.conversation.stop(now);
        }
    }
    // ANCHOR_END: bell
}

// ANCHOR: until_nearest
/// How long it is from now to the nearest of these moments: nothing if it has passed,
/// and `None` if there are none.
fn until_nearest(
    moments: impl Iterator<Item = Instant>,
    now: Instant,
) -> Option<Duration> {
    let nearest = moments.min()?;
    Some(nearest.saturating_duration_since(now))
}
// ANCHOR_END: until_nearest

#[cfg(test)]
mod tests;
