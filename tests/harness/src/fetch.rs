//! A real HTTP client, reqwest, and what it makes of an answer.

use std::fmt::Display;
use std::io;

use reqwest::blocking as http;

use crate::machine::Fault;
use crate::report::{Failure, Symptom};
use crate::{DEADLINE, Program};

/// Why reqwest refuses an answer.
const LOOK: &str = "look at the bytes with curl -v: a status line, field lines that \
                    end in \\r\\n, a blank line, and exactly Content-Length bytes. A \
                    reset means that the server closed before it had read the whole \
                    request.";

impl Program {
    /// Fetches a path with a real HTTP client (reqwest), which doesn't follow
    /// redirects.
    #[track_caller]
    pub fn get(&self, path: &str) -> Fetched {
        self.check().step(format!("GET {path} with reqwest"));
        let url = format!("http://{}{path}", self.addr());
        let fetched = browser().and_then(|client| {
            let response = client.get(&url).send()?;
            Ok(Fetched {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: response.bytes()?.to_vec(),
            })
        });
        match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                if let Some(fault) = io_error(&error).and_then(Fault::of) {
                    self.check().report(fault.into_failure());
                }
                self.check().report(Failure {
                problem: format!(
                    "reqwest, a well-behaved HTTP client, refused the answer: {}.",
                    causes(&error)
                ),
                likely: LOOK.to_owned(),
                symptom: match error.is_timeout() {
                    true => Symptom::Wrong,
                    false => Symptom::Lost,
                },
                ..Failure::default()
            })
            }
        }
    }
}

/// What reqwest made of an answer.
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    headers: reqwest::header::HeaderMap,
}

impl Fetched {
    /// A field's value; empty if it's missing or isn't text.
    pub fn field(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

fn browser() -> reqwest::Result<http::Client> {
    http::Client::builder()
        .timeout(DEADLINE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // A sequential server can't serve a second connection while the first one
        // idles.
        .pool_max_idle_per_host(0)
        .build()
}

/// The error of the system that caused this one.
fn io_error(error: &reqwest::Error) -> Option<&io::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<io::Error>()
            && error.raw_os_error().is_some()
        {
            return Some(error);
        }
        source = cause.source();
    }
    None
}

/// An error and what caused it: reqwest hides the interesting part in the sources.
fn causes(error: &dyn std::error::Error) -> impl Display + use<> {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
