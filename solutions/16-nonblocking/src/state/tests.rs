use std::time::Instant;

use crate::request::Persistence::Persist;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn skipping() -> State {
    let (route, persistence) = (Route::Visit(1), Persist);
    State::Skipping(Content::Length(5), Asked { route, persistence })
}

fn handling() -> State {
    let until = Instant::now();
    State::Handling(Handler::Wait { until, asked: 1 }, Persist)
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
