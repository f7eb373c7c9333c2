//! The calendar: milliseconds to days, months and business days, all UTC. No clock: times come in as numbers.
//!
//! Business days are Monday to Friday. Bank holidays are left out: a date shown today must not move when a table of
//! holidays is corrected tomorrow, and test data is easier to read without them.

use std::fmt;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;
/// Seconds of a day.
pub const DAY_S: i64 = 86_400;
/// Business days from a payment to its money being available.
pub const AVAILABLE_AFTER_BUSINESS_DAYS: u32 = 2;

/// The day a moment lies in: days since 1970-01-01 UTC.
///
/// # Panics
/// On a moment more than five million years away.
pub fn day_of(unix_ms: u64) -> i32 {
    i32::try_from(unix_ms / DAY_MS).expect("a moment within the calendar")
}

/// Midnight UTC at which a day begins, in seconds since the Unix epoch.
pub fn day_start_s(day: i32) -> i64 {
    i64::from(day) * DAY_S
}

/// Seconds since the Unix epoch.
pub fn seconds_of(unix_ms: u64) -> i64 {
    (unix_ms / 1000) as i64
}

/// The day that is `count` business days after `day`. Starting on a weekend, Monday is the first.
pub fn business_days_after(day: i32, count: u32) -> i32 {
    let mut day = day;
    for _ in 0..count {
        day += 1;
        while is_weekend(day) {
            day += 1;
        }
    }
    day
}

/// The day on which a payment made at `unix_ms` becomes available (at its midnight UTC): T+2 business days.
pub fn available_day(unix_ms: u64) -> i32 {
    business_days_after(day_of(unix_ms), AVAILABLE_AFTER_BUSINESS_DAYS)
}

/// A date of the civil (Gregorian) calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A time of day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// The time of day of a moment.
pub fn clock_of(unix_ms: u64) -> Clock {
    let second = unix_ms % DAY_MS / 1_000;
    Clock {
        hour: (second / 3_600) as u8,
        minute: (second / 60 % 60) as u8,
        second: (second % 60) as u8,
    }
}

/// The civil date of a day number.
pub fn date_of(day: i32) -> Date {
    // Counted in 400-year eras whose years begin in March, so that the leap day is the last of its year.
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date {
        year: year as i32,
        month: month as u8,
        day,
    }
}

/// A moment as the second version of the API writes it: `2026-11-16T12:00:00.000Z`.
pub fn rfc3339(unix_ms: u64) -> String {
    let Date { year, month, day } = date_of(day_of(unix_ms));
    let ms = unix_ms % DAY_MS;
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z",
        ms % 1_000
    )
}

/// 0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday.
fn weekday(day: i32) -> i32 {
    (day + 3).rem_euclid(7)
}

fn is_weekend(day: i32) -> bool {
    weekday(day) >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-16, a Monday.
    const MONDAY: i32 = 20_773;

    #[test]
    fn dates_of_known_days() {
        let cases = [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (18_262, (2020, 1, 1)),
            (MONDAY, (2026, 11, 16)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ];
        for (number, (year, month, day)) in cases {
            assert_eq!(date_of(number), Date { year, month, day }, "day {number}");
        }
    }

    #[test]
    fn a_moment_is_written_as_date_and_time_of_day() {
        let cases = [
            (0, "1970-01-01 00:00:00"),
            (1_794_830_401_999, "2026-11-16 12:00:01"),
            (1_794_873_599_999, "2026-11-16 23:59:59"),
        ];
        for (unix_ms, text) in cases {
            assert_eq!(format!("{} {}", date_of(day_of(unix_ms)), clock_of(unix_ms)), text);
        }
    }

    #[test]
    fn money_is_available_two_business_days_later() {
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let table: Vec<String> = (0..7)
            .map(|offset| {
                let day = MONDAY + offset;
                let available = business_days_after(day, 2);
                format!(
                    "{}+{}={}",
                    names[offset as usize],
                    available - day,
                    names[weekday(available) as usize]
                )
            })
            .collect();
        assert_eq!(
            table,
            [
                "Mon+2=Wed",
                "Tue+2=Thu",
                "Wed+2=Fri",
                "Thu+4=Mon",
                "Fri+4=Tue",
                "Sat+3=Tue",
                "Sun+2=Tue"
            ]
        );
    }

    #[test]
    fn a_moment_is_written_to_the_millisecond() {
        assert_eq!(rfc3339(1_794_830_400_000), "2026-11-16T12:00:00.000Z");
        assert_eq!(rfc3339(1_794_873_599_999), "2026-11-16T23:59:59.999Z");
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let midnight = day_start_s(MONDAY) as u64 * 1000;
        assert_eq!(
            (day_of(midnight - 1), day_of(midnight), day_of(midnight + DAY_MS - 1)),
            (MONDAY - 1, MONDAY, MONDAY)
        );
        assert_eq!(available_day(midnight), MONDAY + 2);
        assert_eq!(
            available_day(midnight - 1),
            MONDAY + 1,
            "the Sunday before counts from Monday"
        );
    }
}
