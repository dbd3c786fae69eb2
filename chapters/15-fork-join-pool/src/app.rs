//! What is served: a function from request to response.
//!
//! Besides files there are a few addresses that make visible how requests are
//! handled: one waits, one meets others, one counts, one panics, and some share
//! their work with other workers.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::files::Files;
use crate::fork_join::fork_join;
use crate::leaves::Leaves;
use crate::meeting::Meetings;
use crate::picture::View;
use crate::refusal::{NOT_FOUND, Refusal};
use crate::request::{Method, Request};
use crate::response::Response;
use crate::target_path::Target;

/// The longest that a handler waits for anything, in milliseconds.
const PATIENCE: u32 = 10_000;
/// The most leaves that a fork/join has which is only there to be watched.
const MOST_LEAVES: u32 = 64;

/// The site: everything that a request can be about.
#[derive(Debug)]
pub struct App {
    files: Files,
    visits: Visits,
    meetings: Arc<Meetings>,
}

/// A counter that all threads share.
#[derive(Debug, Default)]
struct Visits(AtomicU64);

impl Visits {
    /// Counts one visit more, and returns how many there are now.
    fn add_one(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl App {
    /// A site of these files.
    pub fn new(files: Files) -> App {
        App {
            files,
            visits: Visits::default(),
            meetings: Arc::default(),
        }
    }

    /// Answers a request.
    pub fn respond(&self, request: &Request) -> Response {
        match request.method() {
            Method::Get | Method::Head => {
                self.get(request).unwrap_or_else(Response::from)
            }
            _ => Response::from(Refusal::new(405, "this resource can only be read"))
                .with_field("Allow", "GET, HEAD"),
        }
    }

    /// Answers a request that wants to read something.
    fn get(&self, request: &Request) -> Result<Response, Refusal> {
        let target = Target::parse(request.target())?;
        match target.names() {
            [app, route @ ..] if app == "app" && !target.names_a_folder() => {
                self.route(route)
            }
            _ => self.files.respond(&target),
        }
    }

    /// The addresses below `/app/`: a name, and up to two numbers after it, or
    /// leaves.
    fn route(&self, route: &[String]) -> Result<Response, Refusal> {
        let [name, numbers @ ..] = route else {
            return Err(NOT_FOUND);
        };
        if name == "join" {
            // join/LEAF/LEAF/…: forks off all leaves but the first.
            let leaves = Leaves::parse(numbers, &self.meetings)?;
            return Ok(match leaves.join() {
                true => text(200, "joined\n".to_owned()),
                false => text(503, "not all have met\n".to_owned()),
            });
        }
        let number = |at: usize, default: u32| match numbers.get(at) {
            None => Ok(default),
            Some(number) => number
                .parse()
                .map_err(|_| Refusal::bad_request("a number belongs in this place")),
        };
        let (first, patience) = (number(0, 1)?, number(1, PATIENCE)?);
        match name.as_str() {
            // wait/MS: waits this many milliseconds.
            "wait" => {
                thread::sleep(milliseconds(first));
                Ok(text(200, format!("waited {first} ms\n")))
            }
            // meet/SIZE or meet/SIZE/MS: answers once this many handlers are here
            // at once, or after this many milliseconds.
            "meet" => {
                if self.meetings.join(first as usize, milliseconds(patience)) {
                    Ok(text(200, format!("{first} met\n")))
                } else {
                    Ok(text(503, format!("fewer than {first} came\n")))
                }
            }
            // visit/TIMES: counts this many visits, and says how many there have
            // been.
            "visit" => {
                let mut visits = 0;
                for _ in 0..first.min(1_000_000) {
                    visits = self.visits.add_one();
                }
                Ok(text(200, format!("{visits}\n")))
            }
            // picture/SIZE/DEPTH: a picture of this many pixels each way, with at
            // most this many steps for each pixel.
            "picture" => {
                let view = View::new(number(0, 600)?, number(1, 250)?)?;
                Ok(Response::new(200)
                    .with_field("Content-Type", "image/bmp")
                    .with_body(view.paint()))
            }
            // halves/LEAVES or halves/LEAVES/MS: whether this many leaves of one
            // fork/join run at once. burst is the same, and then the last leaf
            // panics.
            "halves" | "burst" if (1..=MOST_LEAVES).contains(&first) => {
                let until = Instant::now() + milliseconds(patience);
                let met = leaves_that_meet(first, until, name == "burst");
                let status = if met == first { 200 } else { 503 };
                Ok(text(status, format!("{met} met\n")))
            }
            "halves" | "burst" => Err(Refusal::bad_request("from 1 to 64 leaves")),
            "panic" => panic!("a handler panics, as it was asked to"),
            _ => Err(NOT_FOUND),
        }
    }
}

/// A fork/join whose leaves do nothing but wait for each other. Returns how many of
/// them were there at once.
fn leaves_that_meet(count: u32, until: Instant, last_panics: bool) -> u32 {
    let (meetings, last) = (Arc::new(Meetings::default()), count as usize - 1);
    let leaf = move |leaf: Range<usize>| {
        let patience = until.saturating_duration_since(Instant::now());
        let met = meetings.join(count as usize, patience);
        if last_panics && leaf.start == last {
            panic!("the last leaf panics, as it was asked to");
        }
        vec![u32::from(met)]
    };
    fork_join(0..count as usize, 1, leaf).into_iter().sum()
}

/// As long as it's asked for, and no longer than a handler waits.
fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(number.min(PATIENCE).into())
}

fn text(status: u16, body: String) -> Response {
    Response::new(status)
        .with_field("Content-Type", "text/plain; charset=utf-8")
        .with_body(body)
}

#[cfg(test)]
mod tests;
