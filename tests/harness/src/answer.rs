//! An HTTP/1.1 response, read strictly, and what must be in it: each complaint
//! carries the bytes with a caret under the first wrong one.

use crate::deadline::Deadline;
use crate::end::End;
use crate::head::{Complaint, Field, read_head};
use crate::{Client, Likely, bytes, show};

/// A response that follows RFC 9112: status line, field lines, blank line, content.
pub struct Answer {
    raw: Vec<u8>,
    status: u16,
    fields: Vec<Field>,
    body_at: usize,
}

impl Client {
    /// Reads a response to a request other than HEAD.
    #[track_caller]
    pub fn answer(&mut self, likely: Likely) -> Answer {
        self.read_answer(likely, true)
    }

    /// Reads a response to HEAD: it says how long the content would be and has none.
    #[track_caller]
    pub fn answer_to_head(&mut self, likely: Likely) -> Answer {
        self.read_answer(likely, false)
    }

    #[track_caller]
    fn read_answer(&mut self, likely: Likely, has_body: bool) -> Answer {
        self.check().step("read an HTTP response");
        let mut deadline = Deadline::new(self.check());
        let head = loop {
            match read_head(self.pending()) {
                Ok(Some(head)) => break head,
                Ok(None) => {}
                Err(complaint) => self.complain(&complaint, likely.differs),
            }
            if let Err(end) = self.await_more(&mut deadline) {
                self.cut_off(end, "the blank line that ends the head", &likely);
            }
        };
        let interim = (100..200).contains(&head.status) && head.status != 101;
        if interim {
            // An interim response (RFC 9110, section 15.2) comes before the one we
            // wait for.
            self.take(head.len);
            return self.read_answer(likely, has_body);
        }
        let without_content = !has_body || matches!(head.status, 204 | 304);
        let body_len = match (without_content, head.content_length()) {
            (true, _) => 0,
            (false, Ok(Some(len))) => len,
            (false, Ok(None)) => {
                let complaint = Complaint {
                    at: head.len.saturating_sub(2),
                    what: "the head ends here without a Content-Length field"
                        .to_owned(),
                };
                let likely = format!(
                    "without Content-Length the client can't tell a whole answer \
                     from one that was cut off; {}",
                    likely.differs
                );
                self.complain(&complaint, &likely)
            }
            (false, Err(complaint)) => self.complain(&complaint, likely.differs),
        };
        while self.pending().len() < head.len + body_len {
            if let Err(end) = self.await_more(&mut deadline) {
                let got = self.pending().len() - head.len;
                let missing = format!(
                    "{body_len} bytes of content (Content-Length), got {got}"
                );
                self.cut_off(end, &missing, &likely);
            }
        }
        Answer {
            raw: self.take(head.len + body_len),
            status: head.status,
            fields: head.fields,
            body_at: head.len,
        }
    }

    #[track_caller]
    fn complain(&self, complaint: &Complaint, likely: &str) -> ! {
        let stop = if complaint.what.ends_with('?') {
            ""
        } else {
            "."
        };
        self.missed(
            format!(
                "The answer isn't HTTP at byte {}: {}{stop}",
                complaint.at, complaint.what
            ),
            bytes::with_caret(self.pending(), complaint.at, &complaint.what),
            likely,
        )
    }

    #[track_caller]
    fn cut_off(&self, end: End, wanted: &str, likely: &Likely) -> ! {
        let got = self.pending();
        self.missed(
            format!("{} before {wanted}.", end.sentence()),
            bytes::with_caret(got, got.len(), end.here()),
            &likely.because(end),
        )
    }

    /// Ends the check, and shows the answer with a caret at `at`.
    #[track_caller]
    fn refuse(
        &self,
        answer: &Answer,
        at: usize,
        problem: &str,
        note: &str,
        likely: &str,
    ) -> ! {
        self.missed(
            problem.to_owned(),
            bytes::with_caret(&answer.raw, at, note),
            likely,
        )
    }

    /// Checks the status code.
    #[track_caller]
    pub fn expect_status(&self, answer: &Answer, wanted: &[u16], likely: &str) {
        if !wanted.contains(&answer.status) {
            let wanted: Vec<String> = wanted.iter().map(u16::to_string).collect();
            let wanted = wanted.join(" or ");
            let problem = format!("The status is {}, not {wanted}.", answer.status);
            // "HTTP/1.1 " is nine bytes long.
            self.refuse(answer, 9, &problem, &format!("expected {wanted}"), likely);
        }
    }

