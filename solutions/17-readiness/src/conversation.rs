//! One client's requests and answers, one after the other, as a state machine: one
//! thread serves all clients, so it can't wait for any of them.

use std::io::{self, ErrorKind};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::app::Answer;
use crate::connection::Connection;
use crate::content::{Content, HALF_THE_CONTENT, LATE_CONTENT};
use crate::handler::Handler;
use crate::log::log;
use crate::refusal::{Failure, Refusal};
use crate::request::{Persistence, Request};
use crate::response::Response;
use crate::state::{Asked, State, Step, Then};
use crate::stop::Client;
use crate::transport::Io;
use crate::turn::{Outcome, Turn};

mod waiting;

const HALF_A_HEAD: Refusal =
    Refusal::bad_request("the head ends before its blank line");
const LATE_HEAD: Refusal = Refusal::new(408, "the head took too long to arrive");
const BUSY: Refusal = Refusal::new(503, "the server is busy");

/// A conversation with a client.
#[derive(Debug)]
pub struct Conversation {
    connection: Connection,
    state: State,
    /// Whether the server is about to stop: no other request is awaited.
    stopping: bool,
    _client: Client,
}

impl Conversation {
    /// Begins a conversation on a connection from which nothing has been read.
    pub fn new(connection: Connection, client: Client, now: Instant) -> Conversation {
        let mut conversation = Conversation {
            connection,
            state: State::ReadingHead,
            stopping: false,
            _client: client,
        };
        conversation.enter(State::ReadingHead, now);
        conversation
    }

    /// Tells the client that the server is busy, and nothing else.
    pub fn turn_away(&mut self, date: &str, now: Instant) {
        let response = Response::from(BUSY).with_field("Retry-After", "1");
        self.connection.put(response, Persistence::Close, date);
        self.enter(State::Writing(Then::Linger), now);
    }

    /// Takes note that the server is about to stop. Requests that are here are
    /// answered, and no others are awaited.
    pub fn stop(&mut self, now: Instant) {
        self.stopping = true;
        if let Some(time) = self.state.time(self.connection.patience(), true) {
            self.connection.shorten_time(time, now);
        }
    }

    /// Goes on with the conversation as far as it can without waiting. It reads once
    /// and writes once at most, so that no client keeps the others waiting.
    ///
    /// # Errors
    ///
    /// Returns the error of a failed read or write, such as a reset connection, or of
    /// a client that takes too long to read its answers.
    pub fn turn(&mut self, turn: &mut Turn) -> io::Result<Outcome> {
        self.connection.begin_turn(&mut turn.spare);
        let outcome = self.go_on(turn);
        let has_moved = self.connection.end_turn(&mut turn.spare);
        match outcome? {
            Outcome::Waits if has_moved => Ok(Outcome::Moved),
            outcome => Ok(outcome),
        }
    }

    // ANCHOR: go_on
    /// Lets one state after the other do its part, until one has to wait.
    fn go_on(&mut self, turn: &mut Turn) -> io::Result<Outcome> {
        let mut outcome = Outcome::Waits;
        loop {
            let step = match mem::take(&mut self.state) {
                State::ReadingHead => self.read_head(turn),
                State::Skipping(content, asked) => self.skip(content, asked, turn),
                State::Handling(handler, persistence) => {
                    self.handle(handler, persistence, turn)
                }
                State::Writing(then) => self.write(then, turn),
                State::Lingering => Ok(self.linger(turn)),
            };
            match step {
                Ok(Step::To(state)) => self.enter(state, turn.now),
                Ok(Step::Stay(state)) => {
                    self.state = state;
                    // Whatever it waits for, answers that are finished may leave.
                    if self.connection.has_output() {
                        self.connection.flush(turn.now)?;
                    }
                    return Ok(outcome);
                }
                Ok(Step::End) => return Ok(Outcome::Over),
                Err(Failure::Refused(refusal)) => {
                    let response = refusal.into();
                    self.connection.put(response, Persistence::Close, turn.date);
                    self.enter(State::Writing(Then::Linger), turn.now);
                }
                Err(Failure::Lost(error)) => return Err(error),
            }
            outcome = Outcome::Moved;
        }
    }
    // ANCHOR_END: go_on

    /// Enters a state, which gives the client its time again.
    fn enter(&mut self, state: State, now: Instant) {
        let time = state.time(self.connection.patience(), self.stopping);
        self.connection.set_time(time, now);
        self.state = state;
    }

    // ANCHOR: read_head
    /// Reads until a whole head is there, and sees to its request.
    fn read_head(&mut self, turn: &mut Turn) -> Result<Step, Failure> {
        loop {
            if let Some(len) = self.connection.find_head()? {
                return self.take_request(len, turn);
            }
            if self.connection.has_output() {
                // The client may be waiting for these answers before it says more.
                return Ok(Step::To(State::Writing(Then::NextRequest)));
            }
            let has_begun = self.connection.has_unread();
            match self.connection.fill()? {
                Io::Done(1..) => {}
                Io::Done(0) if has_begun => return Err(HALF_A_HEAD.into()),
                Io::Done(0) => return Ok(Step::End),
                Io::NotNow if !self.connection.is_late(turn.now) => {
                    return Ok(Step::Stay(State::ReadingHead));
                }
                Io::NotNow if has_begun => return Err(LATE_HEAD.into()),
                // Nothing was asked, so there is nothing to answer.
                Io::NotNow => return Ok(Step::End),
            }
        }
    }
    // ANCHOR_END: read_head

