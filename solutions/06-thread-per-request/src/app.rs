//! What is served: a function from request to response.
//!
//! Besides files there are a few addresses that make visible how requests are
//! handled: one waits, one meets others, one counts, one panics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::files::Files;
use crate::http::{Method, Refusal, Request, Response};
use crate::meeting::Meetings;

/// The longest that a handler waits for anything, in milliseconds.
const PATIENCE: u32 = 10_000;

/// The site: everything that a request can be about.
pub struct App {
    files: Files,
    visits: Visits,
    meetings: Meetings,
}

// ANCHOR: visits
/// A counter that all threads share.
#[derive(Default)]
struct Visits(AtomicU64);

impl Visits {
    /// Counts one visit more, and returns how many there are now.
    fn add_one(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}
// ANCHOR_END: visits

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
        let response = match request.method {
            Method::Get | Method::Head => {
                match request.target.strip_prefix("/app/") {
                    Some(route) => self.route(route),
                    None => self.files.respond(request.target),
                }
            }
            _ => Response::from(Refusal::new(405, "this resource can only be read"))
                .with_field("Allow", "GET, HEAD"),
        };
        match request.method {
            Method::Head => response.without_content(),
            _ => response,
        }
    }

    /// The addresses below `/app/`.
    fn route(&self, route: &str) -> Response {
        let mut parts = route.split('/');
        let name = parts.next().unwrap_or_default();
        let mut number =
            |default| parts.next().map_or(Ok(default), str::parse::<u32>);
        let (Ok(number), Ok(patience)) = (number(1), number(PATIENCE)) else {
            return Refusal::new(400, "numbers belong behind this address").into();
        };
        let patience = Duration::from_millis(patience.min(PATIENCE).into());
        match name {
            // wait/MS: waits this many milliseconds.
            "wait" => {
                thread::sleep(Duration::from_millis(number.min(PATIENCE).into()));
                text(200, format!("waited {number} ms\n"))
            }
            // meet/SIZE or meet/SIZE/MS: answers when this many handlers are here at
            // once, or after so many milliseconds.
            "meet" => match self.meetings.join(number as usize, patience) {
                true => text(200, format!("{number} met\n")),
                false => text(503, format!("fewer than {number} came\n")),
            },
            // visit/TIMES: counts this many visits, and says how many there have
            // been.
            "visit" => {
                let mut visits = 0;
                for _ in 0..number.min(1_000_000) {
                    visits = self.visits.add_one();
                }
                text(200, format!("{visits}\n"))
            }
            "panic" => panic!("a handler panics, as it was asked to"),
            _ => Refusal::new(404, "there is nothing at this address").into(),
        }
    }
}

fn text(status: u16, body: String) -> Response {
    Response::new(status)
        .with_field("Content-Type", "text/plain; charset=utf-8")
        .with_body(body)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::Visits;

    const THREADS: usize = 4;
    const EACH: usize = 500_000;

    #[test]
    fn no_two_visits_get_the_same_number() {
        let visits = Visits::default();
        let start = Barrier::new(THREADS);
        let visit = || {
            start.wait();
            Vec::from_iter((0..EACH).map(|_| visits.add_one()))
        };
        let numbers = thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(visit));
            threads.map(|thread| thread.join().expect("add_one returns"))
        });
        let mut given = vec![false; THREADS * EACH + 1];
        for number in numbers.into_iter().flatten() {
            let given = &mut given[number as usize];
            assert!(!*given, "two visits got the number {number}");
            *given = true;
        }
        assert!(!given[0], "the first visit is number 1");
    }
}
