use std::future::pending;

use crate::request::Persistence::Persist;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn skipping() -> State {
    let (route, persistence) = (Route::Visit(1), Persist);
    State::Skipping(Content::Length(5), Asked { route, persistence })
}

fn handling() -> State {
    State::Handling(Handler::new(pending()), Persist)
}

#[test]
fn time_a_client_has_for_what_it_sends_and_reads() {
    for state in [
        State::ReadingHead,
        skipping(),
        State::Writing(Then::NextRequest),
        State::Writing(Then::Linger),
    ] {
        let time = state.time(PATIENCE, false);
        assert_eq!(time, Some(PATIENCE), "{state:?}");
    }
}

#[test]
fn time_does_not_run_while_a_handler_has_to_do_something() {
    for stopping in [false, true] {
        let time = handling().time(PATIENCE, stopping);
        assert_eq!(time, None, "the client has nothing to do: {:?}", handling());
    }
}

#[test]
fn time_to_linger_is_short() {
    let time = State::Lingering.time(PATIENCE, false);
    assert_eq!(
        time,
        Some(LINGER),
        "patience isn't for clients that were answered"
    );
    let impatient = Duration::from_millis(200);
    let time = State::Lingering.time(impatient, false);
    assert_eq!(
        time,
        Some(impatient),
        "no client has more than its patience"
    );
}

#[test]
fn time_is_shorter_while_the_server_stops() {
    for state in [State::ReadingHead, skipping()] {
        let time = state.time(PATIENCE, true);
        let why = "nothing is awaited that isn't here already";
        assert_eq!(time, Some(LAST_LOOK), "{state:?}: {why}");
    }
    let time = State::Lingering.time(PATIENCE, true);
    assert_eq!(
        time,
        Some(SHORT_LINGER),
        "others wait for the end of the server"
    );
    let time = State::Writing(Then::Close).time(PATIENCE, true);
    assert_eq!(
        time,
        Some(PATIENCE),
        "an answer isn't cut off because of the stop"
    );
}

#[test]
fn interest_of_each_state() {
    const NONE: (bool, bool) = (false, false);
    const READ: (bool, bool) = (true, false);
    const WRITE: (bool, bool) = (false, true);
    const BOTH: (bool, bool) = (true, true);
    // The state, whether answers are left to send, and what to be told of.
    let table = [
        (State::ReadingHead, false, READ, "the next head is awaited"),
        (State::ReadingHead, true, BOTH, "answers are left to send"),
        (
            skipping(),
            false,
            READ,
            "the rest of the content is awaited",
        ),
        (
            skipping(),
            true,
            BOTH,
            "answers to earlier requests are left, and the content is awaited",
        ),
        (
            handling(),
            false,
            NONE,
            "what the handler waits for isn't at the socket, and input that no one \
             reads would be reported again and again",
        ),
        (
            handling(),
            true,
            WRITE,
            "answers to earlier requests are left to send",
        ),
        (
            State::Writing(Then::NextRequest),
            true,
            WRITE,
            "nothing is read before the answers are sent",
        ),
        (
            State::Writing(Then::Linger),
            true,
            WRITE,
            "nothing is read before the answers are sent",
        ),
        (
            State::Lingering,
            false,
            READ,
            "what comes is dropped until the end",
        ),
    ];
    for (state, has_output, wanted, why) in table {
        let Interest { read, write } = state.interest(has_output);
        assert_eq!(
            (read, write),
            wanted,
            "(read, write) of {state:?}, {}: {why}",
            if has_output {
                "with answers left to send"
            } else {
                "with nothing to send"
            }
        );
    }
}