    // ANCHOR: take_request
    /// Takes a request out of what has been read. What it asks for outlives its
    /// bytes.
    fn take_request(&mut self, len: usize, turn: &mut Turn) -> Result<Step, Failure> {
        let request = Request::parse(self.connection.head(len))?;
        let content = Content::of(&request)?;
        let mut asked = Asked {
            route: turn.app.route(&request),
            persistence: request.persistence(),
        };
        if request.expects_continue() && !content.is_complete() {
            // The client would send the content when told to; nothing here wants it.
            asked.persistence = Persistence::Close;
            return Ok(self.begin(asked, turn));
        }
        self.connection.consume(len);
        Ok(Step::To(State::Skipping(content, asked)))
    }
    // ANCHOR_END: take_request

    // ANCHOR: skip
    /// Reads content and drops it, then sees to the request.
    fn skip(
        &mut self,
        mut content: Content,
        asked: Asked,
        turn: &mut Turn,
    ) -> Result<Step, Failure> {
        loop {
            if self.connection.skip(&mut content)? {
                return Ok(self.begin(asked, turn));
            }
            match self.connection.fill()? {
                Io::Done(1..) => {}
                Io::Done(0) => return Err(HALF_THE_CONTENT.into()),
                Io::NotNow if self.connection.is_late(turn.now) => {
                    return Err(LATE_CONTENT.into());
                }
                Io::NotNow => {
                    return Ok(Step::Stay(State::Skipping(content, asked)));
                }
            }
        }
    }
    // ANCHOR_END: skip

    // ANCHOR: begin
    /// Has the app begin with a request. Some are answered at once.
    fn begin(&mut self, asked: Asked, turn: &mut Turn) -> Step {
        let Asked { route, persistence } = asked;
        let is_heavy = route.is_heavy();
        let begun = unless_it_panics(|| turn.app.begin(route, turn.now));
        if is_heavy {
            // All clients have waited for this. It doesn't count as their time.
            turn.now = Instant::now();
        }
        match begun {
            Ok(Answer::Ready(response)) => self.answer(response, persistence, turn),
            Ok(Answer::Waiting(handler)) => {
                Step::To(State::Handling(handler, persistence))
            }
            Err(refusal) => self.answer(refusal.into(), persistence, turn),
        }
    }

    /// Asks a handler whether it has its answer by now.
    fn handle(
        &mut self,
        mut handler: Handler,
        persistence: Persistence,
        turn: &mut Turn,
    ) -> Result<Step, Failure> {
        match unless_it_panics(|| turn.app.poll(&mut handler, turn.now)) {
            Ok(Some(response)) => Ok(self.answer(response, persistence, turn)),
            Ok(None) => Ok(Step::Stay(State::Handling(handler, persistence))),
            Err(refusal) => Ok(self.answer(refusal.into(), persistence, turn)),
        }
    }
    // ANCHOR_END: begin

    // ANCHOR: answer
    /// Adds an answer to those that are to be sent. `wanted` is what the client wants
    /// to become of the connection after it.
    fn answer(
        &mut self,
        response: Response,
        wanted: Persistence,
        turn: &mut Turn,
    ) -> Step {
        let is_last = self.stopping && !self.connection.has_more();
        let persistence = if is_last { Persistence::Close } else { wanted };
        self.connection.put(response, persistence, turn.date);
        Step::To(match (persistence, wanted) {
            (Persistence::Close, Persistence::Close)
                if !self.connection.has_unread() =>
            {
                State::Writing(Then::Close)
            }
            (Persistence::Close, _) => State::Writing(Then::Linger),
            _ if self.connection.is_full() => State::Writing(Then::NextRequest),
            // Requests that come together are answered together.
            _ => State::ReadingHead,
        })
    }
    // ANCHOR_END: answer

    // ANCHOR: write
    /// Sends answers until none is left.
    fn write(&mut self, then: Then, turn: &Turn) -> Result<Step, Failure> {
        while self.connection.has_output() {
            match self.connection.flush(turn.now)? {
                Io::Done(_) => {}
                Io::NotNow if self.connection.is_late(turn.now) => {
                    return Err(Failure::Lost(ErrorKind::TimedOut.into()));
                }
                Io::NotNow => return Ok(Step::Stay(State::Writing(then))),
            }
        }
        let then = match self.connection.failure() {
            Some(error) => {
                log(&format!("an answer was cut off: {error}"));
                Then::Linger
            }
            None => then,
        };
        Ok(match then {
            Then::NextRequest => Step::To(State::ReadingHead),
            Then::Close => Step::End,
            Then::Linger => match self.connection.end_writing() {
                Ok(()) => Step::To(State::Lingering),
                // The client is already gone: there is nothing to save.
                Err(_) => Step::End,
            },
        })
    }
    // ANCHOR_END: write

    // ANCHOR: linger
    /// Drops what comes until the client closes, or has had its time.
    ///
    /// Closing a socket with unread input makes the kernel send RST, which can
    /// destroy the last answer (RFC 9112, section 9.6).
    fn linger(&mut self, turn: &Turn) -> Step {
        loop {
            self.connection.drop_input();
            match self.connection.fill() {
                Ok(Io::Done(1..)) => {}
                Ok(Io::NotNow) if !self.connection.is_out_of_time(turn.now) => {
                    return Step::Stay(State::Lingering);
                }
                // An error means that the client is gone as well.
                _ => return Step::End,
            }
        }
    }
    // ANCHOR_END: linger
}

/// Runs a part of a handler. If that panics, the request is answered with 500.
fn unless_it_panics<T>(run: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| Refusal::new(500, "the handler of this request failed"))
}

#[cfg(test)]
mod tests;
