//! What is served: a request leads to a route, and a route to an answer.
//!
//! Besides files there are a few addresses that make visible how requests are
//! handled: one waits, one meets others, one counts, one panics, and some share their
//! work among the workers of a pool.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::files::Files;
use crate::fork_join::fork_join;
use crate::meeting::{Meeting, Meetings};
use crate::picture::View;
use crate::pool::ThreadPool;
use crate::refusal::{NOT_FOUND, Refusal};
use crate::request::{Method, Request};
use crate::response::{Response, text};
use crate::sleep::Sleep;
use crate::target_path::Target;

/// The longest that a handler waits for anything, in milliseconds.
const PATIENCE: u32 = 10_000;
/// The most leaves that a fork/join has which is only there to be watched.
const MOST_LEAVES: u32 = 64;

/// The site: everything that a request can be about.
pub struct App {
    files: Files,
    visits: Counter,
    /// How often a handler that waits has been polled.
    polls: Counter,
    meetings: Arc<Meetings>,
    /// Where heavy work is done.
    pool: ThreadPool,
}

/// What a request asks for. It owns what it needs, so that it can outlive the bytes
/// of the request.
#[derive(Debug)]
pub enum Route {
    /// A file, or a folder's own address.
    File(Target),
    /// To wait this many milliseconds.
    Wait(u32),
    /// To meet others: `size` handlers in all.
    Meet {
        size: usize,
        patience: Duration,
    },
    /// To count this many visits.
    Visit(u32),
    /// To tell how often handlers were polled.
    Polls,
    Panic,
    /// A picture to compute.
    Picture(View),
    /// A fork/join whose leaves wait for each other, and then perhaps panic.
    Leaves {
        count: u32,
        patience: Duration,
        last_panics: bool,
    },
    /// A change of something that can only be read.
    ReadOnly,
    Refused(Refusal),
}

/// A counter that all handlers share.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    /// Counts one more, and returns how many there are now.
    fn add_one(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl App {
    /// A site of these files, whose heavy work is done in this pool.
    pub fn new(files: Files, pool: ThreadPool) -> App {
        App {
            files,
            visits: Counter::default(),
            polls: Counter::default(),
            meetings: Arc::default(),
            pool,
        }
    }

    /// Finds out what a request asks for, and does nothing about it yet.
    pub fn route(&self, request: &Request) -> Route {
        match request.method() {
            Method::Get | Method::Head => {
                find_route(request.target()).unwrap_or_else(Route::Refused)
            }
            _ => Route::ReadOnly,
        }
    }

    /// Answers, once what the answer waits for has come.
    pub async fn respond(&self, route: Route) -> Response {
        match route {
            Route::Wait(asked) => {
                self.counted(Sleep::new(milliseconds(asked))).await;
                text(200, format!("waited {asked} ms\n"))
            }
            Route::Meet { size, patience } => {
                let patience = Sleep::new(patience);
                let meeting = Meeting::new(&self.meetings, size, patience);
                if self.counted(meeting).await {
                    text(200, format!("{size} met\n"))
                } else {
                    text(503, format!("fewer than {size} came\n"))
                }
            }
            route => self.respond_now(route),
        }
    }

    /// Waits for a future, and counts how often that's polled.
    async fn counted<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.polls.add_one();
            future.as_mut().poll(context)
        })
        .await
    }

    /// Answers what doesn't wait for anything.
    fn respond_now(&self, route: Route) -> Response {
        match route {
            Route::File(target) => {
                self.files.respond(&target).unwrap_or_else(Response::from)
            }
            Route::Visit(times) => {
                let mut visits = 0;
                for _ in 0..times {
                    visits = self.visits.add_one();
                }
                text(200, format!("{visits}\n"))
            }
            Route::Polls => text(200, format!("{}\n", self.polls.count())),
            Route::Panic => panic!("a handler panics, as it was asked to"),
            Route::ReadOnly => {
                Response::from(Refusal::new(405, "this resource can only be read"))
                    .with_field("Allow", "GET, HEAD")
            }
            Route::Refused(refusal) => refusal.into(),
            Route::Picture(view) => match self.in_pool(move || view.paint()) {
                Ok(picture) => Response::new(200)
                    .with_field("Content-Type", "image/bmp")
                    .with_body(picture),
                Err(refusal) => refusal.into(),
            },
            Route::Leaves {
                count,
                patience,
                last_panics,
            } => {
                let until = Instant::now() + patience;
                let work = move || leaves_that_meet(count, until, last_panics);
                match self.in_pool(work) {
                    Ok(met) if met == count => text(200, format!("{met} met\n")),
                    Ok(met) => text(503, format!("{met} met\n")),
                    Err(refusal) => refusal.into(),
                }
            }
            Route::Wait(_) | Route::Meet { .. } => {
                unreachable!("these wait: respond answers them")
            }
        }
    }

    /// Has the pool do heavy work, and waits until it's done. The thread that waits
    /// is the one that serves all clients: they all wait.
    fn in_pool<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (result, done) = mpsc::channel();
        // This is the only job: it needn't queue.
        let _ = self.pool.execute(move || drop(result.send(work())));
        // If the work panics, its end of the channel is dropped.
        done.recv()
            .map_err(|_| Refusal::new(500, "the handler of this request failed"))
    }
}

/// Takes a target apart, and finds the route that it names.
fn find_route(target: &str) -> Result<Route, Refusal> {
    let target = Target::parse(target)?;
    match target.names() {
        [app, names @ ..] if app == "app" && !target.names_a_folder() => {
            app_route(names)
        }
        _ => Ok(Route::File(target)),
    }
}

/// The addresses below `/app/`: a name, and up to two numbers after it.
fn app_route(names: &[String]) -> Result<Route, Refusal> {
    let [name, numbers @ ..] = names else {
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
        "wait" => Ok(Route::Wait(first)),
        // meet/SIZE or meet/SIZE/MS: answers once this many handlers are here at
        // once, or after this many milliseconds.
        "meet" => Ok(Route::Meet {
            size: first as usize,
            patience: milliseconds(patience),
        }),
        // visit/TIMES: counts this many visits, and says how many there have been.
        "visit" => Ok(Route::Visit(first.min(1_000_000))),
        // polls: how often handlers that wait have been polled.
        "polls" => Ok(Route::Polls),
        "panic" => Ok(Route::Panic),
        // picture/SIZE/DEPTH: a picture of this many pixels each way, with at most
        // this many steps for each pixel.
        "picture" => View::new(number(0, 600)?, number(1, 250)?).map(Route::Picture),
        // halves/LEAVES or halves/LEAVES/MS: whether this many leaves of one
        // fork/join run at once. burst is the same, and then the last leaf panics.
        "halves" | "burst" if (1..=MOST_LEAVES).contains(&first) => {
            Ok(Route::Leaves {
                count: first,
                patience: milliseconds(patience),
                last_panics: name == "burst",
            })
        }
        "halves" | "burst" => Err(Refusal::bad_request("from 1 to 64 leaves")),
        _ => Err(NOT_FOUND),
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

#[cfg(test)]
mod tests;
