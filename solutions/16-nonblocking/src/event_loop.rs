//! The event loop: one thread that gives each conversation its turn, again and again.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::buffers::Buffers;
use crate::connection::Connection;
use crate::conversation::Conversation;
use crate::date::Clock;
use crate::door::{Arrival, Door};
use crate::log::log;
use crate::stop::Stop;
use crate::turn::{Outcome, Turn};

/// How long the loop rests after a turn in which there was nothing to do.
const REST: Duration = Duration::from_millis(1);
/// How many clients are accepted in one turn.
const MAX_ACCEPTED: usize = 64;
/// How many clients that were turned away keep their connections until they have read
/// why. More of them lose theirs at once, without an answer.
const MAX_TURNED_AWAY: usize = 64;

/// All clients of the server, and the door for the next ones.
pub struct EventLoop<'a> {
    app: &'a App,
    stop: Arc<Stop>,
    stopping: bool,
    /// How long clients may take.
    patience: Duration,
    /// `None` once no one else may come in.
    door: Option<Door>,
    /// How many clients are served at the same time.
    limit: usize,
    clients: Vec<Conversation>,
    turned_away: Vec<Conversation>,
    spare: Vec<Buffers>,
    clock: Clock,
}

impl EventLoop<'_> {
    /// A loop that serves the clients of this listener: up to `limit` at the same
    /// time, each of which may take as long as `patience`.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener can't be told not to wait.
    pub fn new(
        listener: TcpListener,
        app: &App,
        stop: Arc<Stop>,
        limit: usize,
        patience: Duration,
    ) -> io::Result<EventLoop<'_>> {
        Ok(EventLoop {
            app,
            stop,
            stopping: false,
            patience,
            door: Some(Door::new(listener)?),
            limit,
            clients: Vec::new(),
            turned_away: Vec::new(),
            spare: Vec::new(),
            clock: Clock::default(),
        })
    }

    // ANCHOR: run
    /// Serves until the server is asked to stop, and all that were here are served.
    pub fn run(mut self) {
        while self.door.is_some()
            || !self.clients.is_empty()
            || !self.turned_away.is_empty()
        {
            let now = Instant::now();
            if !self.stopping && self.stop.has_begun() {
                self.begin_to_stop(now);
            }
            let have_come = self.let_clients_in(now);
            let have_moved = self.give_each_its_turn(now);
            if !have_come && !have_moved {
                thread::sleep(REST);
            }
        }
    }
    // ANCHOR_END: run

    /// Tells all clients once. Those that the kernel has connected meanwhile are
    /// still let in, and told as well.
    fn begin_to_stop(&mut self, now: Instant) {
        self.stopping = true;
        for conversation in self.clients.iter_mut().chain(&mut self.turned_away) {
            conversation.stop(now);
        }
    }

    /// Lets in the clients that wait outside, and returns whether there were any.
    fn let_clients_in(&mut self, now: Instant) -> bool {
        for count in 0..MAX_ACCEPTED {
            let Some(door) = &mut self.door else {
                return false;
            };
            match door.accept(now) {
                Arrival::Client(stream) => self.take_in(stream, now),
                Arrival::Closed => return count > 0,
                Arrival::Nobody => {
                    if self.stopping {
                        // The listener is dropped here, and the kernel refuses the
                        // clients that come now.
                        self.door = None;
                    }
                    return count > 0;
                }
            }
        }
        true
    }

    /// Serves a client from now on, or turns it away if there are too many others.
    fn take_in(&mut self, stream: TcpStream, now: Instant) {
        let connection = match Connection::new(stream, self.patience) {
            Ok(connection) => connection,
            Err(error) => return log(&format!("a connection failed: {error}")),
        };
        let client = Stop::admit(&self.stop);
        let mut conversation = Conversation::new(connection, client, now);
        if self.stopping {
            conversation.stop(now);
        }
        if self.clients.len() < self.limit {
            self.clients.push(conversation);
        } else if self.turned_away.len() < MAX_TURNED_AWAY {
            conversation.turn_away(self.clock.date(), now);
            self.turned_away.push(conversation);
        }
    }

    // ANCHOR: turn
    /// Goes once through all conversations, and returns whether any of them had
    /// something to do.
    fn give_each_its_turn(&mut self, now: Instant) -> bool {
        let mut turn = Turn {
            app: self.app,
            now,
            date: self.clock.date(),
            spare: std::mem::take(&mut self.spare),
        };
        let (mut have_moved, mut have_left) = (false, false);
        let mut goes_on = |conversation: &mut Conversation| {
            let outcome = conversation.turn(&mut turn).unwrap_or_else(|error| {
                // One client's failure is no reason to leave the others.
                log(&format!("a connection failed: {error}"));
                Outcome::Over
            });
            have_moved |= outcome != Outcome::Waits;
            have_left |= outcome == Outcome::Over;
            outcome != Outcome::Over
        };
        self.clients.retain_mut(&mut goes_on);
        self.turned_away.retain_mut(&mut goes_on);
        self.spare = turn.spare;
        if have_left && let Some(door) = &mut self.door {
            door.may_open(now);
        }
        have_moved
    }
    // ANCHOR_END: turn
}