    /// Checks that a field is there, once, with a value that `accepts` accepts;
    /// `wanted` says in words what that is.
    #[track_caller]
    pub fn expect_field(
        &self,
        answer: &Answer,
        name: &str,
        wanted: &str,
        accepts: impl Fn(&str) -> bool,
        likely: &str,
    ) {
        let found: Vec<&Field> = answer.fields_named(name).collect();
        match found.as_slice() {
            [] => {
                let end = answer.body_at.saturating_sub(2);
                let problem = format!("The answer has no {name} field.");
                self.refuse(
                    answer,
                    end,
                    &problem,
                    &format!("no {name} above"),
                    likely,
                );
            }
            [field] if accepts(&String::from_utf8_lossy(&field.value)) => {}
            [field] => {
                let at = field.at + name.len() + 2;
                let problem = format!(
                    "The {name} field is {}, not {wanted}.",
                    show(&field.value)
                );
                self.refuse(
                    answer,
                    at,
                    &problem,
                    &format!("expected {wanted}"),
                    likely,
                );
            }
            [_, second, ..] => {
                let problem =
                    format!("The answer has {} {name} fields.", found.len());
                self.refuse(answer, second.at, &problem, "once is enough", likely);
            }
        }
    }

    /// Checks that an answer says that it is the last one on its connection (RFC 9112,
    /// section 9.6).
    #[track_caller]
    pub fn expect_last(&self, answer: &Answer) {
        self.expect_field(
            answer,
            "Connection",
            "close, and nothing that contradicts it",
            |value| {
                let says = |option: &str| {
                    let mut options = value.split(',');
                    options.any(|found| found.trim().eq_ignore_ascii_case(option))
                };
                says("close") && !says("keep-alive")
            },
            "the last answer on a connection says so, whichever side wants the end (RFC \
             9112, section 9.6): one Connection field, with close in it and no keep-alive.",
        );
    }

    /// Checks that the content is exactly `wanted`.
    #[track_caller]
    pub fn expect_body(&self, answer: &Answer, wanted: &[u8], likely: &str) {
        let body = answer.body();
        if body == wanted {
            return;
        }
        let same = body.iter().zip(wanted).take_while(|(a, b)| a == b).count();
        let rest = &wanted[same..];
        let note = match (same == body.len(), rest.is_empty()) {
            (true, _) => format!("ends here; expected {} bytes more", rest.len()),
            (false, true) => "nothing more was expected".to_owned(),
            (false, false) => {
                format!("expected \"{}\"", show(&rest[..rest.len().min(24)]))
            }
        };
        let problem = format!("The content differs from byte {same} on.");
        self.refuse(answer, answer.body_at + same, &problem, &note, likely);
    }

    /// Checks that a part that must not come, which `what` names, is nowhere in an
    /// answer's content.
    #[track_caller]
    pub fn expect_body_without(
        &self,
        answer: &Answer,
        what: &str,
        part: &str,
        likely: &str,
    ) {
        let mut places = answer.body().windows(part.len());
        if let Some(at) = places.position(|place| place == part.as_bytes()) {
            let problem = format!("The content has {what} in it.");
            let note = "this must never be sent";
            self.refuse(answer, answer.body_at + at, &problem, note, likely);
        }
    }
}

impl Answer {
    /// Reads the first of the responses in these bytes, and returns what is after it as
    /// well. An error says in words what is wrong with it.
    pub fn first(bytes: &[u8], has_body: bool) -> Result<(Answer, &[u8]), String> {
        let words = |complaint: Complaint| complaint.what;
        let head = read_head(bytes).map_err(words)?;
        let head = head.ok_or("an answer is missing, or its head is cut off")?;
        let length = head.content_length().map_err(words)?;
        let length = length.ok_or("an answer has no Content-Length")?;
        let len = head.len + if has_body { length } else { 0 };
        let raw = bytes.get(..len).ok_or("an answer's content is cut off")?;
        let answer = Answer {
            raw: raw.to_vec(),
            status: head.status,
            fields: head.fields,
            body_at: head.len,
        };
        Ok((answer, &bytes[len..]))
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase.
    pub fn reason(&self) -> String {
        // "HTTP/1.1 200 " is thirteen bytes long.
        let line = self.raw.split(|byte| *byte == b'\r').next();
        let reason = line.and_then(|line| line.get(13..)).unwrap_or_default();
        String::from_utf8_lossy(reason).into_owned()
    }

    /// The value of the first field of this name, in any case.
    pub fn field(&self, name: &str) -> Option<String> {
        let field = self.fields_named(name).next()?;
        Some(String::from_utf8_lossy(&field.value).into_owned())
    }

    /// The content.
    pub fn body(&self) -> &[u8] {
        &self.raw[self.body_at..]
    }

    /// Whether the server says that it closes the connection after this answer.
    pub fn closes(&self) -> bool {
        self.field("connection").is_some_and(|value| {
            value
                .split(',')
                .any(|option| option.trim().eq_ignore_ascii_case("close"))
        })
    }

    fn fields_named(&self, name: &str) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
    }
}
