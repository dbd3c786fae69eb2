//! Questions for a file that a learner can repeat by hand, and what comes back.

use crate::{Answer, Client, Likely, Program, get};

/// Why no answer comes.
pub(crate) const NO_ANSWER: Likely = Likely {
    silent: "the server is still busy. Does it wait for something that never comes, \
             such as more of a request that is complete?",
    closed: "the server closed before its answer was complete. What can't be served \
             is answered with a status code. Of a file, every byte must follow, also \
             the last piece, which is shorter than a buffer.",
    reset: "the answer was lost: the server closed while bytes that the client had \
            sent were still unread.",
    differs: "a response is: status line, field lines, blank line, content.",
};

/// What came back to one request, with the connection that it came on.
pub struct Reply {
    /// The connection.
    pub client: Client,
    /// The answer.
    pub answer: Answer,
}

/// The shell command that asks for a target, byte for byte.
pub fn curl(target: &str) -> String {
    match target.starts_with('/') {
        true => format!("curl -i --path-as-is 'http://{{addr}}{target}'"),
        false => format!("curl -i --request-target '{target}' http://{{addr}}/"),
    }
}

impl Program {
    /// Gets a target, and closes the connection, so that a server with one client at
    /// a time is free for the next. A report shows how to get it by hand.
    #[track_caller]
    pub fn get_reply(&self, target: &str) -> Reply {
        self.get_reply_as(target, "{get}")
    }

    /// Like [`Program::get_reply`]. By hand it takes these commands, in which `{get}`
    /// means the one that asks for the target.
    #[track_caller]
    pub fn get_reply_as(&self, target: &str, by_hand: &str) -> Reply {
        self.get_reply_or(target, by_hand, NO_ANSWER)
    }

    /// Like [`Program::get_reply_as`]. This is what's likely if no answer comes.
    #[track_caller]
    pub fn get_reply_or(&self, target: &str, by_hand: &str, likely: Likely) -> Reply {
        let by_hand = by_hand.replace("{get}", &curl(target));
        let mut reply = self.ask_for_reply(&get(target), &by_hand, likely);
        reply.client.hang_up();
        reply
    }

    /// Like [`Program::get_reply`]. By hand, the file is made first, in `book/src`.
    #[track_caller]
    pub fn get_made(&self, file: &str, target: &str) -> Reply {
        let mut made = format!("'book/src/{file}'");
        if file.contains(char::is_control) {
            let file = crate::printf(format!("book/src/{file}").as_bytes());
            made = format!("\"$({file})\"");
        }
        let by_hand = format!("echo x >{made}\n{{get}}\nrm {made}");
        self.get_reply_as(target, &by_hand)
    }

    /// Sends a request, which a report shows how to repeat, and reads the answer. The
    /// connection stays open.
    #[track_caller]
    pub fn send_request(&self, request: &str) -> Reply {
        let printf = crate::printf(request.as_bytes());
        let by_hand = format!("{printf} |\nnc -N 127.0.0.1 {{port}}");
        self.ask_for_reply(request, &by_hand, NO_ANSWER)
    }

    #[track_caller]
    fn ask_for_reply(&self, request: &str, by_hand: &str, likely: Likely) -> Reply {
        let mut client = self.connect();
        client.by_hand(by_hand).send(request);
        let answer = match request.starts_with("HEAD ") {
            true => client.answer_to_head(likely),
            false => client.answer(likely),
        };
        Reply { client, answer }
    }
}

impl Reply {
    /// Checks the status code: see [`Client::expect_status`].
    #[track_caller]
    pub fn status(&self, wanted: &[u16], likely: &str) -> &Reply {
        self.client.expect_status(&self.answer, wanted, likely);
        self
    }

    /// Checks the content: see [`Client::expect_body`].
    #[track_caller]
    pub fn body(&self, wanted: impl AsRef<[u8]>, likely: &str) -> &Reply {
        let wanted = wanted.as_ref();
        self.client.expect_body(&self.answer, wanted, likely);
        self
    }

    /// Checks a field: see [`Client::expect_field`].
    #[track_caller]
    pub fn field(
        &self,
        name: &str,
        wanted: &str,
        accepts: impl Fn(&str) -> bool,
        likely: &str,
    ) -> &Reply {
        self.client
            .expect_field(&self.answer, name, wanted, accepts, likely);
        self
    }

    /// Checks that the content has no part like this: see
    /// [`Client::expect_body_without`].
    #[track_caller]
    pub fn without(&self, what: &str, part: &str, likely: &str) -> &Reply {
        self.client
            .expect_body_without(&self.answer, what, part, likely);
        self
    }

    /// Reads the answer to the next request, which was sent on the same connection;
    /// `likely` says what is likely if none comes.
    #[track_caller]
    pub fn next(self, likely: &'static str) -> Reply {
        let Reply { mut client, .. } = self;
        let answer = client.answer(Likely::always(likely));
        Reply { client, answer }
    }

    /// Checks that the connection ends here in order, because the request asked for
    /// that; `differs` says what is likely if more comes.
    #[track_caller]
    pub fn must_be_last(mut self, differs: &'static str) {
        let silent = "the client said \"Connection: close\", so close after the \
                      answer: send returns whether the connection goes on.";
        self.client.expect_end(Likely {
            silent,
            differs,
            ..NO_ANSWER
        });
    }
}
