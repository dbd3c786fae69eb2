use std::time::Duration;

use super::*;

#[test]
fn a_clock_goes_on() {
    let mut clock = Clock::default();
    assert!(!clock.date().is_empty(), "from the beginning");
    let date = "Thu, 01 Jan 1970 00:00:01 GMT".to_owned();
    let mut clock = Clock { second: 1, date };
    assert!(!clock.date().contains("1970"), "it is later now");
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (seconds, date) in [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
        (1_735_689_600, "Wed, 01 Jan 2025 00:00:00 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (13_574_563_200, "Tue, 29 Feb 2400 00:00:00 GMT"),
    ] {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(imf_fixdate(time), date, "{seconds}");
    }
}
