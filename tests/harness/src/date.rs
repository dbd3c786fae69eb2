//! Whether a `Date` field tells today's date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether this is an IMF-fixdate (RFC 9110, section 5.6.7) of the present, give or
/// take an hour.
pub fn is_date_of_today(value: &str) -> bool {
    seconds(value).is_some_and(|seconds| {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        let hour = Duration::from_secs(3600);
        let now = SystemTime::now();
        now - hour < time && time < now + hour
    })
}

/// The seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds(value: &str) -> Option<u64> {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let separators = [
        (3, ", "),
        (7, " "),
        (11, " "),
        (16, " "),
        (19, ":"),
        (22, ":"),
        (25, " GMT"),
    ];
    let fits =
        |(at, text): &(usize, &str)| value.get(*at..at + text.len()) == Some(text);
    if value.len() != 29 || !separators.iter().all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = value.get(from..to)?;
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| digits.parse::<u64>().ok())?
    };
    let month =
        MONTHS.find(value.get(8..11)?).filter(|at| at % 3 == 0)? as u64 / 3 + 1;
    let (day, year) = (number(5, 7)?, number(12, 16)?);
    // Days from 1 March of the year 0, when a year begins in March: February's end is
    // the year's.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
            - 1;
    let days = days.checked_sub(719_468)?;
    if DAYS[(days % 7) as usize] != value.get(..3)? {
        return None;
    }
    let (hour, minute, second) = (number(17, 19)?, number(20, 22)?, number(23, 25)?);
    (hour < 24 && minute < 60 && second <= 60)
        .then(|| days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_exactly() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400));
        for wrong in [
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun Nov  6 08:49:37 1994",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_of_long_ago_is_not_today() {
        assert!(!is_date_of_today("Sun, 06 Nov 1994 08:49:37 GMT"));
    }
}
