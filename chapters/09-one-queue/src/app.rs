//! What is served: a function from request to response.
//!
//! Besides files there are a few addresses that make visible how requests are
//! handled: one waits, one meets others, one counts, one panics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::files::Files;
use crate::meeting::Meetings;
use crate::refusal::{NOT_FOUND, Refusal};
use crate::request::{Method, Request};
use crate::response::Response;
use crate::target_path::Target;

/// The longest that a handler waits for anything, in milliseconds.
const PATIENCE: u32 = 10_000;

/// The site: everything that a request can be about.
#[derive(Debug)]
pub struct App {
    files: Files,
    visits: Visits,
    meetings: Meetings,
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
            meetings: Meetings::default(),
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

    /// The addresses below `/app/`: a name, and up to two numbers after it.
    fn route(&self, route: &[String]) -> Result<Response, Refusal> {
        let [name, numbers @ ..] = route else {
            return Err(NOT_FOUND);
        };
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
            // meet/SIZE or meet/SIZE/MS: answers once this many handlers are here at
            // once, or after this many milliseconds.
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
            "panic" => panic!("a handler panics, as it was asked to"),
            _ => Err(NOT_FOUND),
        }
    }
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
