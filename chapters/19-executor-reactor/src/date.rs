//! The date as HTTP writes it.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
    "Dec",
];

/// Tells the date, and formats it again only when a second has passed.
#[derive(Debug, Default)]
pub struct Clock {
    second: u64,
    date: String,
}

impl Clock {
    /// The date as it is now.
    pub fn date(&mut self) -> &str {
        let now = SystemTime::now();
        let second = seconds(now);
        if self.second != second || self.date.is_empty() {
            self.second = second;
            self.date = imf_fixdate(now);
        }
        &self.date
    }
}

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::default();
}

/// Lends the date as it is now.
pub fn with<T>(run: impl FnOnce(&str) -> T) -> T {
    CLOCK.with_borrow_mut(|clock| run(clock.date()))
}

/// A time as the value of a `Date` field, such as `Sun, 06 Nov 1994 08:49:37 GMT`
/// (RFC 9110, section 5.6.7). A time before 1970 is taken for its beginning.
pub fn imf_fixdate(time: SystemTime) -> String {
    let seconds = seconds(time);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        DAYS[(days % 7) as usize],
        MONTHS[month],
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// The seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The year, the month from 0, and the day from 1, of a day counted from 1 January
/// 1970.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && !year.is_multiple_of(100)
            || year.is_multiple_of(400)
    };
    // The calendar repeats itself every 400 years, which have 146,097 days.
    let mut year = 1970 + days / 146_097 * 400;
    days %= 146_097;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests;
